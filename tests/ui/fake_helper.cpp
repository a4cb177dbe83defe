#include "tests/ui/fake_helper.h"

#include "ui/model/clock.h"

#include <QtCore/QEventLoop>
#include <QtCore/QTimer>
#include <QtDBus/QDBusArgument>
#include <QtDBus/QDBusMessage>
#include <QtDBus/QDBusMetaType>
#include <QtDBus/QDBusPendingCallWatcher>

namespace {

// A press is sent to us, answered by a call to belayd, which asks polkit, and so on: the longest
// such talk.
constexpr int kAnswers = 6;

// How many there were; their names are numbered.
int connections = 0;

// What polkit answers: CheckAuthorization's "(bba{ss})".
struct Verdict {
    bool authorized = false;
    bool challenge = false;
    QMap<QString, QString> details;
};

QDBusArgument& operator<<(QDBusArgument& argument, const Verdict& verdict) {
    argument.beginStructure();
    argument << verdict.authorized << verdict.challenge << verdict.details;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, Verdict& verdict) {
    argument.beginStructure();
    argument >> verdict.authorized >> verdict.challenge >> verdict.details;
    argument.endStructure();
    return argument;
}

}  // namespace

Q_DECLARE_METATYPE(Verdict)

namespace belay::test {

QDBusConnection connectToTestBus() {
    return QDBusConnection::connectToBus(QDBusConnection::SessionBus,
                                         QStringLiteral("test%1").arg(connections++));
}

void settleBus() {
    // The bus keeps the order of what it passes on. So when it has answered everybody, all that
    // they had sent is with it; when it has done so once more, with those for whom it is.
    for (int round = 0; round < 2 * kAnswers; ++round) {
        QEventLoop loop;
        QTimer::singleShot(kPatienceMs, &loop, [] { qFatal("the test's bus does not answer"); });
        int open = 0;
        for (int number = 0; number < connections; ++number) {
            const QDBusConnection bus(QStringLiteral("test%1").arg(number));
            if (!bus.isConnected())
                continue;
            const QString driver = QStringLiteral("org.freedesktop.DBus");
            auto* const answer =
                new QDBusPendingCallWatcher(bus.asyncCall(QDBusMessage::createMethodCall(
                                                driver, QStringLiteral("/org/freedesktop/DBus"),
                                                driver, QStringLiteral("GetId"))),
                                            &loop);
            ++open;
            QObject::connect(answer, &QDBusPendingCallWatcher::finished, &loop, [&loop, &open] {
                if (--open == 0)
                    loop.quit();
            });
        }
        if (open > 0)
            loop.exec();
        QCoreApplication::processEvents();
    }
}

bool FakePolkit::handleMessage(const QDBusMessage& message, const QDBusConnection& connection) {
    if (hangs) {
        message.setDelayedReply(true);
        unanswered += message.member();
        return true;
    }
    if (message.member() != QLatin1String("CheckAuthorization"))
        return false;
    asked += message.arguments().value(1).toString();
    Verdict verdict{answer == Answer::Yes, false, {}};
    if (answer == Answer::Dismissed)
        verdict.details.insert(QStringLiteral("polkit.dismissed"), QStringLiteral("true"));
    connection.send(message.createReply(QVariant::fromValue(verdict)));
    return true;
}

FakeHelper::FakeHelper() : client_(connectToTestBus()), polkitBus_(connectToTestBus()) {
    bus::registerTypes();
    qDBusRegisterMetaType<QMap<QString, QString>>();
    qDBusRegisterMetaType<Verdict>();
    if (!client_.isConnected())
        qFatal("run this by tests/ui/private-session");
    polkitBus_.registerVirtualObject(QStringLiteral("/org/freedesktop/PolicyKit1/Authority"),
                                     &polkit);
    polkitBus_.registerService(QStringLiteral("org.freedesktop.PolicyKit1"));
    fill(fleet);
}

FakeHelper::~FakeHelper() {
    vanish();
    QDBusConnection::disconnectFromBus(client_.name());
    QDBusConnection::disconnectFromBus(polkitBus_.name());
}

bool FakeHelper::appear() {
    bus_ = connectToTestBus();
    service_ = std::make_unique<service::BusService>(bus_);
    service_->setSystem({});
    service_->show(fleet);
    return service_->appear() && bus_.registerService(QLatin1String(bus::kService));
}

void FakeHelper::vanish() {
    if (!service_)
        return;
    // The name first: what is sent after that is nobody's word any more.
    bus_.unregisterService(QLatin1String(bus::kService));
    service_.reset();
    QDBusConnection::disconnectFromBus(bus_.name());
    bus_ = QDBusConnection(QString());
    fleet.recovers.clear();
    fleet.stops.clear();
    fleet.attaches.clear();
    fleet.unlisted.clear();
}

void FakeHelper::change(const std::string& id,
                        const std::function<void(helper::DeviceView&)>& edit) {
    helper::DeviceView& device = fleet.deviceViews[id];
    device.id = id;
    const lifecycle::State before = device.state;
    edit(device);
    if (device.state != before)
        device.sinceUs = std::uint64_t(ui::Clock::current().nowMs()) * 1000;
    if (service_) {
        service_->deviceChanged(id);
        service_->deviceCountersChanged(id);
    }
}

void FakeHelper::changeCounters(const std::string& id,
                                const std::function<void(helper::DeviceCounters&)>& edit) {
    edit(fleet.deviceViews.at(id).counters);
    if (service_)
        service_->deviceCountersChanged(id);
}

void FakeHelper::changeGadget(const std::string& id,
                              const std::function<void(helper::GadgetView&)>& edit) {
    helper::GadgetView& gadget = fleet.gadgetViews[id];
    gadget.id = id;
    edit(gadget);
    if (service_)
        service_->gadgetChanged(id);
}

void FakeHelper::setState(const std::string& id, lifecycle::State state) {
    change(id, [state](helper::DeviceView& device) { device.state = state; });
}

void FakeHelper::remove(const std::string& id) {
    fleet.deviceViews.erase(id);
    if (service_)
        service_->deviceGone(id);
}

void FakeHelper::removeGadget(const std::string& id) {
    fleet.gadgetViews.erase(id);
    if (service_)
        service_->gadgetGone(id);
}

QString FakeHelper::devicePath(const QString& id) {
    return QLatin1String(bus::kRootPath) + QStringLiteral("/devices/") + id;
}

QString FakeHelper::gadgetPath(const QString& id) {
    return QLatin1String(bus::kRootPath) + QStringLiteral("/gadgets/") + id;
}

}  // namespace belay::test
