#pragma once

#include "ui/model/clock.h"

#include <QtCore/QHash>
#include <QtCore/QObject>
#include <QtCore/QStringList>
#include <QtDBus/QDBusConnection>

namespace belay::ui {

// What polkit will say if the user does something, so that it can be shown beforehand. It decides
// nothing: belayd asks polkit itself when it is called.
//
// - Through polkit-qt, by its asynchronous calls alone, one at a time, since its answers do not say
//   to which question they belong. In a build without it nothing is known.
// - After an error polkit-qt does not answer at all: a question that stays open too long is given
// up.
// - polkit-qt, which waits for polkit as it starts, is started only after polkit has answered a
//   question: a polkit that hangs holds up nobody.
class Permissions : public QObject {
    Q_OBJECT

 public:
    enum class Answer {
        Unknown,   // not asked yet, or polkit cannot be asked
        Yes,       // at once
        Password,  // after a password
        No,
    };
    Q_ENUM(Answer)

    // `bus`: the system bus, on which belayd will be called.
    explicit Permissions(const QDBusConnection& bus, QObject* parent = nullptr);

    // Asks for the answers, and again whenever the policy changes.
    void start();
    // `action`: such as "org.belay.stop".
    Answer of(const QString& action) const { return answers_.value(action, Answer::Unknown); }

 signals:
    void changed();

 protected:
    // Does not tell that it changed.
    void know(const QString& action, Answer answer) { answers_.insert(action, answer); }

 private:
    void askAll();
    void askNext();
    void take(Answer answer);

    QDBusConnection bus_;
    QHash<QString, Answer> answers_;
    QStringList toAsk_;
    QString asked_;
    Timer patience_;
    bool connected_ = false;
};

}  // namespace belay::ui
