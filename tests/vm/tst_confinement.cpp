#include "tests/vm/scenario/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <QRegularExpression>
#include <QTest>
#include <array>

using namespace scenario;

// What a worker that has been taken over can still do: the system calls of an attacker are made
// from inside the real workers, while they serve.
class TestConfinement : public QObject {
    Q_OBJECT

 private slots:
    void hasGivenEverythingUp_data() { inBothDirections(); }
    void hasGivenEverythingUp();
    void opensNothingForWriting_data() { inBothDirections(); }
    void opensNothingForWriting();
    void diesTrying_data();
    void diesTrying();
    void guardsDieTrying_data() { inBothDirections(); }
    void guardsDieTrying();
};

namespace {

// A process that is stopped and made to do a system call of our choice: this program only runs on
// x86-64, as the rig does.
class Puppet {
 public:
    explicit Puppet(pid_t process) : process_(process) {
        require(::ptrace(PTRACE_SEIZE, process, nullptr, nullptr) == 0, "cannot attach");
        require(waitUntil([this] { return stopInCall(); }), "it never sleeps");
    }
    ~Puppet() {
        if (!dead_) {
            ::ptrace(PTRACE_SETREGS, process_, nullptr, &before_);
            ::ptrace(PTRACE_DETACH, process_, nullptr, nullptr);
        }
    }
    Puppet(const Puppet&) = delete;
    Puppet& operator=(const Puppet&) = delete;

    // What the call returns; nothing if the process dies of it: see signal().
    std::optional<long> call(long number, std::array<unsigned long long, 4> arguments) {
        user_regs_struct registers = before_;
        registers.rip = before_.rip - 2;
        registers.rax = static_cast<unsigned long long>(number);
        registers.orig_rax = ~0ULL;
        registers.rdi = arguments[0];
        registers.rsi = arguments[1];
        registers.rdx = arguments[2];
        registers.r10 = arguments[3];
        registers.r8 = registers.r9 = 0;
        require(::ptrace(PTRACE_SETREGS, process_, nullptr, &registers) == 0, "cannot prepare it");
        require(::ptrace(PTRACE_SINGLESTEP, process_, nullptr, nullptr) == 0, "cannot let it run");
        if (!awaitStop())
            return std::nullopt;
        require(::ptrace(PTRACE_GETREGS, process_, nullptr, &registers) == 0, "cannot read it");
        return static_cast<long>(registers.rax);
    }
    // Puts a text where the process has room for it, and says where.
    unsigned long long text(const char* text) {
        const unsigned long long place = (before_.rsp - 4096) & ~15ULL;
        std::array<char, 64> bytes{};
        require(::snprintf(bytes.data(), bytes.size(), "%s", text) < int(bytes.size()), "too long");
        for (std::size_t i = 0; i < bytes.size(); i += sizeof(long)) {
            long word = 0;
            ::memcpy(&word, bytes.data() + i, sizeof word);
            require(::ptrace(PTRACE_POKEDATA, process_, place + i, word) == 0,
                    "cannot write to it");
        }
        return place;
    }
    int signal() const { return signal_; }

 private:
    // Stops it, and lets it go on if it was not sleeping: only then the instruction before is a
    // system call, 0f 05.
    bool stopInCall() {
        require(::ptrace(PTRACE_INTERRUPT, process_, nullptr, nullptr) == 0, "cannot stop it");
        require(awaitStop(), "it ends when it is stopped");
        require(::ptrace(PTRACE_GETREGS, process_, nullptr, &before_) == 0, "cannot read it");
        const long code = ::ptrace(PTRACE_PEEKTEXT, process_, before_.rip - 2, nullptr);
        if ((code & 0xffff) == 0x050f)
            return true;
        require(::ptrace(PTRACE_CONT, process_, nullptr, nullptr) == 0, "cannot let it go on");
        return false;
    }
    bool awaitStop() {
        int status = 0;
        require(::waitpid(process_, &status, __WALL) == process_, "it is lost");
        if (WIFSTOPPED(status))
            return true;
        dead_ = true;
        signal_ = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        return false;
    }

    pid_t process_;
    user_regs_struct before_{};
    bool dead_ = false;
    int signal_ = 0;
};

QByteArray statusOf(pid_t process, const char* field) {
    const QByteArray text = readFile(QString("/proc/%1/status").arg(process));
    const QRegularExpression line(QString("^%1:[ \\t]*(.*)$").arg(field),
                                  QRegularExpression::MultilineOption);
    return line.match(text).captured(1).simplified().toLatin1();
}

struct Attempt {
    const char* name;
    long call;
    std::array<unsigned long long, 4> arguments;
    const char* path = nullptr;  // the first argument, or the second of one with a folder before it
    bool folderFirst = false;
};

constexpr unsigned long long kHere = static_cast<unsigned long long>(AT_FDCWD);

// Each of them ends the process.
const std::vector<Attempt> kDeadly = {
    {"exec a program", SYS_execve, {0, 0, 0, 0}, "/bin/sh"},
    {"fork", SYS_fork, {0, 0, 0, 0}},
    {"start a thread", SYS_clone3, {0, 0, 0, 0}},
    {"become root", SYS_setuid, {0, 0, 0, 0}},
    {"make a socket", SYS_socket, {AF_INET, SOCK_STREAM, 0, 0}},
    {"trace a process", SYS_ptrace, {PTRACE_ATTACH, 1, 0, 0}},
    {"read another's memory", SYS_process_vm_readv, {1, 0, 0, 0}},
    {"make a ring without restrictions", SYS_io_uring_setup, {8, 0, 0, 0}},
    {"mount", SYS_mount, {0, 0, 0, 0}},
    {"make memory executable", SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC, 0}},
    {"empty a file", SYS_openat, {kHere, 0, O_WRONLY | O_TRUNC, 0}, "/etc/passwd", true},
    {"delete a file", SYS_unlink, {0, 0, 0, 0}, "/etc/passwd"},
};

std::optional<long> attempt(Puppet& puppet, const Attempt& what) {
    auto arguments = what.arguments;
    if (what.path != nullptr)
        arguments[what.folderFirst ? 1 : 0] = puppet.text(what.path);
    return puppet.call(what.call, arguments);
}

// The AIO guard of a worker: a task of its own beside it.
pid_t guardOf(pid_t worker) {
    for (const QByteArray& line : mustRun({"ps", "-e", "-o", "pid=,ppid=,comm="}).split('\n')) {
        const auto words = line.simplified().split(' ');
        if (words.size() == 3 && words[1].toInt() == worker && words[2] == "belay-aio-guard")
            return words[0].toInt();
    }
    return 0;
}

}  // namespace

void TestConfinement::hasGivenEverythingUp() {
    play([](Rig& rig) {
        rig.offer("disk", 4);
        rig.start();
        for (Daemon* daemon : {&rig.host(), &rig.gadget()}) {
            const pid_t worker = daemon->worker();
            rig.note(daemon->name() + "'s worker");
            require(statusOf(worker, "Seccomp") == "2", "no system call filter");
            require(statusOf(worker, "NoNewPrivs") == "1", "new privileges can be had");
            for (const char* set : {"CapEff", "CapPrm", "CapInh", "CapAmb"})
                require(statusOf(worker, set).toULongLong(nullptr, 16) == 0,
                        QString("it has capabilities: ") + set);
            require(!statusOf(worker, "Uid").split(' ').contains("0"), "it is root");
            require(statusOf(worker, "Groups").isEmpty(), "it is in groups");
        }
        rig.compare();
    });
}

void TestConfinement::opensNothingForWriting() {
    play([](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        mustRun({"install", "-m", "666", "/dev/null", "/run/anybody's"});
        mustRun({"install", "-d", "-m", "777", "/run/anybody's folder"});
        for (Daemon* daemon : {&rig.host(), &rig.gadget()}) {
            rig.note(daemon->name() + "'s worker");
            Puppet puppet(daemon->worker());
            const auto open = [&](const char* path, int how) {
                const auto result = puppet.call(
                    SYS_openat,
                    {kHere, puppet.text(path), static_cast<unsigned long long>(how), 0600});
                require(result.has_value(), QString("it dies of opening ") + path);
                return *result;
            };
            require(open("/run/anybody's", O_RDWR) == -EROFS, "a file that all may write to");
            require(open("/etc/passwd", O_RDWR) < 0, "a file of root's");
            require(open("/etc/shadow", O_RDONLY) == -EACCES, "a secret");
            require(open("/dev/ublk-control", O_RDWR) == -EACCES, "the control node");
            require(open("/proc/sys/kernel/core_pattern", O_RDWR) < 0, "a setting");
            // Only who has stores makes files. To the other it is a deadly thing to ask for.
            if (daemon == &rig.target())
                require(open("/run/anybody's folder/new", O_RDWR | O_CREAT) == -EROFS,
                        "a new file");
        }
        disk.compare();
    });
}

void TestConfinement::diesTrying_data() {
    QTest::addColumn<bool>("lend");
    QTest::addColumn<int>("first");
    // Five deaths of one worker within a minute are too many.
    for (int first = 0; first < int(kDeadly.size()); first += 3) {
        if (hasTurn(first))
            QTest::addRow("attach, from %d", first) << false << first;
        if (hasTurn(first + 1))
            QTest::addRow("lend, from %d", first) << true << first;
    }
}

void TestConfinement::diesTrying() {
    QFETCH(const int, first);
    play([&](Rig& rig) {
        Disk& disk = rig.offer("disk", 4);
        rig.start();
        for (int i = first; i < std::min(first + 3, int(kDeadly.size())); ++i)
            for (Daemon* daemon : {&rig.host(), &rig.gadget()}) {
                const Attempt& what = kDeadly[static_cast<std::size_t>(i)];
                rig.note(QString("%1's worker is to %2").arg(daemon->name(), what.name));
                Puppet puppet(daemon->worker());
                const auto result = attempt(puppet, what);
                require(!result, QString("it lived, with %1").arg(result.value_or(0)));
                require(puppet.signal() == SIGSYS, "it died of something else");
                rig.waitForState(disk, "live");
            }
        rig.compare();
    });
}

void TestConfinement::guardsDieTrying() {
    play([](Rig& rig) {
        rig.offer("disk", 4);
        rig.start();
        const pid_t guard = guardOf(rig.gadget().worker());
        require(guard != 0, "the gadget's worker has no AIO guard");
        require(statusOf(guard, "Seccomp") == "2", "it has no system call filter");
        Puppet puppet(guard);
        require(!attempt(puppet, kDeadly.front()), "it lived");
        require(puppet.signal() == SIGSYS, "it died of something else");
    });
}

QTEST_GUILESS_MAIN(TestConfinement)
#include "tst_confinement.moc"
