#pragma once

#include "ui/model/records.h"

#include <QtCore/QCoreApplication>

namespace belay::ui {

// How a state is meant, whatever it is called: it chooses colours, and the tray's state.
enum class Tone {
    Neutral,  // nothing to see
    Good,     // all is well
    Busy,     // in motion, by itself
    Held,     // requests are held until the cable is back
    Problem,  // nothing goes on without the user
};

// A device's state as a person reads it.
struct StateWords {
    QString text;    // "Unplugged, waiting"
    QString detail;  // what is behind it, and what to do: "12 requests held. Plug it back in."
    QString icon;    // of packaging/icons, without "-symbolic"
    Tone tone = Tone::Neutral;

    // Both in one line.
    QString line() const;
};

// What a notification says.
struct NoticeWords {
    QString summary;
    QString body;
};

// All words that users read about states, in one place.
class Words {
    Q_DECLARE_TR_FUNCTIONS(Words)

 public:
    static StateWords of(const Device& device, const QDateTime& now);
    // The bare name of one of belayd's states, as in a list of events; others as they are.
    static QString stateName(const QString& state);
    // The bare name of one of belayd's problems, as in a list of events; others as they are.
    static QString problemName(const QString& problem);
    // Why a device that is waiting, failed or in need of attention is so, and what to do. `gadget`
    // is its gadget, null if that is not known.
    static NoticeWords notice(const Device& device, const Gadget* gadget);
    // It works again, after programs had to wait or, with `hadFailed`, got errors.
    static NoticeWords back(const Device& device, bool hadFailed);
    // What the gadget's link is doing: "Connected", "Not plugged in", ...
    static QString link(const Gadget& gadget);
    static Tone linkTone(const Gadget& gadget);
    // "USB 3, 5 Gbit/s" and the like.
    static QString speed(uint mbps);
    // "Keep waiting", "Wait up to 5 minutes", "Fail after 5 seconds".
    static QString policy(const QString& policy, uint seconds);
    static QString direction(const Device& device);
    // "Mounted at /media/disk", "Used by dd (1234)".
    static QString holder(const bus::Holder& holder);
    // A request's operation and where it is: "Write", "sent".
    static QString operation(const QString& op);
    static QString requestState(const QString& state);
    // An outcome's error, when its own message is not for people of every language.
    static QString error(const QString& name);

 private:
    static StateWords live(const Device& device);
    static StateWords waiting(const Device& device, const QDateTime& now);
    static StateWords needsAttention(const Device& device);
    static NoticeWords waitingNotice(const Device& device, const Gadget* gadget);
};

}  // namespace belay::ui
