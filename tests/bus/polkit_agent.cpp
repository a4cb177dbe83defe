#include "tests/bus/polkit_agent.h"

#include "tests/bus/harness.h"

#include <QtCore/QFile>
#include <QtDBus/QDBusArgument>
#include <QtDBus/QDBusMetaType>

namespace belay::test {
namespace {

constexpr auto kPath = "/org/belay/test/agent";

// polkit's Subject and Identity look the same.
struct KindAndDetails {
    QString kind;
    QVariantMap details;
};

QDBusArgument& operator<<(QDBusArgument& argument, const KindAndDetails& value) {
    argument.beginStructure();
    argument << value.kind << value.details;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, KindAndDetails& value) {
    argument.beginStructure();
    argument >> value.kind >> value.details;
    argument.endStructure();
    return argument;
}

// When a process started, in clock ticks since boot: field 22 of /proc/PID/stat (proc(5)).
quint64 startTime(qint64 pid) {
    QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray text = file.readAll();
    return text.mid(text.lastIndexOf(')') + 2).split(' ').value(19).toULongLong();
}

QDBusMessage polkitCall(const char* method) {
    return QDBusMessage::createMethodCall("org.freedesktop.PolicyKit1",
                                          "/org/freedesktop/PolicyKit1/Authority",
                                          "org.freedesktop.PolicyKit1.Authority", method);
}

}  // namespace
}  // namespace belay::test

Q_DECLARE_METATYPE(belay::test::KindAndDetails)

namespace belay::test {

HeldClient::HeldClient(const char* user, const QStringList& command) {
    const QStringList all =
        commandAs(user, QStringList{"bash", "-c", "read -r go; exec \"$@\"", "held"} + command);
    process_.setProcessChannelMode(QProcess::MergedChannels);
    process_.start(all.first(), all.mid(1));
    if (!process_.waitForStarted())
        qFatal("cannot start %s", qPrintable(all.first()));
}

HeldClient::~HeldClient() {
    process_.kill();
    process_.waitForFinished();
}

void HeldClient::go() {
    process_.write("go\n");
}

QString HeldClient::finish() {
    spinUntil([this] { return ended(); });
    return QString::fromUtf8(process_.readAll());
}

PolkitAgent::PolkitAgent(QDBusConnection bus, const HeldClient& client, Behaviour behaviour)
    : bus_(bus), pid_(client.pid()), behaviour_(behaviour) {
    qDBusRegisterMetaType<KindAndDetails>();
    bus_.registerVirtualObject(kPath, this);
    auto message = polkitCall("RegisterAuthenticationAgent");
    message.setArguments(subject());
    message << QStringLiteral("C") << QLatin1String(kPath);
    const auto reply = bus_.call(message);
    if (reply.type() == QDBusMessage::ErrorMessage)
        qFatal("cannot register an agent: %s", qPrintable(reply.errorMessage()));
}

PolkitAgent::~PolkitAgent() {
    auto message = polkitCall("UnregisterAuthenticationAgent");
    message.setArguments(subject());
    message << QLatin1String(kPath);
    bus_.send(message);
    bus_.unregisterObject(kPath);
}

QVariantList PolkitAgent::subject() const {
    const KindAndDetails process{
        "unix-process",
        {{"pid", static_cast<uint>(pid_)}, {"start-time", qulonglong{startTime(pid_)}}}};
    return {QVariant::fromValue(process)};
}

void PolkitAgent::accept() {
    // The older form of it, which does not name the agent's user: by that polkit 122 understands
    // who registered the agent, and 126 whom it was registered for.
    auto response = polkitCall("AuthenticationAgentResponse");
    const KindAndDetails root{"unix-user", {{"uid", 0u}}};
    response << question_.arguments().value(4).toString() << QVariant::fromValue(root);
    const QDBusMessage taken = bus_.call(response);
    if (taken.type() == QDBusMessage::ErrorMessage)
        qWarning("polkit does not take the answer: %s", qPrintable(taken.errorMessage()));
    bus_.send(question_.createReply());
}

bool PolkitAgent::handleMessage(const QDBusMessage& message, const QDBusConnection& bus) {
    if (message.member() == QLatin1String("CancelAuthentication")) {
        withdrawn_ = true;
        bus.send(message.createReply());
        return true;
    }
    if (message.member() != QLatin1String("BeginAuthentication"))
        return false;
    message.setDelayedReply(true);
    question_ = message;
    ++asked_;
    action_ = message.arguments().value(0).toString();
    message_ = message.arguments().value(1).toString();
    switch (behaviour_) {
        case Behaviour::Accept:
            accept();
            break;
        case Behaviour::Fail:
            bus.send(message.createReply());
            break;
        case Behaviour::Dismiss:
            bus.send(message.createErrorReply("org.freedesktop.PolicyKit1.Error.Cancelled",
                                              "The user closed the dialog"));
            break;
        case Behaviour::Ponder:
            break;
    }
    return true;
}

}  // namespace belay::test
