#include "tests/vm/scenario/scenario.h"
#include "tests/vm/scenario/volumes.h"

#include <QDir>
#include <QTest>

using namespace scenario;

// The machine has next to no memory left. That costs time, never a session: whoever would have to
// wait for memory may be what memory waits for.
class TestPressure : public QObject {
    Q_OBJECT

 private slots:
    void inPieces_data() { inBothDirections(); }
    void inPieces();
    void dirtyPages_data() { inBothDirections(); }
    void dirtyPages();
};

namespace {

// How long a disk that is in use may go without finishing a request. An emulated machine that has
// no memory left is slow.
constexpr Milliseconds kStall = 15s;

// Takes the machine's memory away as long as it lives.
class Hog {
 public:
    Hog(Rig& rig, const char* how, int leftMib)
        : program_(rig.startProgram({MEMORY_HOG, how, QString::number(leftMib)})) {
        require(waitUntil([&] { return program_->output().contains("ready"); }),
                "the memory is not taken: " + program_->output());
        rig.note("the memory is taken\n" + readFile("/proc/buddyinfo"));
    }

 private:
    std::unique_ptr<Program> program_;
};

// Sessions that ended and workers that died since it was made: none may.
class Steadiness {
 public:
    explicit Steadiness(Rig& rig) : rig_(rig), ended_(sessionsEnded()), deaths_(deaths()) {}

    void check() const {
        require(sessionsEnded() == ended_, "a session has ended");
        require(deaths() == deaths_, "a worker has died");
        require(rig_.stateOf(rig_.disk()) == "live", "it is not live any more");
    }

 private:
    qsizetype sessionsEnded() const { return rig_.host().output().count("session ended"); }
    int deaths() const {
        int sum = 0;
        for (const Daemon* daemon : {&rig_.host(), &rig_.gadget()}) {
            const auto status = daemon->status();
            require(status.has_value(), daemon->name() + " does not answer");
            for (const auto& worker : status->at("workers"))
                sum += worker.at("deaths").get<int>();
        }
        return sum;
    }

    Rig& rig_;
    qsizetype ended_;
    int deaths_;
};

// A kernel setting, put back at the end.
class Setting {
 public:
    Setting(QString path, const QByteArray& value)
        : path_(std::move(path)), before_(chosen(readFile(path_))) {
        writeFile(path_, value);
    }
    ~Setting() { writeFile(path_, before_); }
    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;

 private:
    // Of "always [madvise] never" what is in brackets.
    static QByteArray chosen(const QByteArray& text) {
        const auto from = text.indexOf('[') + 1;
        return from == 0 ? text : text.mid(from, text.indexOf(']') - from);
    }

    QString path_;
    QByteArray before_;
};

// Programs whose memory is limited.
class Group {
 public:
    explicit Group(const QByteArray& limit) {
        writeFile("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
        require(QDir().mkpath(kFolder), "cannot make a cgroup");
        writeFile(kFolder + "/memory.max", limit);
    }
    ~Group() { QDir().rmdir(kFolder); }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    // The command, to be run in it.
    static QStringList in(const QStringList& command) {
        return QStringList{"sh", "-c", "echo $$ >" + kFolder + "/cgroup.procs; exec \"$@\"", "sh"} +
               command;
    }

 private:
    inline static const QString kFolder = QStringLiteral("/sys/fs/cgroup/limited");
};

QStringList fioInFile(const QString& file, int mib) {
    return {"fio",
            "--name=" + file.section('/', -1),
            "--filename=" + file,
            QString("--size=%1M").arg(mib),
            "--rw=randwrite",
            "--bsrange=4k-1M",
            "--ioengine=psync",
            "--fsync=64",
            "--verify=crc32c",
            "--verify_fatal=1",
            "--do_verify=1",
            "--randrepeat=0",
            "--loops=1000000"};
}

}  // namespace

// No more than 32 KiB of free memory are in one piece: a machine that has been up for weeks.
void TestPressure::inPieces() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 32);
        rig.start();
        const Steadiness steadiness(rig);
        const Setting pieces("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
                             "always");
        // Set by the former, too (set_recommended_min_free_kbytes).
        const Setting reserve("/proc/sys/vm/min_free_kbytes", "2048");
        // The first 16 MiB are for old devices only.
        const Setting lowest("/proc/sys/vm/lowmem_reserve_ratio", "1");
        std::optional<Hog> hog(std::in_place, rig, "fragment", 96);
        for (const char* pattern : {"randwrite", "randread"})
            rig.startFio(disk, {.pattern = pattern,
                                .blocks = "4k-1M",
                                .depth = 16,
                                .mib = 32,
                                .loops = times(1, 10)})
                ->succeed(600s);
        steadiness.check();
        require(rig.gadget().output().contains("no memory for a transfer"),
                "there was memory enough: this shows nothing");
        hog.reset();
        rig.compare();
    });
}

// All that the hog leaves is dirty, and half of it waits to be written to our disk.
void TestPressure::dirtyPages() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 192);
        rig.start();
        const VolumeOnDisk volume(disk);
        const Steadiness steadiness(rig);
        const Setting most("/proc/sys/vm/dirty_ratio", "90");
        const Setting background("/proc/sys/vm/dirty_background_ratio", "80");
        const Group group("48M");
        const Hog hog(rig, "hold", 96);
        std::vector<std::unique_ptr<Program>> load;
        load.push_back(rig.startProgram(fioInFile(volume.folder() + "/free", 80)));
        load.push_back(rig.startProgram(Group::in(fioInFile(volume.folder() + "/limited", 72))));
        QElapsedTimer clock;
        clock.start();
        const Milliseconds span = full() ? Milliseconds(600s) : Milliseconds(40s);
        qint64 longest = 0;
        while (Milliseconds(clock.elapsed()) < span) {
            const qint64 before = disk.completed();
            QElapsedTimer since;
            since.start();
            require(waitUntil([&] { return disk.completed() > before; }, kStall),
                    "no request was finished for " + QString::number(kStall.count()) + " ms\n" +
                        readFile("/proc/meminfo"));
            longest = std::max(longest, since.elapsed());
            for (const auto& program : load)
                require(program->running(), "the load has ended:\n" + program->output());
        }
        rig.note(QString("at most %1 ms went by without a finished request").arg(longest));
        qInfo("at most %lld ms went by without a finished request", longest);
        steadiness.check();
        for (const auto& program : load)
            endLoad(*program);
    });
}

int main(int argc, char** argv) {
    TestPressure test;
    return runScenarios(argc, argv, test);
}

#include "tst_pressure.moc"
