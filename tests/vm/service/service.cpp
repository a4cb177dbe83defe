#include "tests/vm/service/service.h"

#include <signal.h>

#include <QCoreApplication>
#include <QTest>

namespace service {
namespace {

const QString kBus = "org.freedesktop.DBus";

bool belaydIsOnTheBus() {
    const Outcome outcome =
        scenario::run({"busctl", "--system", "call", kBus, "/org/freedesktop/DBus", kBus,
                       "NameHasOwner", "s", "org.belay.Helper1"});
    return outcome.output.contains("true");
}

}  // namespace

const BusClient user("daemon");
const BusClient nobody("bin");
const BusClient root("root");

pid_t belayd() {
    return run({"pidof", "belayd"}).output.trimmed().toInt();
}

void killBelayd() {
    if (const pid_t old = belayd(); old > 0)
        ::kill(old, SIGKILL);
    require(waitUntil([] { return belayd() == 0 && !belaydIsOnTheBus(); }), "belayd does not die");
}

std::unique_ptr<Program> startBelayd(Bench& bench, const QStringList& settings) {
    killBelayd();
    QStringList command = QStringList("env") + settings;
    const QByteArray file = readFile("/run/belay-test/services/org.belay.Helper1.service");
    for (const QByteArray& line : file.split('\n'))
        if (line.startsWith("Exec="))
            command += QString::fromUtf8(line.mid(5)).split(' ');
    auto program = bench.start(command, "belayd");
    await(belaydIsOnTheBus, [&] { return "belayd does not start:\n" + program->output(); });
    return program;
}

Plugged::Plugged(Bench& bench, int mib, const QStringList& settings)
    : bench_(bench),
      disk(bench.disk("disk", mib)),
      gadget(bench.gadget({"--share", disk.store(), "--label", "disk", "--lend-ready"}, "gadget",
                          settings)),
      path(user.gadget()),
      cable(0, "gadget") {}

QString Plugged::attach() {
    const QString device = user.attach(path, "disk");
    disk.appearedAs(user.get(device, kDevice, "Node").toString());
    return device;
}

std::unique_ptr<Program> Plugged::fio(const QString& node, int mib) {
    return bench_.start(
        {"fio", "--name=verify", "--filename=" + node, "--direct=1", "--ioengine=libaio",
         "--rw=randwrite", "--bsrange=4k-256k", "--iodepth=16", QString("--size=%1M").arg(mib),
         "--verify=crc32c", "--do_verify=1", "--verify_fatal=1"},
        "fio");
}

void Plugged::end() {
    for (const QString& device : user.objects("/devices/")) {
        const QString result = user.run(device, "Stop");
        require(result == "succeeded", device + " does not stop: " + result);
    }
    stopAll(*gadget);
    gadget->end();
    // Else the next gadget's test would ask about this one.
    require(waitUntil([this] { return !user.get(path, kGadget, "Present").toBool(); }),
            "belayd does not see that the gadget is gone");
    require(waitUntil([] { return leftovers().isEmpty(); }, 5s),
            "left behind: " + leftovers().join(", "));
}

int runOnPrivateBus(int argc, char** argv, QObject& test) {
    moveToPrivateBus(argc, argv);
    QCoreApplication application(argc, argv);
    return QTest::qExec(&test, argc, argv);
}

}  // namespace service
