#include "tests/bus/harness.h"

#include <fcntl.h>
#include <stdio.h>

#include <QtCore/QCoreApplication>
#include <QtDBus/QDBusMetaType>
#include <QtDBus/QDBusUnixFileDescriptor>
#include <QtDBus/QDBusVariant>
#include <functional>
#include <random>

// random_calls SEED COUNT: one client that calls belayd COUNT times at random: every method, with
// right and wrong arguments, on right and wrong objects. Prints how many calls were answered, and
// fails if one was not answered within ten seconds, or belayd went away.
namespace {

using namespace belay;
using namespace belay::test;

class Caller {
 public:
    explicit Caller(unsigned seed) : random_(seed), bus_(connectAs("random")) {}

    bool run(int count) {
        int good = 0;
        int refused = 0;
        for (int i = 0; i < count; ++i) {
            auto message = anyCall();
            message.setInteractiveAuthorizationAllowed(one(2));
            if (one(10)) {
                bus_.send(message);
                continue;
            }
            const auto reply = bus_.call(message, QDBus::Block, 10'000);
            const QString name = reply.errorName();
            if (name == "org.freedesktop.DBus.Error.NoReply" ||
                name == "org.freedesktop.DBus.Error.ServiceUnknown" ||
                name == "org.freedesktop.DBus.Error.Disconnected") {
                fprintf(stderr, "%s %s %s: %s\n", qPrintable(message.path()),
                        qPrintable(message.interface()), qPrintable(message.member()),
                        qPrintable(name));
                return false;
            }
            ++(reply.type() == QDBusMessage::ErrorMessage ? refused : good);
        }
        printf("%d answered, %d refused\n", good, refused);
        return true;
    }

 private:
    struct Method {
        const char* interface;
        const char* name;
        std::function<QVariantList()> arguments;
    };

    unsigned below(unsigned end) { return std::uniform_int_distribution(0u, end - 1)(random_); }
    // True once in `times`.
    bool one(unsigned times) { return below(times) == 0; }
    template <class T>
    T oneOf(std::initializer_list<T> list) {
        return *(list.begin() + below(static_cast<unsigned>(list.size())));
    }

    QString anyPath() {
        const QString job = QStringLiteral("/jobs/%1").arg(1 + below(20));
        return QLatin1String(bus::kRootPath) +
               oneOf<QString>({"", "/devices/d1", "/devices/d1", "/devices/d1", "/gadgets/g1",
                               "/gadgets/g1", "/gadgets/g1", job, job, "/devices", "/devices/d9",
                               "/gadgets/no/such"});
    }

    QVariant anyValue() {
        QDBusUnixFileDescriptor file;
        file.giveFileDescriptor(::open(oneOf({"/dev/null", "/etc/passwd", "/tmp"}), O_RDONLY));
        return oneOf<QVariant>({
            true,
            0u,
            -1,
            ~0ull,
            1e300,
            QString(),
            QString("disk"),
            QString(5000, u'x'),
            QByteArray("\0\xff", 2),
            QStringList{"a", ""},
            QVariant::fromValue(QDBusObjectPath("/")),
            QVariant::fromValue(QDBusVariant(QVariantMap{{"deep", QStringList{"er"}}})),
            QVariant::fromValue(file),
            anyOptions(),
        });
    }

    QVariantMap anyOptions() {
        QVariantMap options;
        while (one(2))
            options.insert(oneOf<QString>({"force", "accept-loss", "label", "read-only",
                                           "block-size", "auth.no_user_interaction", "other", ""}),
                           oneOf<QVariant>({true, false, 1u, 4096u, QString("x"), QVariantMap()}));
        return options;
    }

    QVariantMap options() {
        return one(3) ? anyOptions() : QVariantMap{{"auth.no_user_interaction", true}};
    }

    QVariantList wrongArguments() {
        QVariantList arguments;
        while (!one(3))
            arguments.append(anyValue());
        return arguments;
    }

    QDBusMessage anyCall() {
        const auto file = [this] {
            QDBusUnixFileDescriptor descriptor;
            descriptor.giveFileDescriptor(
                ::open(oneOf({"/etc/passwd", "/dev/null", "/tmp", "/proc/self/exe"}),
                       oneOf({O_RDONLY, O_RDONLY, O_PATH})));
            return QVariant::fromValue(descriptor);
        };
        const auto text = [this](std::initializer_list<QString> list) { return oneOf(list); };
        const std::vector<Method> methods = {
            {bus::kManagerInterface, "ListEvents",
             [&] {
                 return QVariantList{qulonglong{below(3)}, below(3), options()};
             }},
            {bus::kGadgetInterface, "Attach",
             [&] {
                 return QVariantList{text({"disk", "music", "", "all"}), options()};
             }},
            {bus::kGadgetInterface, "Lend",
             [&] {
                 return QVariantList{file(), options()};
             }},
            {bus::kGadgetInterface, "LendPath",
             [&] {
                 return QVariantList{text({"/etc/passwd", "x", "", "/"}), options()};
             }},
            {bus::kGadgetInterface, "SetAuto",
             [&] {
                 return QVariantList{one(2), options()};
             }},
            {bus::kGadgetInterface, "Forget", [&] { return QVariantList{options()}; }},
            {bus::kDeviceInterface, "Recover", [&] { return QVariantList{options()}; }},
            {bus::kDeviceInterface, "Stop", [&] { return QVariantList{options()}; }},
            {bus::kDeviceInterface, "SetPolicy",
             [&] {
                 return QVariantList{text({"wait", "wait-limited", "fail-fast", "never"}), below(4),
                                     options()};
             }},
            {bus::kDeviceInterface, "Rescan", [&] { return QVariantList{options()}; }},
            {bus::kDeviceInterface, "ListInFlight", [&] { return QVariantList{options()}; }},
            {bus::kJobInterface, "Cancel", [&] { return QVariantList{options()}; }},
            {"org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
             [] { return QVariantList(); }},
            {"org.freedesktop.DBus.Introspectable", "Introspect", [] { return QVariantList(); }},
            {"org.freedesktop.DBus.Properties", "GetAll",
             [&] {
                 return QVariantList{text({bus::kDeviceInterface, bus::kGadgetInterface,
                                           bus::kManagerInterface, "", "org.example"})};
             }},
            {"org.freedesktop.DBus.Properties", "Get",
             [&] {
                 return QVariantList{text({bus::kDeviceInterface, bus::kJobInterface, ""}),
                                     text({"State", "Holders", "Nothing", ""})};
             }},
            {"org.freedesktop.DBus.Properties", "Set",
             [&] {
                 return QVariantList{text({bus::kDeviceInterface, bus::kGadgetInterface, ""}),
                                     text({"Policy", "AutoAttach", "Nothing", ""}),
                                     QVariant::fromValue(QDBusVariant(anyValue()))};
             }},
            {"org.freedesktop.DBus.Peer", "Ping", [] { return QVariantList(); }},
        };
        const Method& method = methods[below(static_cast<unsigned>(methods.size()))];
        const Method& other = methods[below(static_cast<unsigned>(methods.size()))];
        auto message = QDBusMessage::createMethodCall(
            bus::kService, anyPath(), one(10) ? other.interface : method.interface, method.name);
        message.setArguments(one(3) ? wrongArguments() : method.arguments());
        return message;
    }

    std::mt19937 random_;
    QDBusConnection bus_;
};

}  // namespace

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    if (argc != 3)
        return 2;
    return Caller(static_cast<unsigned>(atoi(argv[1]))).run(atoi(argv[2])) ? 0 : 1;
}
