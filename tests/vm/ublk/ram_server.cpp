// A ublk server with its bytes in a file of a memory file system, so that they outlive it.
//
//   ublk_ram_server start|recover ID FILE [OPTION...]
//     --user UID     drop root for this user before the device is touched
//     --hold         never answer a request
//     --delay MS     answer each request so much later
//     --die-at STEP  SIGKILL itself on entering this step of the bring-up, or "sent" (the last
//                    command is under way)
//     --die-after N  SIGKILL itself when the Nth request arrives
//     --heap         copy through a mapping of a dma-buf, as a link's transfer memory would be
//     --deadline MS  for the bring-up (5000)
//
// Says on stdout, a line each: "serving", "lost: ...", "not this process: ...", "refused: ...",
// "held N", "unpinnable", "gone: ...".

#include "core/base/fd.h"
#include "core/ublk/bringup.h"
#include "core/ublk/queue.h"
#include "core/ublk/server_control.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/dma-heap.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

using namespace belay;
using namespace belay::ublk;

namespace {

constexpr std::size_t kHeapBytes = 1 << 20;

void say(const std::string& line) {
    const std::string text = line + "\n";
    if (::write(STDOUT_FILENO, text.data(), text.size()) < 0)
        ::_exit(3);
}

[[noreturn]] void giveUp(const std::string& why) {
    say("failed: " + why);
    ::_exit(2);
}

struct Options {
    Bringup::Kind kind = Bringup::Kind::Start;
    DeviceId id{};
    std::string file;
    std::optional<uid_t> user;
    bool hold = false;
    bool heap = false;
    std::chrono::milliseconds delay{0};
    std::chrono::milliseconds deadline{5000};
    std::string dieAt;
    int dieAfter = 0;
};

Options parse(const std::vector<std::string>& arguments) {
    if (arguments.size() < 4)
        giveUp("see the head of ram_server.cpp");
    Options options;
    options.kind = arguments[1] == "recover" ? Bringup::Kind::Recover : Bringup::Kind::Start;
    options.id = DeviceId(static_cast<std::uint32_t>(std::stoul(arguments[2])));
    options.file = arguments[3];
    for (std::size_t i = 4; i < arguments.size(); ++i) {
        const std::string& option = arguments[i];
        const auto number = [&] { return std::stoi(arguments.at(++i)); };
        if (option == "--user")
            options.user = static_cast<uid_t>(number());
        else if (option == "--hold")
            options.hold = true;
        else if (option == "--heap")
            options.heap = true;
        else if (option == "--delay")
            options.delay = std::chrono::milliseconds(number());
        else if (option == "--deadline")
            options.deadline = std::chrono::milliseconds(number());
        else if (option == "--die-after")
            options.dieAfter = number();
        else if (option == "--die-at")
            options.dieAt = arguments.at(++i);
        else
            giveUp("unknown option " + option);
    }
    return options;
}

ByteSpan mapFile(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0)
        giveUp("open " + path);
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (memory == MAP_FAILED)
        giveUp("map " + path);
    return {static_cast<std::byte*>(memory), size};
}

ByteSpan mapHeap() {
    const Fd heap(::open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC));
    dma_heap_allocation_data wanted{};
    wanted.len = kHeapBytes;
    wanted.fd_flags = O_RDWR | O_CLOEXEC;
    if (!heap || ::ioctl(heap.get(), DMA_HEAP_IOCTL_ALLOC, &wanted) != 0)
        giveUp("allocate from /dev/dma_heap/system");
    const Fd buffer(static_cast<int>(wanted.fd));
    void* const memory =
        ::mmap(nullptr, kHeapBytes, PROT_READ | PROT_WRITE, MAP_SHARED, buffer.get(), 0);
    if (memory == MAP_FAILED)
        giveUp("map a dma-buf");
    return {static_cast<std::byte*>(memory), kHeapBytes};
}

void dropPrivileges(uid_t user) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0 ||
        ::setresuid(user, user, user) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        giveUp("drop privileges");
    if (::open("/dev/ublk-control", O_RDWR | O_CLOEXEC) >= 0)
        giveUp("still may open /dev/ublk-control");
}

// The restricted ring must be of no use for anything else, or it is not worth its name.
void checkRestrictions(const ServerControl& control) {
    if (::syscall(SYS_io_uring_register, control.ringFd(), IORING_REGISTER_PERSONALITY, nullptr,
                  0) >= 0)
        giveUp("the control ring registers credentials");
    int file = STDIN_FILENO;
    io_uring_files_update update{};
    update.fds = reinterpret_cast<std::uint64_t>(&file);
    if (::syscall(SYS_io_uring_register, control.ringFd(), IORING_REGISTER_FILES_UPDATE, &update,
                  1) >= 0)
        giveUp("the control ring registers files");
}

class RamServer final : QueueListener {
 public:
    RamServer(const Options& options, ByteSpan bytes, ServerControl& control, Ring& ring)
        : options_(options),
          bytes_(bytes),
          ring_(ring),
          queue_(ring, *this),
          bringup_(ring, control, queue_, options.id, options.kind) {
        if (options.heap)
            heap_ = mapHeap();
    }

    void run() {
        bringup_.observe([this](Bringup::Step step) { entered(step); });
        bringup_.begin(options_.deadline, [this](Bringup::Outcome outcome, const Error& error) {
            if (outcome == Bringup::Outcome::Serving)
                return say("serving");
            static constexpr const char* kWords[] = {"serving", "lost", "not this process",
                                                     "refused"};
            say(fmt::format("{}: {}", kWords[static_cast<int>(outcome)], error.message()));
            ring_.stop();
        });
        if (const auto ran = ring_.run(); !ran)
            giveUp(ran.error().message());
    }

 private:
    void entered(Bringup::Step step) {
        static constexpr const char* kNames[] = {"looking",  "claiming",  "opening",
                                                 "fetching", "finishing", "ended"};
        if (options_.dieAt == kNames[static_cast<int>(step)])
            ::kill(::getpid(), SIGKILL);
        if (options_.dieAt == "sent" && step == Bringup::Step::Finishing)
            ring_.callAtEndOfTurn([] { ::kill(::getpid(), SIGKILL); });
    }

    void requestArrived(Tag tag) override {
        if (++arrived_ == options_.dieAfter)
            ::kill(::getpid(), SIGKILL);
        if (options_.hold)
            return say(fmt::format("held {}", queue_.inServer()));
        if (options_.delay.count() > 0)
            ring_.callAfter(options_.delay, [this, tag] { serve(tag); });
        else
            serve(tag);
    }

    void queueGone(const Error& reason) override {
        say("gone: " + reason.message());
        ring_.stop();
    }

    void serve(Tag tag) {
        const auto request = queue_.request(tag);
        if (!request)
            return queue_.commit(tag, -EOPNOTSUPP);
        if (request->offset + request->length > bytes_.size())
            return queue_.commit(tag, -EINVAL);
        const ByteSpan range = bytes_.subspan(request->offset, request->length);
        const auto length = static_cast<int>(request->length);
        switch (request->op) {
            case Request::Op::Read:
                return queue_.commit(tag, read(tag, range) ? length : -EIO);
            case Request::Op::Write:
                return queue_.commit(tag, write(tag, range) ? length : -EIO);
            case Request::Op::Discard:
            case Request::Op::WriteZeroes:
                std::memset(range.data(), 0, range.size());
                return queue_.commit(tag, length);
            case Request::Op::Flush:
                return queue_.commit(tag, 0);
        }
    }

    // Whole or not at all; falls back to ordinary memory when the kernel cannot pin the heap's.
    bool read(Tag tag, ByteSpan range) {
        if (useHeap(range)) {
            std::memcpy(heap_.data(), range.data(), range.size());
            if (whole(queue_.copyToRequest(tag, heap_.first(range.size()), 0), range))
                return true;
        }
        return whole(queue_.copyToRequest(tag, range, 0), range);
    }
    bool write(Tag tag, ByteSpan range) {
        if (useHeap(range) &&
            whole(queue_.copyFromRequest(tag, heap_.first(range.size()), 0), range)) {
            std::memcpy(range.data(), heap_.data(), range.size());
            return true;
        }
        return whole(queue_.copyFromRequest(tag, range, 0), range);
    }
    bool useHeap(ByteSpan range) const { return !heap_.empty() && range.size() <= heap_.size(); }
    bool whole(std::int64_t copied, ByteSpan range) {
        if (copied == static_cast<std::int64_t>(range.size()))
            return true;
        if (copied == 0 && !heap_.empty()) {
            say("unpinnable");
            heap_ = {};
        }
        return false;
    }

    const Options& options_;
    ByteSpan bytes_;
    ByteSpan heap_;
    Ring& ring_;
    Queue queue_;
    Bringup bringup_;
    int arrived_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse({argv, argv + argc});
    const ByteSpan bytes = mapFile(options.file);
    // The ring first: the control ring is watched by it and must go before it.
    auto ring = Ring::create(256);
    if (!ring)
        giveUp(ring.error().message());
    auto control = ServerControl::create();
    if (!control)
        giveUp(control.error().message());
    ::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    RamServer server(options, bytes, **control, **ring);
    if (options.user) {
        dropPrivileges(*options.user);
        checkRestrictions(**control);
    }
    (*control)->watch(**ring);
    server.run();
    return 0;
}
