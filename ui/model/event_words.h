#pragma once

#include "dbus/events.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QString>

namespace belay::ui {

// What users read about what has happened. All of it comes from the events' details, so that it is
// in the user's language.
class EventWords {
    Q_DECLARE_TR_FUNCTIONS(EventWords)

 public:
    // `user`: the number of the window's user. Of what that one did it is not said who did it.
    static QString of(const events::Any& event, uint user);

 private:
    static QString of(const events::StateChanged& event);
    static QString of(const events::ProblemFound& event);
    static QString of(const events::TakenOver& event);
    static QString of(const events::GadgetSeen& event);
    static QString of(const events::Asked& event);
    static QString of(const events::WorkerEnded& event);
};

}  // namespace belay::ui
