#include "tests/vm/scenario/scenario.h"

#include <QFile>
#include <QTest>

using namespace scenario;

// What comes back is not what went away: the device needs attention, nothing is sent to the
// stranger, and the right disk, or Stop, ends it.
class TestIdentity : public QObject {
    Q_OBJECT

 private slots:
    void otherContent_data() { inBothDirections(); }
    void otherContent();
    void changedInPlace_data() { inBothDirections(); }
    void changedInPlace();
    void otherSize_data() { inBothDirections(); }
    void otherSize();
    void readOnlyNow_data() { inBothDirections(); }
    void readOnlyNow();
    void otherBlockSize_data() { inBothDirections(); }
    void otherBlockSize();
    void otherPeerOfThatName_data() { inBothDirections(); }
    void otherPeerOfThatName();
};

namespace {

// The end with the bytes, with `path` as what it offers under the name of the disk.
QStringList optionsFor(const Rig& rig, const QString& path, const QStringList& more = {}) {
    if (rig.direction() == Direction::Attach)
        return QStringList{"--name",      "belay0",  "--serial", "G0",      "--udc",
                           "dummy_udc.0", "--share", path,       "--label", "disk"} +
               more;
    return QStringList{"--gadget", "G0", "--lend", path, "--label", "disk"} + more;
}

// One stranger, and how the right disk is brought back.
struct Change {
    QString store;                    // where the stranger's bytes are
    std::function<void()> replace;    // makes the stranger, while nothing is offered
    std::function<void()> offer;      // starts the end that offers it
    std::function<void()> withdraw;   // ends it
    std::function<void()> bringBack;  // makes the right disk again, and offers it
};

QByteArray sumOf(const QString& store) {
    return mustRun({"sha256sum", store}).left(64);
}

void fill(const Disk& disk) {
    mustRun({"dd", "if=/dev/urandom", "of=" + disk.node(), "bs=1M", "count=2", "oflag=direct",
             "conv=fsync"});
}

std::unique_ptr<Program> startWriting(Rig& rig, const Disk& disk) {
    return rig.startProgram({"dd", "if=/dev/urandom", "of=" + disk.node(), "bs=64k", "count=8",
                             "oflag=direct", "conv=fsync"});
}

bool saysDifferentDisk(Rig& rig) {
    const auto status = rig.initiator().status();
    if (!status || status->at("devices").size() != 1)
        return false;
    const auto& device = status->at("devices")[0];
    return device.at("state") == "needs-attention" &&
           device.at("problems") == nlohmann::json::array({"different-disk"});
}

void waitForDifferentDisk(Rig& rig) {
    const auto said = [&] { return saysDifferentDisk(rig); };
    if (waitUntil(said, kPatience, 20ms))
        return;
    const auto status = rig.initiator().status();
    throw Failure("no different disk, but " +
                  (status ? QString::fromStdString(status->dump()) : QString("silence")));
}

// The stranger is there, and somebody writes.
std::unique_ptr<Program> meetStranger(Rig& rig, Disk& disk, const Change& change) {
    change.replace();
    const QByteArray before = sumOf(change.store);
    auto writer = startWriting(rig, disk);
    rig.note("offer the stranger");
    change.offer();
    waitForDifferentDisk(rig);
    rig.wait(300ms);
    require(writer->running(), "the writer did not wait:\n" + writer->output());

    // Recover tries once more, and finds the same.
    const Outcome outcome = rig.initiator().command({"recover", disk.name()});
    require(outcome.status == 0, "recover was refused: " + outcome.output);
    rig.wait(300ms);
    waitForDifferentDisk(rig);
    require(writer->running(), "the writer did not wait:\n" + writer->output());
    require(sumOf(change.store) == before, "something was sent to the stranger");
    return writer;
}

// Stop ends it as well, and leaves the stranger alone.
void stop(Rig& rig, const Disk& disk, const Change& change, Program& writer) {
    const QByteArray before = sumOf(change.store);
    const Outcome stopped = rig.initiator().command({"stop", disk.name(), "--force"});
    require(stopped.status == 0, "stop was refused: " + stopped.output);
    require(stopped.ms < 5000, QString("stop took %1 ms").arg(stopped.ms));
    require(!disk.exists(), "the device stays");
    require(writer.finish(5s) != 0, "the writer got no error");
    require(sumOf(change.store) == before, "something was sent to the stranger");
    change.withdraw();
}

void playChange(Rig& rig, Disk& disk, const Change& change) {
    fill(disk);
    rig.target().end();
    auto writer = meetStranger(rig, disk, change);
    change.withdraw();
    rig.note("bring the right disk back");
    change.bringBack();
    rig.waitForState(disk, "live");
    writer->succeed(20s);
    rig.compare();

    rig.target().end();
    writer = meetStranger(rig, disk, change);
    stop(rig, disk, change, *writer);
}

// The same bytes behind the same loop device, which is set up in another way for the stranger.
void playOverLoop(const QStringList& right, const QStringList& stranger) {
    play([&](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        const QString loop =
            mustRun(QStringList{"losetup", "-f", "--show"} + right + QStringList{disk.store()})
                .trimmed();
        const auto setUp = [&](const QStringList& options) {
            mustRun({"losetup", "-d", loop});
            mustRun(QStringList{"losetup"} + options + QStringList{loop, disk.store()});
        };
        const auto start = [&] { rig.target().start(optionsFor(rig, loop)); };
        if (rig.direction() == Direction::Lend)
            rig.startGadget();
        else
            rig.startHost();
        start();
        rig.waitForAllLive();
        playChange(rig, disk,
                   {.store = disk.store(),
                    .replace = [&] { setUp(stranger); },
                    .offer = start,
                    .withdraw = [&] { rig.target().end(); },
                    .bringBack =
                        [&] {
                            setUp(right);
                            start();
                        }});
        mustRun({"losetup", "-d", loop});
    });
}

}  // namespace

// The same name, size and place, but another file.
void TestIdentity::otherContent() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        const QString aside = disk.store() + ".aside";
        playChange(
            rig, disk,
            {.store = disk.store(),
             .replace =
                 [&] {
                     mustRun({"mv", disk.store(), aside});
                     mustRun({"dd", "if=/dev/urandom", "of=" + disk.store(), "bs=1M", "count=4"});
                 },
             .offer = [&] { rig.target().startAgain(); },
             .withdraw = [&] { rig.target().end(); },
             .bringBack =
                 [&] {
                     mustRun({"mv", "-f", aside, disk.store()});
                     rig.target().startAgain();
                 }});
    });
}

// The same file, to which somebody wrote while nobody offered it. There is no way back from that.
void TestIdentity::changedInPlace() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        fill(disk);
        rig.note("away and back, unchanged");
        rig.target().end();
        rig.target().startAgain();
        fill(disk);
        rig.compare();
        rig.note("what was written last is ours, however its writer ended");
        rig.target().killSupervisor();
        rig.target().startAgain();
        fill(disk);
        rig.compare();

        rig.target().end();
        const Change change{.store = disk.store(),
                            .replace = [&] { disk.change(); },
                            .offer = [&] { rig.target().startAgain(); },
                            .withdraw = [&] { rig.target().end(); },
                            .bringBack = {}};
        const auto writer = meetStranger(rig, disk, change);
        const auto status = rig.initiator().status();
        const auto why = status->at("devices")[0].value("explanation", std::string());
        require(why.find("was changed while it was away") != std::string::npos,
                "it says: " + QString::fromStdString(why));
        stop(rig, disk, change, *writer);
    });
}

void TestIdentity::otherSize() {
    playOverLoop({"--sizelimit", "4M"}, {"--sizelimit", "2M"});
}

void TestIdentity::readOnlyNow() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        playChange(
            rig, disk,
            {.store = disk.store(),
             .replace = [] {},
             .offer = [&] { rig.target().start(optionsFor(rig, disk.store(), {"--read-only"})); },
             .withdraw = [&] { rig.target().end(); },
             .bringBack = [&] { rig.target().start(optionsFor(rig, disk.store())); }});
    });
}

void TestIdentity::otherBlockSize() {
    playOverLoop({"-b", "512"}, {"-b", "4096"});
}

// Another gadget with the same serial number, or another host, with a disk of the same name.
void TestIdentity::otherPeerOfThatName() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        const Disk other("disk", "/run/belay-scenario/others/disk", 4);
        Daemon impostor("impostor",
                        rig.direction() == Direction::Attach ? BELAY_GADGET : BELAY_HOSTD,
                        "/run/belay-scenario/impostor", rig.folder() + "/impostor.log");
        rig.start();
        playChange(rig, disk,
                   {.store = other.store(),
                    .replace = [] {},
                    .offer = [&] { impostor.start(optionsFor(rig, other.store())); },
                    .withdraw =
                        [&] {
                            impostor.worker();
                            impostor.end();
                        },
                    .bringBack = [&] { rig.target().startAgain(); }});
    });
}

QTEST_GUILESS_MAIN(TestIdentity)
#include "tst_identity.moc"
