#include "tests/vm/service/service.h"

#include <QCoreApplication>
#include <QTest>

namespace service {

const BusClient user("daemon");
const BusClient nobody("bin");
const BusClient root("root");

pid_t belayd() {
    return run({"pidof", "belayd"}).output.trimmed().toInt();
}

Plugged::Plugged(Bench& bench, int mib)
    : bench_(bench),
      disk(bench.disk("disk", mib)),
      gadget(bench.gadget({"--share", disk.store(), "--label", "disk", "--lend-ready"})),
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
    require(waitUntil([] { return leftovers().isEmpty(); }, 5s),
            "left behind: " + leftovers().join(", "));
}

int runOnPrivateBus(int argc, char** argv, QObject& test) {
    moveToPrivateBus(argc, argv);
    QCoreApplication application(argc, argv);
    return QTest::qExec(&test, argc, argv);
}

}  // namespace service
