#include "helper/service/authority.h"

#include "core/base/log.h"

#include <QtDBus/QDBusArgument>
#include <QtDBus/QDBusMetaType>
#include <QtDBus/QDBusPendingCallWatcher>
#include <QtDBus/QDBusPendingReply>
#include <climits>
#include <optional>
#include <vector>

namespace belay::service {

// polkit's D-Bus interface: polkit reference manual, org.freedesktop.PolicyKit1.Authority.
namespace {

constexpr uint kAllowUserInteraction = 1;
// More at a time is no honest client; each one may be a dialog on somebody's screen.
constexpr int kMostQuestionsOfOne = 16;

QDBusMessage polkitCall(const char* method) {
    return QDBusMessage::createMethodCall(QStringLiteral("org.freedesktop.PolicyKit1"),
                                          QStringLiteral("/org/freedesktop/PolicyKit1/Authority"),
                                          QStringLiteral("org.freedesktop.PolicyKit1.Authority"),
                                          QLatin1String(method));
}

struct Subject {
    QString kind;
    QVariantMap details;
};

QDBusArgument& operator<<(QDBusArgument& argument, const Subject& subject) {
    argument.beginStructure();
    argument << subject.kind << subject.details;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, Subject& subject) {
    argument.beginStructure();
    argument >> subject.kind >> subject.details;
    argument.endStructure();
    return argument;
}

struct Decision {
    bool authorized = false;
    bool challenge = false;
    QMap<QString, QString> details;
};

Decision decisionIn(const QDBusMessage& message) {
    Decision decision;
    const auto argument = message.arguments().value(0).value<QDBusArgument>();
    argument.beginStructure();
    argument >> decision.authorized >> decision.challenge >> decision.details;
    argument.endStructure();
    return decision;
}

}  // namespace
}  // namespace belay::service

Q_DECLARE_METATYPE(belay::service::Subject)

namespace belay::service {

struct Authority::Question {
    Id id;
    Call call;
    Granted granted;
    QString action;
    std::optional<uint> uid;
    std::optional<bool> allowed;
    // polkit is not there at all: root needs none.
    bool noPolkit = false;
    BusError refusal;

    QString cancellationId() const { return QStringLiteral("belay-%1").arg(id); }
};

Authority::Authority(const QDBusConnection& bus) : bus_(bus) {
    qDBusRegisterMetaType<Subject>();
    qDBusRegisterMetaType<QMap<QString, QString>>();
    watcher_.setConnection(bus_);
    watcher_.setWatchMode(QDBusServiceWatcher::WatchForUnregistration);
    QObject::connect(&watcher_, &QDBusServiceWatcher::serviceUnregistered, &context_,
                     [this](const QString& caller) { callerLeft(caller); });
}

Authority::~Authority() {
    for (const auto& [id, question] : questions_)
        withdraw(*question);
}

Authority::Question* Authority::open(const Call& call, Granted granted) {
    int& count = questionsOf_[call.caller()];
    if (count >= kMostQuestionsOfOne) {
        call.fail(BusError::make("Busy", QStringLiteral("Too many calls at once")));
        return nullptr;
    }
    if (count++ == 0)
        watcher_.addWatchedService(call.caller());
    const Id id = nextId_++;
    auto question = std::make_unique<Question>(Question{.id = id, .call = call, .granted = {}});
    question->granted = std::move(granted);
    // This also notices a caller that left before the bus knew that we want to be told.
    auto ask = QDBusMessage::createMethodCall(
        QStringLiteral("org.freedesktop.DBus"), QStringLiteral("/org/freedesktop/DBus"),
        QStringLiteral("org.freedesktop.DBus"), QStringLiteral("GetConnectionUnixUser"));
    ask << call.caller();
    Question* const raw = questions_.emplace(id, std::move(question)).first->second.get();
    send(id, ask, -1, &Authority::gotUid);
    return raw;
}

void Authority::identify(const Call& call, Granted identified) {
    if (Question* const question = open(call, std::move(identified)))
        question->allowed = true;
}

void Authority::ask(const Call& call, const char* action, const Details& details, Granted granted) {
    Question* const question = open(call, std::move(granted));
    if (question == nullptr)
        return;
    question->action = QLatin1String(action);
    auto check = polkitCall("CheckAuthorization");
    // By bus name: a process id may have become another's when polkit looks.
    const Subject subject{QStringLiteral("system-bus-name"),
                          {{QStringLiteral("name"), call.caller()}}};
    check << QVariant::fromValue(subject) << question->action << QVariant::fromValue(details)
          << (call.interactive() ? kAllowUserInteraction : 0u) << question->cancellationId();
    send(question->id, check, INT_MAX, &Authority::gotDecision);
}

void Authority::send(Id id, const QDBusMessage& message, int timeoutMs,
                     void (Authority::*then)(Id, QDBusPendingCallWatcher*)) {
    auto* const answer = new QDBusPendingCallWatcher(bus_.asyncCall(message, timeoutMs), &context_);
    QObject::connect(answer, &QDBusPendingCallWatcher::finished, &context_,
                     [this, id, then, answer] {
                         answer->deleteLater();
                         if (questions_.contains(id))
                             (this->*then)(id, answer);
                     });
}

void Authority::gotUid(Id id, QDBusPendingCallWatcher* answer) {
    const QDBusPendingReply<uint> uid = *answer;
    Question& question = *questions_.at(id);
    if (uid.isError()) {
        callerLeft(QString(question.call.caller()));
        return;
    }
    question.uid = uid.value();
    decide(id);
}

void Authority::gotDecision(Id id, QDBusPendingCallWatcher* answer) {
    Question& question = *questions_.at(id);
    question.allowed = false;
    const QDBusMessage reply = answer->reply();
    if (reply.type() == QDBusMessage::ErrorMessage ||
        reply.signature() != QLatin1String("(bba{ss})")) {
        question.noPolkit =
            reply.errorName() == QLatin1String("org.freedesktop.DBus.Error.ServiceUnknown") ||
            reply.errorName() == QLatin1String("org.freedesktop.DBus.Error.NameHasNoOwner");
        question.refusal = BusError::make(
            "NotAuthorized",
            QStringLiteral("polkit could not be asked: %1").arg(reply.errorMessage()));
    } else {
        const Decision decision = decisionIn(reply);
        question.allowed = decision.authorized;
        if (decision.details.contains(QStringLiteral("polkit.dismissed")))
            question.refusal = BusError::make("NotAuthorizedDismissed",
                                              QStringLiteral("The password dialog was closed"));
        else if (decision.challenge)
            question.refusal =
                BusError::make("NotAuthorizedCanObtain",
                               QStringLiteral("This needs a password, and none could be asked for "
                                              "(%1)")
                                   .arg(question.action));
        else
            question.refusal = BusError::make(
                "NotAuthorized",
                QStringLiteral("The policy does not allow this (%1)").arg(question.action));
    }
    decide(id);
}

void Authority::decide(Id id) {
    Question& question = *questions_.at(id);
    if (!question.uid || !question.allowed)
        return;
    const bool granted = *question.allowed || (question.noPolkit && *question.uid == 0);
    const Call call = question.call;
    const Granted then = std::move(question.granted);
    const BusError refusal = question.refusal;
    const uint uid = *question.uid;
    if (!question.action.isEmpty())
        log::info("uid {} {} {}", uid, granted ? "may" : "may not", question.action.toStdString());
    forget(id);
    if (granted)
        then(uid);
    else
        call.fail(refusal);
}

void Authority::callerLeft(const QString& caller) {
    std::vector<Id> gone;
    for (const auto& [id, question] : questions_) {
        if (question->call.caller() == caller)
            gone.push_back(id);
    }
    for (const Id id : gone) {
        withdraw(*questions_.at(id));
        forget(id);
    }
}

void Authority::forget(Id id) {
    const auto found = questions_.find(id);
    const QString caller = found->second->call.caller();
    // Last, since the call may answer its caller when it goes.
    const auto question = std::move(found->second);
    questions_.erase(found);
    if (--questionsOf_[caller] == 0) {
        questionsOf_.remove(caller);
        watcher_.removeWatchedService(caller);
    }
}

void Authority::withdraw(const Question& question) {
    if (question.action.isEmpty() || question.allowed)
        return;
    auto cancel = polkitCall("CancelCheckAuthorization");
    cancel << question.cancellationId();
    bus_.send(cancel);
}

}  // namespace belay::service
