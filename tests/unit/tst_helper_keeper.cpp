#include "helper/supervisor/unix_socket.h"
#include "helper/supervisor/worker_keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QTest>
#include <array>
#include <set>
#include <thread>

using namespace belay;
using namespace belay::helper;
using namespace std::chrono_literals;

namespace {

constexpr Duration kPeriod = 50ms;

// What a keeper said of its workers.
struct Story {
    std::vector<Json> ready;
    std::vector<Json> messages;
    std::vector<std::string> deaths;
    bool neverStarted = false;
    bool wayIsFree = true;
    int waysAsked = 0;
};

}  // namespace

class HelperKeeperTest : public QObject {
    Q_OBJECT

 private slots:
    void init();
    void cleanup();
    void startsAnotherProgramAndTalks();
    void passesDescriptors();
    void startsTheNextAfterADeath();
    void tellsOfOneThatCannotStart();
    void startsTheNextAfterOneThatCannotStart();
    void waitsUntilTheWayIsFree();
    void restsAndStartsAgain();
    void replacesOneThatHangs_data();
    void replacesOneThatHangs();
    void replacesOneThatNeverAnswers();
    void forgivesItsOwnAbsence();
    void findsNobodyToAdopt();
    void adoptsOneThatLives();
    void noticesTheDeathOfAnAdoptedOne();
    void replacesAnAdoptedOneThatHangs();
    void aNewSupervisorReplacesTheFirst();

 private:
    std::unique_ptr<WorkerKeeper> keeper(Story& story, bool lasting, bool needsTheFirst = true) {
        WorkerKeeper::Hooks hooks;
        hooks.prepare = [this, lasting]() -> Result<WorkerKeeper::Start> {
            config_["lasting"] = lasting;
            WorkerKeeper::Start start;
            start.program = BELAY_KEEPER_WORKER;
            start.args = {"keeper-worker", config_.dump()};
            for (Fd& fd : fds_)
                start.fds.push_back(std::move(fd));
            fds_.clear();
            if (lasting)
                start.socketPath = path_;
            return start;
        };
        hooks.ready = [this, &story](const Json& message) {
            story.ready.push_back(message);
            workers_.insert(message.at("pid").get<pid_t>());
        };
        hooks.message = [&story](const Json& message, const std::vector<Fd>&) {
            story.messages.push_back(message);
        };
        hooks.died = [&story](const std::string& how) { story.deaths.push_back(how); };
        hooks.keepsDying = [] {};
        if (needsTheFirst)
            hooks.neverStarted = [&story] { return story.neverStarted = true; };
        hooks.makeWay = [&story]() -> Result<void> {
            ++story.waysAsked;
            return story.wayIsFree ? Result<void>() : failure("something is in the way");
        };
        return std::make_unique<WorkerKeeper>(*ring_, std::move(hooks), kPeriod);
    }
    std::unique_ptr<Channel> supervisor(Story& story) {
        auto socket = connectTo(path_);
        if (!socket)
            return nullptr;
        return std::make_unique<Channel>(
            *ring_, std::move(*socket),
            [&story](const Json& message, const std::vector<Fd>&) {
                (message.at("type") == "ready" ? story.ready : story.messages).push_back(message);
            },
            [&story](const Error& reason) { story.deaths.push_back(reason.what); });
    }
    template <class Condition>
    bool happens(Condition condition, Duration limit = 10s) {
        const TimePoint end = Clock::now() + limit;
        while (!condition() && Clock::now() < end)
            if (!ring_->turn(20ms))
                return false;
        return condition();
    }
    static bool isAlive(pid_t pid) {
        siginfo_t info{};
        // Neither gone nor waiting to be reaped.
        return ::kill(pid, 0) == 0 &&
               ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               info.si_pid == 0;
    }

    std::unique_ptr<QTemporaryDir> folder_;
    std::string path_;
    Json config_;
    std::vector<Fd> fds_;
    std::unique_ptr<Ring> ring_;
    std::set<pid_t> workers_;  // that nobody else may end
};

void HelperKeeperTest::init() {
    folder_ = std::make_unique<QTemporaryDir>();
    path_ = folder_->filePath("worker.socket").toStdString();
    config_ = {{"fails", false}, {"mute", false}};
    auto ring = Ring::create(64);
    QVERIFY2(ring.has_value(), ring ? "" : ring.error().message().c_str());
    ring_ = std::move(*ring);
}

void HelperKeeperTest::cleanup() {
    // A child that is not reaped yet still has its number.
    for (const pid_t pid : workers_)
        if (::waitpid(pid, nullptr, WNOHANG) == 0) {
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        }
    workers_.clear();
    ring_.reset();
    folder_.reset();
}

void HelperKeeperTest::startsAnotherProgramAndTalks() {
    Story story;
    const auto kept = keeper(story, false);
    kept->start();
    QVERIFY(!kept->isReady());
    QVERIFY(happens([&] { return kept->isReady(); }));
    kept->tell({{"type", "echo"}, {"text", "hello"}});
    QVERIFY(happens([&] { return !story.messages.empty(); }));
    QVERIFY(story.messages.front().at("text") == "hello");
    // Pings and their answers are between the two alone.
    QVERIFY(!happens([&] { return story.messages.size() > 1; }, 4 * kPeriod));
    QVERIFY(story.deaths.empty());
}

void HelperKeeperTest::passesDescriptors() {
    std::array<int, 2> pipe{};
    QCOMPARE(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const Fd reader(pipe[0]);
    fds_.emplace_back(pipe[1]);
    Story story;
    const auto kept = keeper(story, true);
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    kept->tell({{"type", "write"}});
    pollfd waiting{reader.get(), POLLIN, 0};
    QVERIFY(happens([&] { return ::poll(&waiting, 1, 0) == 1; }));
    QVERIFY((waiting.revents & POLLIN) != 0);
}

void HelperKeeperTest::startsTheNextAfterADeath() {
    Story story;
    const auto kept = keeper(story, false);
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    const pid_t first = kept->pid();
    kept->kill();
    QVERIFY(happens([&] { return story.ready.size() == 2; }));
    QVERIFY(kept->pid() != first && kept->pid() != 0);
    QCOMPARE(story.deaths.size(), 1u);
    QVERIFY(story.deaths.front().starts_with("killed by signal 9"));
    QCOMPARE(kept->deaths(), 1u);
}

void HelperKeeperTest::tellsOfOneThatCannotStart() {
    config_["fails"] = true;
    Story story;
    const auto kept = keeper(story, false);
    kept->start();
    QVERIFY(happens([&] { return story.neverStarted; }));
    QVERIFY(story.deaths == std::vector<std::string>{"exit status 3"});
    QVERIFY(!happens([&] { return kept->isReady(); }, 200ms));
}

// Whatever kept it from starting may be over.
void HelperKeeperTest::startsTheNextAfterOneThatCannotStart() {
    config_["fails"] = true;
    Story story;
    const auto kept = keeper(story, false, false);
    kept->start();
    QVERIFY(happens([&] { return story.deaths.size() == 2; }));
    config_["fails"] = false;
    QVERIFY(happens([&] { return kept->isReady(); }));
    QVERIFY(story.deaths == std::vector<std::string>(2, "exit status 3"));
}

// What a predecessor left is no fault of the worker's: that none starts is no death of one.
void HelperKeeperTest::waitsUntilTheWayIsFree() {
    Story story;
    const auto kept = keeper(story, false);
    story.wayIsFree = false;
    kept->start();
    QVERIFY(happens([&] { return story.waysAsked == 8; }));
    QCOMPARE(kept->pid(), 0);
    QVERIFY(story.deaths.empty() && !story.neverStarted);
    // Nobody wants one any more, and somebody does.
    kept->rest();
    QVERIFY(!happens([&] { return story.waysAsked > 8; }, 2 * WorkerKeeper::kMakeWayAgain));
    kept->start();
    story.wayIsFree = true;
    QVERIFY(happens([&] { return kept->isReady(); }));
    QVERIFY(story.deaths.empty());
}

void HelperKeeperTest::restsAndStartsAgain() {
    Story story;
    const auto kept = keeper(story, true);
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    const pid_t first = kept->pid();
    kept->rest();
    QCOMPARE(kept->pid(), 0);
    QVERIFY(!kept->isReady());
    // Before the first one's end was noticed.
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    QVERIFY(kept->pid() != first && !isAlive(first));
    const pid_t second = kept->pid();
    kept->rest();
    QVERIFY(happens([&] { return !isAlive(second); }));
    QVERIFY(!happens([&] { return story.ready.size() > 2; }, 300ms));
    QVERIFY(story.deaths.empty());
}

void HelperKeeperTest::replacesOneThatHangs_data() {
    QTest::addColumn<bool>("lasting");
    QTest::newRow("that lasts") << true;
    QTest::newRow("that does not") << false;
}

void HelperKeeperTest::replacesOneThatHangs() {
    QFETCH(const bool, lasting);
    Story story;
    const auto kept = keeper(story, lasting);
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    const pid_t first = kept->pid();
    kept->tell({{"type", "hang"}});
    QVERIFY(happens([&] { return story.ready.size() == 2; }));
    QVERIFY(kept->pid() != first && !isAlive(first));
    QVERIFY(story.deaths == std::vector<std::string>{"it did not answer any more"});
}

void HelperKeeperTest::replacesOneThatNeverAnswers() {
    config_["mute"] = true;
    Story story;
    const auto kept = keeper(story, true);
    kept->start();
    const pid_t first = kept->pid();
    // It has more time than one that was ready.
    QVERIFY(!happens([&] { return !story.deaths.empty(); },
                     2 * WorkerKeeper::kMostUnanswered * kPeriod));
    config_["mute"] = false;
    QVERIFY(happens([&] { return kept->isReady(); }));
    QVERIFY(kept->pid() != first && !isAlive(first));
    QVERIFY(story.deaths == std::vector<std::string>{"it did not answer any more"});
}

void HelperKeeperTest::forgivesItsOwnAbsence() {
    Story story;
    const auto kept = keeper(story, false);
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    std::this_thread::sleep_for(4 * WorkerKeeper::kMostUnanswered * kPeriod);
    QVERIFY(!happens([&] { return !story.deaths.empty(); },
                     2 * WorkerKeeper::kMostUnanswered * kPeriod));
}

void HelperKeeperTest::findsNobodyToAdopt() {
    Story story;
    auto kept = keeper(story, true);
    QVERIFY(!kept->adopt(path_));
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    kept->rest();
    QVERIFY(happens([&] { return !kept->isReady() && ::access(path_.c_str(), F_OK) == 0; }));
    const auto next = keeper(story, true);
    // The socket is still there, and whoever listened at it is not.
    QVERIFY(happens([&] { return !connectTo(path_); }));
    QVERIFY(!next->adopt(path_));
    QCOMPARE(next->pid(), 0);
}

void HelperKeeperTest::adoptsOneThatLives() {
    Story first;
    auto kept = keeper(first, true);
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    const pid_t worker = kept->pid();
    kept.reset();
    QVERIFY(isAlive(worker));

    Story second;
    kept = keeper(second, true);
    QVERIFY(kept->adopt(path_));
    QCOMPARE(kept->pid(), worker);
    QVERIFY(happens([&] { return kept->isReady(); }));
    QVERIFY(second.ready.front().at("supervisors") == 2);
    kept->tell({{"type", "echo"}, {"text", "still there?"}});
    QVERIFY(happens([&] { return !second.messages.empty(); }));
    QVERIFY(second.deaths.empty());
}

void HelperKeeperTest::noticesTheDeathOfAnAdoptedOne() {
    Story first;
    auto kept = keeper(first, true);
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    const pid_t worker = kept->pid();
    kept.reset();
    Story second;
    kept = keeper(second, true);
    QVERIFY(kept->adopt(path_));
    QVERIFY(happens([&] { return kept->isReady(); }));
    kept->kill();
    QVERIFY(happens([&] { return second.ready.size() == 2; }));
    QVERIFY(kept->pid() != worker);
    QVERIFY(second.deaths == std::vector<std::string>{"ended"});
}

void HelperKeeperTest::replacesAnAdoptedOneThatHangs() {
    Story first;
    auto kept = keeper(first, true);
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    const pid_t worker = kept->pid();
    kept->tell({{"type", "hang"}});
    // Until it has taken the message, and not so long that it is missed.
    QVERIFY(!happens([&] { return !first.deaths.empty(); }, 2 * kPeriod));
    kept.reset();
    Story second;
    kept = keeper(second, true);
    // The kernel takes the connection, nobody answers.
    QVERIFY(kept->adopt(path_));
    QVERIFY(happens([&] { return kept->isReady(); }));
    QVERIFY(kept->pid() != worker);
    QVERIFY(second.deaths == std::vector<std::string>{"it did not answer any more"});
}

void HelperKeeperTest::aNewSupervisorReplacesTheFirst() {
    Story story;
    auto kept = keeper(story, true);
    kept->start();
    QVERIFY(happens([&] { return kept->isReady(); }));
    const pid_t worker = kept->pid();
    kept.reset();

    Story first;
    Story second;
    auto one = supervisor(first);
    QVERIFY(one && happens([&] { return !first.ready.empty(); }));
    auto other = supervisor(second);
    QVERIFY(other && happens([&] { return !second.ready.empty() && !first.deaths.empty(); }));
    other->send({{"type", "echo"}, {"text", "who?"}});
    QVERIFY(happens([&] { return !second.messages.empty(); }));
    QVERIFY(first.messages.empty());
    // The end of the last one is not the worker's.
    other.reset();
    Story third;
    one = supervisor(third);
    QVERIFY(one && happens([&] { return !third.ready.empty(); }));
    QVERIFY(third.ready.front().at("supervisors") == 4);
    QVERIFY(isAlive(worker));
}

QTEST_GUILESS_MAIN(HelperKeeperTest)
#include "tst_helper_keeper.moc"
