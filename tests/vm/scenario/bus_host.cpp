#include "tests/vm/scenario/bus_host.h"

#include "tests/vm/scenario/machine.h"

#include <signal.h>

#include <QDir>
#include <QJsonArray>

namespace scenario {
namespace {

// As the gadgets' descriptors have it.
const QString kTriple = QStringLiteral("1d6b_0104_");

// Whom the bus's rules let do everything.
const BusClient kUser("daemon");

}  // namespace

BusHost::BusHost(const QString& serial, const QString& log)
    : Daemon("host", QString(), "/run/belay/" + kTriple + serial, log),
      gadget_(kRoot + "/gadgets/" + kTriple + serial),
      script_("host's script", log) {}

BusHost::~BusHost() {
    BusHost::forceEnd();
}

void BusHost::start(const QStringList& options) {
    QString script;
    const auto untilDone = [&](const QStringList& words) {
        const QStringList all =
            kUser.command(QStringList{"call", kService, gadget_, kGadget} + words);
        script += "until " + all.join(' ') + "; do sleep 0.1; done\n";
    };
    for (QStringList left = options; !left.isEmpty();) {
        const QString option = left.takeFirst();
        require(!left.isEmpty(), option + " needs a value");
        const QString value = left.takeFirst();
        if (option == "--attach") {
            untilDone({"Attach", "sa{sv}", value, "0"});
        } else if (option == "--lend") {
            require(left.size() >= 2 && left.takeFirst() == "--label", value + " has no label");
            untilDone({"LendPath", "sa{sv}", value, "1", "label", "s", left.takeFirst()});
        } else {
            require(option == "--gadget" && gadget_.endsWith('_' + value),
                    "belayd is not asked for " + option + ' ' + value);
        }
    }
    script_.start("bash", {"-c", script});
}

void BusHost::startAgain() {
    // The bus may still take the dead one for the owner of its name, and starts none.
    const auto calledUp = [&] { return status().has_value() && running(); };
    require(waitUntil(calledUp, kPatience, 50ms), "belayd does not start");
}

void BusHost::end(Milliseconds limit) {
    script_.succeed(limit);
    for (const auto& [label, path] : devices()) {
        const QString result = kUser.run(path, "Stop");
        require(result == "succeeded", label + " does not stop: " + result);
    }
    require(devices().empty(), "belayd has devices that were stopped");
}

void BusHost::forceEnd() {
    if (script_.running())
        script_.signal(SIGKILL);
    if (!running())
        return;
    try {
        for (const auto& [label, path] : devices())
            kUser.run(path, "Stop", {"a{sv}", "1", "force", "b", "true"});
    } catch (const Failure& failure) {
        qWarning("%s", failure.what());
    }
}

void BusHost::awaitPeerGone() const {
    const auto gone = [this] {
        const auto present = kUser.find(gadget_, kGadget, {"Present"});
        return !present || !present->front().toBool();
    };
    require(!running() || waitUntil(gone, kPatience, 20ms),
            "belayd does not see that the gadget is gone");
}

void BusHost::killOnlySupervisor() {
    const pid_t process = supervisor();
    require(process > 0, "belayd does not run");
    ::kill(process, SIGKILL);
    require(waitUntil([=] { return isDead(process); }, kPatience, 1ms), "belayd does not die");
}

void BusHost::killSupervisor() {
    const pid_t process = worker();
    killOnlySupervisor();
    ::kill(process, SIGKILL);
    require(waitUntil([=] { return isDead(process); }, kPatience, 1ms), "the worker does not die");
}

pid_t BusHost::worker() {
    // To ask takes seconds under a load that has the processor to itself: only for a new one.
    if (worker_ != 0 && !isDead(worker_))
        return worker_;
    const auto known = [&] {
        for (const auto& [label, path] : paths_.empty() ? devices() : paths_)
            if (const auto device = look(path))
                worker_ = device->at("worker");
        return worker_ != 0 && !isDead(worker_);
    };
    require(waitUntil(known, kPatience, 50ms), "belayd has no worker");
    return worker_;
}

pid_t BusHost::supervisor() const {
    for (const QString& process : QDir("/proc").entryList({"[0-9]*"}, QDir::Dirs))
        if (readFile("/proc/" + process + "/comm") == "belayd" && !isDead(process.toInt()))
            return process.toInt();
    return 0;
}

std::optional<nlohmann::json> BusHost::status() const {
    nlohmann::json said = {{"devices", nlohmann::json::array()}};
    for (const auto& [label, path] : devices())
        if (const auto device = look(path))
            said["devices"].push_back(*device);
    return said;
}

std::optional<nlohmann::json> BusHost::device(const QString& label) const {
    if (!paths_.contains(label))
        devices();
    return paths_.contains(label) ? look(paths_[label]) : std::nullopt;
}

Outcome BusHost::command(const QStringList& words, Milliseconds limit) const {
    require(words.value(0) == "stop" || words.value(0) == "rescan",
            "belayd has no command " + words.join(' '));
    require(waitUntil([&] { return device(words.value(1)).has_value(); }, limit, 50ms),
            "belayd has no device " + words.value(1));
    const QString path = paths_[words.value(1)];
    if (words.value(0) == "rescan")
        return kUser.call(path, kDevice, "Rescan", {"a{sv}", "0"});
    const QString result =
        kUser.run(path, "Stop",
                  words.contains("--force") ? QStringList{"a{sv}", "1", "force", "b", "true"}
                                            : QStringList{"a{sv}", "0"});
    if (result != "succeeded")
        return {1, result.toUtf8()};
    return {0, result.toUtf8(), msFromStopToEnd(path)};
}

std::map<QString, QString> BusHost::devices() const {
    std::map<QString, QString> found;
    for (const QString& path : kUser.objects("/devices/" + gadget_.section('/', -1) + '_'))
        if (const auto device = look(path))
            found[QString::fromStdString(device->at("label"))] = path;
    paths_.insert(found.begin(), found.end());
    return found;
}

std::optional<nlohmann::json> BusHost::look(const QString& path) {
    const auto values = kUser.find(path, kDevice, {"Label", "State", "Node", "DaemonPid"});
    if (!values)
        return std::nullopt;
    return nlohmann::json{{"label", (*values)[0].toString().toStdString()},
                          {"state", (*values)[1].toString().toStdString()},
                          {"node", (*values)[2].toString().toStdString()},
                          {"worker", (*values)[3].toInt()}};
}

qint64 BusHost::msFromStopToEnd(const QString& path) {
    const auto events =
        kUser.mustCall(kRoot, kManager, "ListEvents", {"tua{sv}", "0", "0", "0"}).toArray();
    double begun = 0;
    double gone = 0;
    for (const QJsonValue& value : events) {
        // time, kind, subject, text, details
        const QJsonArray event = value.toArray();
        if (event[2] != path)
            continue;
        if (event[1] == "action")
            begun = event[0].toDouble();
        else if (event[4]["to"]["data"] == "gone")
            gone = event[0].toDouble();
    }
    require(begun > 0 && gone >= begun, "belayd does not tell when " + path + " was stopped");
    return static_cast<qint64>((gone - begun) / 1000);
}

}  // namespace scenario
