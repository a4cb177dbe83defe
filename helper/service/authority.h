#pragma once

#include "helper/service/call.h"

#include <QtCore/QHash>
#include <QtCore/QMap>
#include <QtCore/QObject>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusServiceWatcher>
#include <functional>
#include <map>
#include <memory>

class QDBusPendingCallWatcher;

namespace belay::service {

// Asks polkit whether a caller may do something.
//
// - One pending call for each question, without a time limit: a person may be typing a password.
// - A caller who leaves the bus is not answered, and its questions are withdrawn, so that no
//   password dialog stays behind.
// - Whatever goes wrong is a no; only root is believed without polkit, when there is none.
class Authority {
 public:
    // Called when the caller may, with its uid. Between question and answer minutes may pass: what
    // the caller spoke of must be looked up again.
    using Granted = std::function<void(uint uid)>;
    // What polkit's message names, e.g. {"device", "disk (/dev/ublkb0)"}.
    using Details = QMap<QString, QString>;

    explicit Authority(const QDBusConnection& bus);
    ~Authority();

    // `action`: e.g. "org.belay.stop". Fails the call itself if the answer is no.
    void ask(const Call& call, const char* action, const Details& details, Granted granted);
    // The caller's uid, without asking polkit.
    void identify(const Call& call, Granted identified);

    // Questions that have no answer yet.
    std::size_t pending() const { return questions_.size(); }

 private:
    struct Question;
    using Id = std::uint64_t;
    // Null if the caller has too many open; the call has failed then.
    Question* open(const Call& call, Granted granted);
    void gotUid(Id id, QDBusPendingCallWatcher* answer);
    void gotDecision(Id id, QDBusPendingCallWatcher* answer);
    void decide(Id id);
    void callerLeft(const QString& caller);
    void forget(Id id);
    void withdraw(const Question& question);
    // Calls `then` with the pending call if the question still stands.
    void send(Id id, const QDBusMessage& message, int timeoutMs,
              void (Authority::*then)(Id, QDBusPendingCallWatcher*));

    QDBusConnection bus_;
    QObject context_;
    QDBusServiceWatcher watcher_;
    std::map<Id, std::unique_ptr<Question>> questions_;
    QHash<QString, int> questionsOf_;
    Id nextId_ = 1;
};

}  // namespace belay::service
