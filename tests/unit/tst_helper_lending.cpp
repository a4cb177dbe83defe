#include "helper/supervisor/lending.h"
#include "helper/supervisor/own_process.h"
#include "helper/worker/worker_stores.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace belay;
using namespace belay::helper;
using namespace std::chrono_literals;

namespace {

// A worker's stores and its engine, without a gadget.
struct Worker {
    Worker(Ring& ring, Fd socket, const std::string& stateDir)
        : engine(ring),
          stores(ring, engine, stateDir,
                 {[this](const Json& message, const std::vector<int>& fds) {
                      if (channel)
                          channel->send(message, fds);
                  },
                  [this] { ++changes; }}) {
        connect(ring, std::move(socket));
    }
    void connect(Ring& ring, Fd socket) {
        stores.dropPending();
        channel = std::make_unique<Channel>(
            ring, std::move(socket),
            [this](const Json& message, std::vector<Fd> fds) { stores.handle(message, fds); },
            [](const Error&) {});
    }

    std::unique_ptr<Channel> channel;
    engine::TargetEngine engine;
    unsigned changes = 0;
    WorkerStores stores;
};

struct Supervisor {
    Supervisor(Ring& ring, Fd socket, const std::string& recordDir)
        : records(ring, recordDir),
          channel(std::make_unique<Channel>(
              ring, std::move(socket),
              [this](const Json& message, std::vector<Fd> fds) {
                  heard.push_back(message);
                  if (lending)
                      lending->handle(message.at("type").get<std::string>(), message, fds);
              },
              [](const Error&) {})) {
        LendingHooks hooks;
        hooks.tellWorker = [this](const Json& message, const std::vector<int>& fds) {
            if (channel)
                channel->send(message, fds);
        };
        hooks.killWorker = [this] { ++kills; };
        hooks.needsWorker = [this] { ++workersNeeded; };
        hooks.changed = [](const LentStore&) {};
        hooks.gone = [this](const LentStore& store) { gone.push_back(store.label); };
        hooks.settled = [] {};
        lending = std::make_unique<Lending>(ring, records, std::move(hooks));
    }

    ContentRecords records;
    std::unique_ptr<Channel> channel;
    std::vector<Json> heard;
    std::vector<std::string> gone;
    unsigned kills = 0;
    unsigned workersNeeded = 0;
    std::unique_ptr<Lending> lending;
};

}  // namespace

// A supervisor's Lending and a worker's stores, joined by their real channel.
class HelperLendingTest : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void cleanup();
    void lendsAndTakesBack();
    void isLiveInASessionThatHasIt();
    void takesBackWhatIsNotOpenYet();
    void refusesWhatSomebodyHolds();
    void waitsForTheLastWorker();
    void distrustsAWitnessOfALaterLife();
    void takesAnotherUnderTheSameNumber();
    void answersForWhatItDoesNotHave();
    void theNextSupervisorTakesUp();
    void theNextSupervisorLendsTheRest();
    void forgetsWhatADeadSupervisorAskedFor();
    void noticesWhatOthersChange();
    void refusesABlockSizeThatDoesNotFit();
    void keepsItsBlockSize();

 private:
    std::string makeFile(const char* name) {
        const std::string path = folder_->filePath(name).toStdString();
        const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!file || ::ftruncate(file.get(), 1 << 20) < 0)
            qFatal("cannot make a file");
        return path;
    }
    static Fd openFile(const std::string& path) {
        return Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    }
    // As another worker does that still has I/O under way.
    static Fd hold(const std::string& path) {
        Fd file = openFile(path);
        struct flock lock {};
        lock.l_type = F_WRLCK;
        return ::fcntl(file.get(), F_OFD_SETLK, &lock) == 0 ? std::move(file) : Fd();
    }
    void startSupervisor() {
        auto pair = Channel::pair();
        if (!pair)
            qFatal("no socket pair");
        supervisor_ = std::make_unique<Supervisor>(*ring_, std::move(pair->first),
                                                   folder_->filePath("records").toStdString());
        forWorker_ = std::move(pair->second);
    }
    void startWorker() {
        worker_ =
            std::make_unique<Worker>(*ring_, std::move(forWorker_), folder_->path().toStdString());
        lending().workerReady(worker_->stores.list(), worker_->stores.leaving());
    }
    // For the same supervisor.
    void startNextWorker() {
        auto pair = Channel::pair();
        if (!pair)
            qFatal("no socket pair");
        supervisor_->channel = std::make_unique<Channel>(
            *ring_, std::move(pair->first),
            [this](const Json& message, std::vector<Fd> fds) {
                lending().handle(message.at("type").get<std::string>(), message, fds);
            },
            [](const Error&) {});
        forWorker_ = std::move(pair->second);
        startWorker();
    }
    // The worker lives on, its supervisor is another one.
    void connectWorker() {
        worker_->connect(*ring_, std::move(forWorker_));
        lending().workerReady(worker_->stores.list(), worker_->stores.leaving());
    }
    Lending& lending() { return *supervisor_->lending; }
    struct Lent {
        std::optional<Result<std::uint32_t>> answer;
        std::uint32_t id() const { return **answer; }
        bool isOpen() const { return answer && answer->has_value(); }
    };
    void lend(const std::string& path, Lent& lent, bool always = false,
              const LendTerms& terms = {}) {
        lending().lend(openFile(path), path, terms, always, false,
                       [&lent](const Result<std::uint32_t>& store) { lent.answer = store; });
    }
    std::vector<std::string> offered() const {
        std::vector<std::string> labels;
        for (const wire::ExportInfo& info : worker_->engine.exports())
            labels.push_back(info.label);
        std::ranges::sort(labels);
        return labels;
    }
    template <class Condition>
    bool happens(Condition condition, Duration limit = 10s) {
        const TimePoint end = Clock::now() + limit;
        while (!condition() && Clock::now() < end)
            if (!ring_->turn(20ms))
                return false;
        return condition();
    }

    std::unique_ptr<QTemporaryDir> folder_;
    std::unique_ptr<Ring> ring_;
    std::unique_ptr<Supervisor> supervisor_;
    std::unique_ptr<Worker> worker_;
    Fd forWorker_;
};

void HelperLendingTest::init() {
    folder_ = std::make_unique<QTemporaryDir>();
    auto ring = Ring::create(64);
    QVERIFY2(ring.has_value(), ring ? "" : ring.error().message().c_str());
    ring_ = std::move(*ring);
    startSupervisor();
}

void HelperLendingTest::cleanup() {
    supervisor_.reset();
    worker_.reset();
    forWorker_ = Fd();
    ring_.reset();
    folder_.reset();
}

void HelperLendingTest::lendsAndTakesBack() {
    const std::string path = makeFile("disk");
    startWorker();
    Lent lent;
    lend(path, lent);
    QVERIFY(happens([&] { return lent.isOpen(); }));
    const LentStore* store = lending().find(lent.id());
    QVERIFY(store != nullptr && store->open);
    QCOMPARE(store->sizeBytes, std::uint64_t{1} << 20);
    QVERIFY(offered() == std::vector<std::string>{"disk"});
    QVERIFY(!hold(path));
    QVERIFY(happens([&] { return worker_->changes == 1; }));

    std::optional<Result<void>> stopped;
    lending().stop(lent.id(), false, [&](const Result<void>& result) { stopped = result; });
    QVERIFY(happens([&] { return stopped.has_value(); }));
    QVERIFY(stopped->has_value());
    // Closed, not only forgotten.
    QVERIFY(hold(path));
    QVERIFY(offered().empty());
    QCOMPARE(worker_->changes, 2u);
    QVERIFY(supervisor_->gone == std::vector<std::string>{"disk"});
}

// What is lent later is live when the session has it.
void HelperLendingTest::isLiveInASessionThatHasIt() {
    startWorker();
    Lent first;
    lend(makeFile("first"), first);
    QVERIFY(happens([&] { return first.isOpen(); }));
    const auto stateOf = [&](const Lent& lent) { return lending().find(lent.id())->state; };
    QVERIFY(stateOf(first) == lifecycle::State::Waiting);
    lending().sessionChanged(true);
    QVERIFY(stateOf(first) == lifecycle::State::Live);

    Lent second;
    lend(makeFile("second"), second);
    QVERIFY(happens([&] { return second.isOpen(); }));
    QVERIFY(stateOf(first) == lifecycle::State::Live);
    QVERIFY(stateOf(second) == lifecycle::State::Waiting);
    lending().sessionChanged(true);
    QVERIFY(stateOf(second) == lifecycle::State::Live);
    lending().sessionChanged(false);
    QVERIFY(stateOf(first) == lifecycle::State::Waiting);
    lending().sessionChanged(true);
    QVERIFY(stateOf(first) == lifecycle::State::Live);
    QVERIFY(stateOf(second) == lifecycle::State::Live);
}

void HelperLendingTest::takesBackWhatIsNotOpenYet() {
    const std::string path = makeFile("disk");
    startWorker();
    Lent lent;
    lend(path, lent);
    bool stopped = false;
    lending().stop(1, false, [&](const Result<void>& result) { stopped = result.has_value(); });
    QVERIFY(happens([&] { return stopped && lent.answer; }));
    QVERIFY(!happens([&] { return !offered().empty(); }, 100ms));
    QVERIFY(lending().stores().empty());
    QVERIFY(hold(path));
}

void HelperLendingTest::refusesWhatSomebodyHolds() {
    const std::string path = makeFile("disk");
    const Fd holder = hold(path);
    QVERIFY(holder);
    startWorker();
    Lent lent;
    lend(path, lent);
    QVERIFY(happens([&] { return lent.answer.has_value(); }, 1s));
    QVERIFY(!lent.isOpen());
    QCOMPARE(lent.answer->error().code, EBUSY);
    QVERIFY(lending().stores().empty());
}

void HelperLendingTest::waitsForTheLastWorker() {
    const std::string path = makeFile("disk");
    startWorker();
    Lent lent;
    lend(path, lent);
    QVERIFY(happens([&] { return lent.isOpen(); }));

    lending().workerDied();
    supervisor_->channel.reset();
    worker_.reset();
    Fd lastIo = hold(path);
    QVERIFY(lastIo);
    startNextWorker();
    QVERIFY(!happens([&] { return lending().find(lent.id())->open; }, 300ms));
    lastIo = Fd();
    const TimePoint released = Clock::now();
    QVERIFY(happens([&] { return lending().find(lent.id())->open; }));
    QVERIFY(Clock::now() - released < 1s);
    QCOMPARE(lending().find(lent.id())->recoveries, 1u);
    QVERIFY(lending().find(lent.id())->explanation.empty());
}

// A worker that ends in the middle of a sync may have been told of a failed write-back. A witness
// that is older than it is told as well; one that its next supervisor opens is not.
void HelperLendingTest::distrustsAWitnessOfALaterLife() {
    const std::string path = makeFile("disk");
    startWorker();
    Lent lent;
    lend(path, lent);
    QVERIFY(happens([&] { return lent.isOpen(); }));
    const auto verifier = [this] { return worker_->engine.exports().at(0).verifier; };
    const Verifier first = verifier();
    const std::string state = folder_->path().toStdString() + "/" +
                              worker_->engine.exports().at(0).uuid.toString() + ".writeback";
    // As it is while a sync is under way: WritebackState.
    const auto dieInSync = [&] {
        worker_.reset();
        const Fd file(::open(state.c_str(), O_RDWR | O_CLOEXEC));
        constexpr off_t kWord = 8;
        std::uint64_t word = 0;
        QCOMPARE(::pread(file.get(), &word, sizeof word, kWord), ssize_t{sizeof word});
        word |= 1;
        QCOMPARE(::pwrite(file.get(), &word, sizeof word, kWord), ssize_t{sizeof word});
    };
    lending().workerDied();
    supervisor_->channel.reset();
    dieInSync();
    startNextWorker();
    QVERIFY(happens([&] { return lending().find(lent.id())->open; }));
    QCOMPARE(verifier(), first);

    supervisor_.reset();
    dieInSync();
    startSupervisor();
    startWorker();
    Lent again;
    lend(path, again);
    QVERIFY(happens([&] { return again.isOpen(); }));
    QVERIFY(verifier() != first);
}

// A worker that is told to take back a store and to lend another under its number at once.
void HelperLendingTest::takesAnotherUnderTheSameNumber() {
    const std::string path = makeFile("disk");
    startWorker();
    Lent lent;
    lend(path, lent);
    QVERIFY(happens([&] { return lent.isOpen(); }));
    supervisor_->lending.reset();
    supervisor_->heard.clear();

    const std::string other = makeFile("other");
    const Fd own = openFile(other);
    const Fd witness = openFile(other);
    supervisor_->channel->send({{"type", "store-remove"}, {"id", lent.id()}});
    supervisor_->channel->send({{"type", "store-add"},
                                {"store",
                                 {{"id", lent.id()},
                                  {"path", other},
                                  {"label", "other"},
                                  {"readOnly", false},
                                  {"blockSize", 0},
                                  {"replaced", 0}}},
                                {"patienceMs", 0}},
                               {own.get(), witness.get()});
    QVERIFY(happens([&] { return supervisor_->heard.size() == 2; }));
    QVERIFY(supervisor_->heard[0].at("type") == "store-removed");
    QVERIFY(supervisor_->heard[1].at("type") == "store-added");
    QVERIFY(offered() == std::vector<std::string>{"other"});
}

void HelperLendingTest::answersForWhatItDoesNotHave() {
    startWorker();
    supervisor_->channel->send({{"type", "store-remove"}, {"id", 77}});
    supervisor_->channel->send({{"type", "store-add"},
                                {"store",
                                 {{"id", 78},
                                  {"path", "no files with it"},
                                  {"label", ""},
                                  {"readOnly", false},
                                  {"blockSize", 0},
                                  {"replaced", 0}}},
                                {"patienceMs", 0}});
    QVERIFY(happens([&] { return supervisor_->heard.size() == 2; }));
    QVERIFY(supervisor_->heard[0].at("type") == "store-removed");
    QVERIFY(supervisor_->heard[1].at("type") == "store-failed");
    QCOMPARE(worker_->changes, 0u);
}

// What is lent after every restart has the same number there as in the worker that lives on.
void HelperLendingTest::theNextSupervisorTakesUp() {
    const std::string path = makeFile("disk");
    startWorker();
    Lent first;
    lend(path, first, true);
    QVERIFY(happens([&] { return first.isOpen(); }));

    startSupervisor();
    Lent again;
    lend(path, again, true);
    connectWorker();
    QVERIFY(happens([&] { return again.answer.has_value(); }));
    QVERIFY(again.isOpen());
    QCOMPARE(again.id(), first.id());
    QCOMPARE(lending().stores().size(), 1u);
    QVERIFY(lending().find(again.id())->always);
    QVERIFY(happens([&] {
        return std::ranges::any_of(supervisor_->heard, [](const Json& message) {
            return message.at("type") == "witness";
        });
    }));
    const OfferedFile& file = *lending().find(again.id())->file;
    QVERIFY(happens([&] { return file.isKnown(); }));
    QVERIFY(store::isStill(file.record(), openFile(path).get()));
    QVERIFY(!happens([&] { return worker_->changes > 1; }, 100ms));
}

void HelperLendingTest::theNextSupervisorLendsTheRest() {
    const std::string once = makeFile("once");
    startWorker();
    Lent first;
    lend(once, first);
    QVERIFY(happens([&] { return first.isOpen(); }));

    // The number of the one is that of the other there.
    startSupervisor();
    const std::string always = makeFile("always");
    Lent other;
    lend(always, other, true);
    connectWorker();
    QVERIFY(happens([&] { return other.answer.has_value(); }));
    QVERIFY(other.isOpen());
    QVERIFY(other.id() != first.id());
    QVERIFY(offered() == (std::vector<std::string>{"always", "once"}));
    QCOMPARE(lending().stores().size(), 2u);
    QVERIFY(lending().find(first.id())->label == "once");
    QVERIFY(!lending().find(first.id())->always);
    QVERIFY(lending().find(first.id())->open);
}

void HelperLendingTest::forgetsWhatADeadSupervisorAskedFor() {
    const std::string path = makeFile("disk");
    Fd holder = hold(path);
    QVERIFY(holder);
    startWorker();
    Lent lent;
    lend(path, lent, true);
    QVERIFY(!happens([&] { return lent.answer.has_value(); }, 100ms));
    startSupervisor();
    connectWorker();
    holder = Fd();
    QVERIFY(!happens([&] { return !offered().empty(); }, 300ms));
    QVERIFY(supervisor_->heard.empty());
    QVERIFY(lending().stores().empty());
}

// Changed by somebody else while nobody offers it, by us while we do: only the former counts, also
// when a supervisor ends the use that another one began.
void HelperLendingTest::noticesWhatOthersChange() {
    const std::string path = makeFile("disk");
    const auto change = [&] {
        QTest::qSleep(20);  // the clock that stamps files is a slow one
        QCOMPARE(::pwrite(openFile(path).get(), "changed", 7, 512), ssize_t{7});
    };
    const auto isEnded = [&] {
        const QDir records(folder_->filePath("records"));
        QFile record(records.filePath(records.entryList({"*.record"}).value(0)));
        return record.open(QFile::ReadOnly) && record.readAll().contains(" clean ");
    };
    const auto generation = [&] { return worker_->engine.exports().front().generation; };
    const auto lendAndChange = [&](Lent& lent) {
        lend(path, lent);
        QVERIFY(happens([&] { return lent.isOpen(); }));
        QVERIFY(!isEnded());
        change();
    };
    const auto takeBack = [&](const Lent& lent) {
        lending().stop(lent.id(), false, [](const Result<void>&) {});
        QVERIFY(happens(isEnded));
    };
    startWorker();
    Lent first;
    lendAndChange(first);
    const auto before = generation();
    takeBack(first);

    Lent second;
    lendAndChange(second);
    QCOMPARE(generation(), before);
    startSupervisor();
    connectWorker();
    QVERIFY(happens([&] { return lending().find(second.id())->file->record().use != 0; }));
    takeBack(second);

    change();
    Lent third;
    lendAndChange(third);
    QVERIFY(generation() != before);
    takeBack(third);
}

void HelperLendingTest::refusesABlockSizeThatDoesNotFit() {
    const std::string path = makeFile("disk");
    QCOMPARE(::truncate(path.c_str(), 5120), 0);
    startWorker();
    Lent lent;
    lend(path, lent, false, {.blockSize = 4096});
    QVERIFY(happens([&] { return lent.answer.has_value(); }));
    QVERIFY(!*lent.answer);
    QCOMPARE(lent.answer->error().code, EINVAL);
    QVERIFY2(lent.answer->error().message().find("Its size, 5120 bytes, is no multiple") !=
                 std::string::npos,
             lent.answer->error().message().c_str());
    Lent fits;
    lend(path, fits, false, {.blockSize = 1024});
    QVERIFY(happens([&] { return fits.isOpen(); }));
    QCOMPARE(lending().find(fits.id())->blockSize, 1024U);
}

// The partition table of a disk is its user's: whatever becomes of it, the disk stays the same one,
// for this worker, for the next, and for the next supervisor.
void HelperLendingTest::keepsItsBlockSize() {
    const std::string path = makeFile("disk");
    QProcess fdisk;
    fdisk.start("fdisk", {"-b", "4096", QString::fromStdString(path)});
    fdisk.write("g\nw\n");
    fdisk.closeWriteChannel();
    QVERIFY(fdisk.waitForFinished() && fdisk.exitCode() == 0);
    const auto wipe = [&] {
        const std::vector<char> zeroes(1 << 16);
        QCOMPARE(::pwrite(openFile(path).get(), zeroes.data(), zeroes.size(), 0),
                 static_cast<ssize_t>(zeroes.size()));
    };
    startWorker();
    Lent lent;
    lend(path, lent);
    QVERIFY(happens([&] { return lent.isOpen(); }));
    QCOMPARE(worker_->engine.exports().front().blockSize, 4096U);
    wipe();

    lending().workerDied();
    supervisor_->channel.reset();
    worker_.reset();
    startNextWorker();
    QVERIFY(happens([&] { return lending().find(lent.id())->open; }));
    QCOMPARE(worker_->engine.exports().front().blockSize, 4096U);

    worker_.reset();
    startSupervisor();
    startWorker();
    Lent again;
    lend(path, again);
    QVERIFY(happens([&] { return again.isOpen(); }));
    QCOMPARE(worker_->engine.exports().front().blockSize, 4096U);
}

int main(int argc, char** argv) {
    endIfOwnProcess(argc, argv);
    QCoreApplication application(argc, argv);
    HelperLendingTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_helper_lending.moc"
