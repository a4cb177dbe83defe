#include "dbus/events.h"
#include "tests/vm/service/service.h"

#include <pwd.h>
#include <signal.h>

#include <QJsonArray>
#include <QJsonObject>
#include <QTest>
#include <algorithm>
#include <set>

using namespace service;
using namespace belay;

// What belayd tells of what happens to a real gadget: each kind of event, with each of its details.
class TestEvents : public QObject {
    Q_OBJECT

 private slots:
    void tellsEverything();
};

namespace {

struct Told {
    QString subject;
    events::Any what;
};

// All that belayd remembers.
std::vector<Told> told() {
    std::vector<Told> all;
    const QJsonArray events =
        user.mustCall(kRoot, kManager, "ListEvents", {"tua{sv}", "0", "0", "0"}).toArray();
    for (const QJsonValue& event : events) {
        const QString kind = event[1].toString();
        const QJsonObject details = event[4].toObject();
        std::set<QString> known;
        const auto what = events::eventFrom(kind.toStdString(), [&](std::string_view name) {
            const QString key = QString::fromStdString(std::string(name));
            known.insert(key);
            return details[key]["data"].toString().toStdString();
        });
        require(what.has_value(), "an event of the kind " + kind + " is not documented");
        require(!event[3].toString().isEmpty(), "an event of the kind " + kind + " has no text");
        for (const QString& name : details.keys())
            require(known.contains(name), kind + " has the undocumented detail " + name);
        all.push_back({event[2].toString(), *what});
    }
    return all;
}

template <class Event>
std::vector<Event> only(const std::vector<Told>& all, const QString& subject) {
    std::vector<Event> found;
    for (const Told& each : all)
        if (const auto* const event = std::get_if<Event>(&each.what);
            event != nullptr && each.subject == subject)
            found.push_back(*event);
    return found;
}

void requireTold(const std::vector<Told>& all, const QString& subject, const events::Any& what) {
    require(
        std::any_of(all.begin(), all.end(),
                    [&](const Told& each) { return each.subject == subject && each.what == what; }),
        QString("no event of the kind %1 with the right details about %2")
            .arg(QString::fromStdString(std::string(events::kindOf(what))), subject));
}

// Each state begins where the one before ended, and the last one is the present one.
void requireChain(const std::vector<Told>& all, const QString& device, const QString& state) {
    std::string last;
    for (const auto& change : only<events::StateChanged>(all, device)) {
        require(change.from == last,
                QString::fromStdString("after \"" + last + "\" came from \"" + change.from + "\""));
        last = change.to;
    }
    require(last == state.toStdString(), "the last state told is " + QString::fromStdString(last));
}

std::string numberOf(const char* name) {
    return std::to_string(::getpwnam(name)->pw_uid);
}

// The kinds and details that are documented and were never seen.
QStringList missing(const std::vector<Told>& all) {
    QStringList never;
    events::forEachKind([&](const auto& kind) {
        for (const auto& detail : kind.kDetails) {
            const bool seen = std::any_of(all.begin(), all.end(), [&](const Told& each) {
                return events::kindOf(each.what) == kind.kKind &&
                       events::detailsOf(each.what).contains(std::string(detail.name));
            });
            if (!seen)
                never += QString::fromStdString(std::string(kind.kKind) + ' ' +
                                                std::string(detail.name));
        }
    });
    return never;
}

void killWorker(const QString& device) {
    const int before = user.get(device, kDevice, "Recoveries").toInt();
    ::kill(user.get(device, kDevice, "DaemonPid").toInt(), SIGKILL);
    require(waitUntil([&] { return user.get(device, kDevice, "Recoveries").toInt() > before; },
                      kPatience, 100ms),
            "nobody took the device over");
    user.waitForState(device, "live");
}

}  // namespace

void TestEvents::tellsEverything() {
    guarded([](Bench& bench) {
        Plugged plugged(bench);
        const QString port = user.get(plugged.path, kGadget, "Port").toString();
        const QString device = plugged.attach();
        user.mustCall(device, kDevice, "SetPolicy", {"sua{sv}", "wait-limited", "60", "0"});
        Disk lent = bench.disk("lent", 8);
        const QString lentDevice =
            root.mustCall(plugged.path, kGadget, "LendPath",
                          {"sa{sv}", lent.store(), "3", "label", "s", "lent", "read-only", "b",
                           "true", "block-size", "u", "512"})
                .toString();
        waitForLive(*plugged.gadget, "lent");
        killWorker(device);
        killWorker(lentDevice);
        user.waitForState(lentDevice, "live");
        plugged.cable.pull();
        user.waitForState(device, "waiting");
        plugged.cable.plugIn();
        user.waitForState(device, "live");
        user.waitForState(lentDevice, "live");

        std::vector<Told> all = told();
        requireChain(all, device, "live");
        requireChain(all, lentDevice, "live");
        requireTold(all, plugged.path,
                    events::Asked{.action = "attach", .user = numberOf("daemon"), .share = "disk"});
        requireTold(all, plugged.path,
                    events::Asked{.action = "lend",
                                  .user = "0",
                                  .file = lent.store().toStdString(),
                                  .readOnly = "true",
                                  .blockSize = "512"});
        requireTold(all, device,
                    events::Asked{.action = "set-policy",
                                  .user = numberOf("daemon"),
                                  .policy = "wait-limited",
                                  .seconds = "60"});
        for (const QString& each : {device, lentDevice})
            requireTold(all, each, events::TakenOver{"1"});
        for (const char* change : {"plugged-in", "unplugged"})
            requireTold(all, plugged.path, events::GadgetSeen{change, port.toStdString()});
        const auto ended = only<events::WorkerEnded>(all, plugged.path);
        require(ended.size() == 2 && ended[0].how.find("signal 9") != std::string::npos,
                "it is not told how the worker ended");

        // A file that is lent always is away when belayd begins.
        const pid_t workers[] = {user.get(device, kDevice, "DaemonPid").toInt(),
                                 user.get(lentDevice, kDevice, "DaemonPid").toInt()};
        killBelayd();
        for (const pid_t process : workers)
            ::kill(process, SIGKILL);
        require(QFile::rename(lent.store(), lent.store() + ".away"), "the file cannot be renamed");
        require(user.gadget() == plugged.path, "the gadget has another path");
        user.waitForState(device, "live");
        // The disk is changed while nobody offers it.
        plugged.gadget->end();
        user.waitForState(device, "waiting");
        mustRun({"touch", plugged.disk.store()});
        plugged.gadget =
            bench.gadget({"--share", plugged.disk.store(), "--label", "disk", "--lend-ready"});
        user.waitForState(device, "needs-attention");
        const std::vector<Told> later = told();
        requireChain(later, device, "needs-attention");
        const auto lost = only<events::ProblemFound>(later, plugged.path);
        require(lost.size() == 1 && lost[0].problem == "cannot-lend" &&
                    lost[0].file == lent.store().toStdString() && !lost[0].why.empty(),
                "it is not told that the file cannot be lent");
        const auto different = only<events::ProblemFound>(later, device);
        require(different.size() == 1 && different[0].problem == "different-disk",
                "it is not told that the disk is another one");

        all.insert(all.end(), later.begin(), later.end());
        require(missing(all).isEmpty(), "never told: " + missing(all).join(", "));
        require(root.run(device, "Stop", {"a{sv}", "1", "force", "b", "true"}) == "succeeded",
                "it does not stop");
        requireTold(told(), device, events::Asked{.action = "force-stop", .user = "0"});
        requireChain(told(), device, "gone");
        plugged.end();
    });
}

int main(int argc, char** argv) {
    TestEvents test;
    return runOnPrivateBus(argc, argv, test);
}

#include "tst_events.moc"
