#include "core/base/fd.h"
#include "tests/vm/scenario/scenario.h"
#include "tests/vm/scenario/stick.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <QDir>
#include <QFile>
#include <QTest>

using namespace scenario;

// Sticks and cards that the end with the bytes offers: which one is the same as before, whatever
// its place is called, and which is another one. To another one nothing is sent.
class TestMedia : public QObject {
    Q_OBJECT

 private slots:
    void otherStickInItsPlace_data() { inBothDirections(); }
    void otherStickInItsPlace();
    void otherStickThatNothingNames_data() { inBothDirections(); }
    void otherStickThatNothingNames();
    void otherCardInTheReader_data() { inBothDirections(); }
    void otherCardInTheReader();
    void otherOneWhenItsWorkerDies_data();
    void otherOneWhenItsWorkerDies();
    void knownByItsSerialNumber_data() { inBothDirections(); }
    void knownByItsSerialNumber();
    void repartitionedByItsUser_data() { inBothDirections(); }
    void repartitionedByItsUser();
    void changedWhileAway_data() { inBothDirections(); }
    void changedWhileAway();
    void imageOnACard_data();
    void imageOnACard();
    void pulledFromItsMachine_data() { inBothDirections(); }
    void pulledFromItsMachine();
    void pulledAndPutBackInUse_data() { inBothDirections(); }
    void pulledAndPutBackInUse();
    void renamedInUse_data() { inBothDirections(); }
    void renamedInUse();
    void lostBelowAFileSystem_data();
    void lostBelowAFileSystem();
};

namespace {

// What a stick's bytes are: a file, and what it offers them as.
class OnStick {
 public:
    OnStick(Rig& rig, Stick& stick) : rig_(rig), stick_(stick), disk_(rig.offer("disk", 4)) {}

    Disk& disk() { return disk_; }
    // Plugs it in and starts both ends.
    // `file`, `label`: another store to be offered.
    void start(const QString& file = {}, const QString& label = {}) {
        stick_.plugIn(disk_.store());
        if (!file.isEmpty())
            more_ = {file, "--label", label};
        // The gadget first: a host's worker that is just starting has all mounts for a moment.
        if (rig_.direction() == Direction::Lend)
            rig_.startGadget();
        rig_.target().start(options());
        if (rig_.direction() == Direction::Attach)
            rig_.startHost();
        rig_.waitForAllLive();
    }
    // Its machine loses power, but for its disk: all that is of this boot is gone.
    void powerOff() {
        rig_.target().killSupervisor();
        mustRun({"rm", "-rf", rig_.target().runDir() + "/worker"});
    }
    QStringList options() const {
        const bool attach = rig_.direction() == Direction::Attach;
        const QString offer = attach ? "--share" : "--lend";
        QStringList options{offer, stick_.node(), "--label", "disk"};
        if (!more_.isEmpty())
            options += QStringList{offer} + more_;
        if (attach)
            return options +
                   QStringList{"--name", "belay0", "--serial", "G0", "--udc", "dummy_udc.0"};
        return options + QStringList{"--gadget", "G0"};
    }

 private:
    Rig& rig_;
    Stick& stick_;
    Disk& disk_;
    QStringList more_;
};

void nameIt(const QString& image, const QString& id) {
    mustRun({"sh", "-c",
             QString("printf 'label: dos\\nlabel-id: %1\\nstart=4096\\n' | "
                     "sfdisk -q --no-reread --no-tell-kernel --wipe never %2")
                 .arg(id, image)});
}

// Answered, and perhaps not in the store yet.
void write(const Disk& disk, const QStringList& options = {}) {
    mustRun(QStringList{"dd", "if=/dev/urandom", "of=" + disk.node(), "bs=256k", "seek=8",
                        "count=4", "oflag=direct"} +
            options);
}

void waitForProblem(Rig& rig, const char* problem) {
    std::optional<nlohmann::json> status;
    const auto said = [&] {
        status = rig.initiator().status();
        return status && status->at("devices").size() == 1 &&
               status->at("devices")[0].value("problems", nlohmann::json::array()) ==
                   nlohmann::json::array({problem});
    };
    const bool happened = waitUntil(said, kPatience, 20ms);
    require(happened,
            QString("no %1, but %2")
                .arg(problem, status ? QString::fromStdString(status->dump()) : "silence"));
}

// It is offered in place of the right one, and nobody writes to it.
void meetStranger(Rig& rig, const QString& image) {
    const QByteArray before = mustRun({"sha256sum", image});
    rig.note("offer the stranger");
    rig.target().startAgain();
    waitForProblem(rig, "different-disk");
    rig.wait(300ms);
    mustRun({"sync"});
    require(mustRun({"sha256sum", image}) == before, "something was sent to the stranger");
}

// It goes on, and what was written is there.
void goesOn(Rig& rig, Disk& disk) {
    rig.waitForState(disk, "live");
    write(disk, {"conv=fsync"});
    mustRun({"sync"});
    rig.compare();
}

// As ext4 does when it meets an error that it cannot mend: _IOR('X', 125, __u32) and
// EXT4_GOING_FLAGS_NOLOGFLUSH of Linux' fs/ext4/ext4.h.
void shutDown(const QString& folder) {
    const belay::Fd mounted(::open(qPrintable(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::uint32_t how = 2;
    require(mounted && ::ioctl(mounted.get(), _IOR('X', 125, std::uint32_t), &how) == 0,
            "the file system does not shut down");
}

// A row in each direction for each of the two: "yes.attach", "no.attach", and so on.
void eitherWay(const char* column, const char* yes, const char* no) {
    QTest::addColumn<bool>("lend");
    QTest::addColumn<bool>(column);
    for (const bool lend : {false, true})
        for (const bool is : {true, false})
            if (hasTurn(lend ? 1 : 0))
                QTest::addRow("%s.%s", is ? yes : no, lend ? "lend" : "attach") << lend << is;
}

void stop(Rig& rig, const Disk& disk) {
    const Outcome stopped = rig.initiator().command({"stop", disk.name(), "--force"});
    require(stopped.status == 0, "stop was refused: " + stopped.output);
}

}  // namespace

// Two sticks as they are sold: of one size, and without a serial number.
void TestMedia::otherStickInItsPlace() {
    play([](Rig& rig) {
        Stick stick;
        OnStick on(rig, stick);
        const Disk other("other", rig.storeFolder() + "/other", 4);
        nameIt(on.disk().store(), "0x11111111");
        nameIt(other.store(), "0x22222222");
        on.start();
        write(on.disk());
        on.powerOff();
        stick.pull();
        stick.plugIn(other.store());
        meetStranger(rig, other.store());
        rig.note("bring the right one back");
        rig.target().end();
        stick.pull();
        stick.plugIn(on.disk().store());
        rig.target().startAgain();
        goesOn(rig, on.disk());
        rig.end();
    });
}

// Not even a partition table: with the boot, or pulled, what is known of it is gone.
void TestMedia::otherStickThatNothingNames() {
    play([](Rig& rig) {
        Stick stick;
        OnStick on(rig, stick);
        const Disk other("other", rig.storeFolder() + "/other", 4);
        on.start();
        write(on.disk());
        rig.note("its supervisor dies, and the stick stays");
        rig.target().killSupervisor();
        rig.target().startAgain();
        goesOn(rig, on.disk());
        on.powerOff();
        stick.pull();
        stick.plugIn(other.store());
        meetStranger(rig, other.store());
        stop(rig, on.disk());
        rig.end();
    });
}

// The serial number is the reader's.
void TestMedia::otherCardInTheReader() {
    play([](Rig& rig) {
        Stick reader("READER1");
        OnStick on(rig, reader);
        const Disk other("other", rig.storeFolder() + "/other", 4);
        nameIt(on.disk().store(), "0x11111111");
        nameIt(other.store(), "0x22222222");
        on.start();
        write(on.disk());
        on.powerOff();
        reader.changeCard(other.store());
        meetStranger(rig, other.store());
        rig.target().end();
        reader.changeCard(on.disk().store());
        rig.target().startAgain();
        goesOn(rig, on.disk());
        rig.end();
    });
}

void TestMedia::otherOneWhenItsWorkerDies_data() {
    eitherWay("card", "card", "file");
}

// Its supervisor goes on, and opens for the next worker what has the name by then.
void TestMedia::otherOneWhenItsWorkerDies() {
    QFETCH(bool, card);
    play([&](Rig& rig) {
        Stick reader("READER1");
        OnStick on(rig, reader);
        const QString aside = on.disk().store() + ".aside";
        const Disk other("other", rig.storeFolder() + "/other", 4);
        nameIt(on.disk().store(), "0x11111111");
        nameIt(other.store(), "0x22222222");
        if (card)
            on.start();
        else
            rig.start();
        write(on.disk(), {"conv=fsync"});
        QString stranger = other.store();
        if (card) {
            reader.changeCard(stranger);
        } else {
            mustRun({"mv", on.disk().store(), aside});
            mustRun({"mv", stranger, on.disk().store()});
            stranger = on.disk().store();
        }
        const QByteArray before = mustRun({"sha256sum", stranger});
        rig.target().killWorker();
        const auto writer = rig.startProgram({"dd", "if=/dev/urandom", "of=" + on.disk().node(),
                                              "bs=64k", "count=8", "oflag=direct"});
        waitForProblem(rig, "different-disk");
        rig.wait(300ms);
        require(mustRun({"sha256sum", stranger}) == before, "something was sent to the stranger");
        stop(rig, on.disk());
        writer->finish(5s);
        rig.end();
    });
}

void TestMedia::knownByItsSerialNumber() {
    play([](Rig& rig) {
        {
            Stick stick("STICK1");
            OnStick on(rig, stick);
            on.start();
            write(on.disk(), {"conv=fsync"});
            rig.target().end();
            stick.pull();
            stick.plugIn(on.disk().store());
            rig.target().startAgain();
            goesOn(rig, on.disk());
            rig.target().end();
        }
        rig.note("another one, with the same bytes");
        Stick stick("STICK2");
        stick.plugIn(rig.disk().store());
        meetStranger(rig, rig.disk().store());
        stop(rig, rig.disk());
        rig.end();
    });
}

// What names it is written anew, and it stays the same disk: whatever dies while it is plugged in,
// and after a proper end also over a pull.
void TestMedia::repartitionedByItsUser() {
    play([](Rig& rig) {
        Stick stick;
        OnStick on(rig, stick);
        nameIt(on.disk().store(), "0x11111111");
        on.start();
        nameIt(on.disk().node(), "0x33333333");
        mustRun({"blockdev", "--flushbufs", on.disk().node()});
        rig.target().killSupervisor();
        rig.target().startAgain();
        goesOn(rig, on.disk());
        rig.target().end();
        stick.pull();
        stick.plugIn(on.disk().store());
        rig.target().startAgain();
        goesOn(rig, on.disk());
        rig.end();
    });
}

// Somebody used the stick elsewhere.
void TestMedia::changedWhileAway() {
    play([](Rig& rig) {
        Stick stick("STICK1");
        OnStick on(rig, stick);
        mustRun({"mkfs.ext4", "-q", on.disk().store()});
        on.start();
        write(on.disk());
        rig.target().end();
        stick.pull();
        const QString folder = "/run/belay-elsewhere";
        QDir().mkpath(folder);
        mustRun({"mount", "-o", "loop", on.disk().store(), folder});
        mustRun({"umount", folder});
        stick.plugIn(on.disk().store());
        meetStranger(rig, on.disk().store());
        stop(rig, on.disk());
        rig.end();
    });
}

void TestMedia::imageOnACard_data() {
    QTest::addColumn<bool>("lend");
    QTest::addColumn<QString>("fileSystem");
    for (const bool lend : {false, true}) {
        if (!hasTurn(lend ? 1 : 0))
            continue;
        for (const char* fileSystem : {"vfat", "exfat", "ext4"})
            QTest::newRow(qPrintable(QString("%1.%2").arg(fileSystem, lend ? "lend" : "attach")))
                << lend << fileSystem;
    }
}

// A file is the same one after its card was unmounted and mounted again, on file systems too that
// have no numbers for files.
void TestMedia::imageOnACard() {
    QFETCH(QString, fileSystem);
    play([&](Rig& rig) {
        const QString card = "/run/belay-card.img";
        const QString folder = rig.storeFolder();
        const auto mount = [&] {
            mustRun({"mount", "-t", fileSystem, "-o", "loop", card, folder});
            // Numbers that are made up: not those of the last time.
            mustRun({"touch", folder + "/another"});
        };
        const auto unmount = [&] {
            require(waitUntil(
                        [&] {
                            return run({"umount", folder}).status == 0;
                        },
                        10s, 50ms),
                    "the card stays in use");
        };
        QDir().mkpath(folder);
        QFile::remove(card);
        mustRun({"truncate", "-s", "32M", card});
        mustRun({"mkfs." + fileSystem, card});
        mount();
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        for (const bool orderly : {true, false}) {
            write(disk, {"conv=fsync"});
            rig.note(orderly ? "end, and mount again" : "kill, and mount again");
            if (orderly)
                rig.target().end();
            else
                rig.target().killSupervisor();
            unmount();
            mount();
            rig.target().startAgain();
            goesOn(rig, disk);
        }
        rig.target().end();
        mustRun({"cp", disk.store(), folder + "/copy"});
        QTest::qWait(20);  // what a time stamp of exFAT can tell apart
        mustRun({"mv", folder + "/copy", disk.store()});
        meetStranger(rig, disk.store());
        stop(rig, disk);
        rig.end();
        unmount();
    });
}

// What its machine had taken and not written to the stick goes with the stick's page cache; and the
// program that knew of it ends.
void TestMedia::pulledFromItsMachine() {
    play([](Rig& rig) {
        Stick stick("STICK1");
        OnStick on(rig, stick);
        on.start();
        for (const bool orderly : {true, false}) {
            write(on.disk());
            const QByteArray wanted = on.disk().sha256OfDevice();
            rig.note("pull the stick");
            stick.pull();
            require(on.disk().sha256OfStore() != wanted, "there was nothing to lose");
            if (orderly)
                rig.target().end();
            else
                rig.target().killSupervisor();
            stick.plugIn(on.disk().store());
            rig.target().startAgain();
            rig.waitForState(on.disk(), "live");
            mustRun({"blockdev", "--flushbufs", on.disk().node()});
            mustRun({"sync", on.disk().node()});
            require(on.disk().sha256OfStore() == wanted, "what was written is gone");
        }
        rig.end();
    });
}

// While it is offered, and with another store beside it, which goes on all the time.
void TestMedia::pulledAndPutBackInUse() {
    play([](Rig& rig) {
        Stick stick("STICK1");
        OnStick on(rig, stick);
        Disk& other = rig.offer("other", 4);
        on.start(other.store(), "other");
        for (const bool workerDies : {false, true}) {
            write(on.disk());
            const QByteArray wanted = on.disk().sha256OfDevice();
            rig.note("pull the stick");
            stick.pull();
            require(waitUntil([&] { return rig.stateOf(on.disk()) != "live"; }),
                    "nobody sees that it is gone");
            if (workerDies)
                rig.target().killWorker();
            rig.waitForState(other, "live");
            write(other, {"conv=fsync"});
            rig.note("put it back");
            stick.plugIn(on.disk().store());
            rig.waitForState(on.disk(), "live");
            mustRun({"blockdev", "--flushbufs", on.disk().node()});
            mustRun({"sync", on.disk().node()});
            require(on.disk().sha256OfStore() == wanted, "what was written is gone");
        }
        rig.compare();
        rig.end();
    });
}

// Its name is another one's, or nobody's: the worker's death makes no difference to it.
void TestMedia::renamedInUse() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.offer("other", 4);
        rig.start();
        const QString elsewhere = disk.store() + ".old";
        mustRun({"mv", disk.store(), elsewhere});
        rig.target().killWorker();
        rig.waitForAllLive();
        write(disk, {"conv=fsync"});
        mustRun({"mv", elsewhere, disk.store()});
        rig.compare();
    });
}

void TestMedia::lostBelowAFileSystem_data() {
    eitherWay("pulled", "pulled", "shutDown");
}

// The same with a file on the stick; and with a file system that has shut down on errors, and whose
// mount alone tells that it is another one.
void TestMedia::lostBelowAFileSystem() {
    QFETCH(bool, pulled);
    play([&](Rig& rig) {
        Stick stick("STICK1");
        const QString card = "/run/belay-card.img";
        const QString folder = rig.storeFolder();
        const auto mount = [&] { mustRun({"mount", stick.node(), folder}); };
        const auto unmount = [&] {
            require(waitUntil(
                        [&] {
                            return run({"umount", folder}).status == 0;
                        },
                        10s, 50ms),
                    "the stick stays in use");
        };
        QDir().mkpath(folder);
        QFile::remove(card);
        mustRun({"truncate", "-s", "32M", card});
        mustRun({"mkfs.ext4", "-q", card});
        stick.plugIn(card);
        mount();
        Disk& disk = rig.offer("disk", 4);
        mustRun({"sync", "-f", folder});
        rig.start();
        write(disk);
        const QByteArray wanted = disk.sha256OfDevice();
        if (pulled) {
            rig.note("pull the stick");
            stick.pull();
            rig.target().end();
            unmount();
            stick.plugIn(card);
        } else {
            rig.note("shut the file system down");
            shutDown(folder);
            rig.target().killSupervisor();
            unmount();
        }
        mount();
        require(disk.sha256OfStore() != wanted, "there was nothing to lose");
        rig.target().startAgain();
        rig.waitForState(disk, "live");
        mustRun({"sync", disk.node()});
        require(disk.sha256OfStore() == wanted, "what was written is gone");
        rig.end();
        unmount();
    });
}

QTEST_GUILESS_MAIN(TestMedia)
#include "tst_media.moc"
