#pragma once

#include "core/base/error.h"

#include <QtCore/QString>

namespace belay::service {

// A failure as a caller on the bus gets it: a name below org.belay.Error, and words.
struct BusError {
    QString name;
    QString text;

    // Of an error of the fleet, by its code (see FleetInterface).
    static BusError of(const Error& error);
    // `kind` as Manager1's documentation lists them, e.g. "NotFound".
    static BusError make(const char* kind, const QString& text);
};

}  // namespace belay::service
