#pragma once

#include "helper/service/bus_error.h"

#include <QtCore/QVariantList>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusMessage>
#include <memory>

namespace belay::service {

// One method call that is answered later, exactly once; a copy is the same call.
//
// - A call that nobody answers fails when its last copy goes: no caller waits for ever.
class Call {
 public:
    Call(const QDBusConnection& bus, const QDBusMessage& message);

    // The caller's unique bus name.
    QString caller() const;
    // Whether somebody may be asked for a password on the caller's behalf.
    bool interactive() const;
    void forbidInteraction();

    void reply(const QVariantList& values = {}) const;
    void fail(const BusError& error) const;
    void fail(const Error& error) const { fail(BusError::of(error)); }

 private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace belay::service
