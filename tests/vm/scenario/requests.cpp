// requests watch NODE
//     reads 4 KiB after 4 KiB past the page cache until SIGTERM, 5 ms apart, then prints how many
//     it read and the longest time, in ms, that an answer took; not counting time in which nothing
//     at all got a turn on this machine
// requests cut NODE read|write SEED MICROSECONDS PULL_MS FILE
//     asks for the first MiB of NODE in one request and MICROSECONDS later writes "1" to FILE,
//     which disables a USB port, and "0" PULL_MS after that. `write` puts there what SEED makes,
//     `read` expects it. Status 0 if the request succeeds in full.
// requests at FILE write|read|blank|discard|zero OFFSET BYTES [SEED]
//     of a block device or a file, past the page cache: writes what SEED makes of each MiB, or
//     expects it; expects zeroes; has the block device discard or write zeroes, in one request.
#include "core/base/fd.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBreath{5};

constexpr std::size_t kMebibyte = 1 << 20;

volatile std::sig_atomic_t ended = 0;

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};
using Buffer = std::unique_ptr<char, Free>;

// O_DIRECT wants it aligned.
Buffer makeBuffer() {
    return Buffer(static_cast<char*>(std::aligned_alloc(4096, kMebibyte)));
}

long long toMs(Clock::duration span) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
}

// How long the machine stood still: a thread that wants a turn every few milliseconds and sums up
// how much later it gets it.
class Standstill {
 public:
    Standstill() : thread_([this] { run(); }) {}
    ~Standstill() {
        ended_ = true;
        thread_.join();
    }
    Clock::duration sum() const { return Clock::duration(sum_.load()); }

 private:
    void run() {
        constexpr std::chrono::milliseconds kTick(2);
        for (auto due = Clock::now() + kTick; !ended_; due = Clock::now() + kTick) {
            std::this_thread::sleep_until(due);
            sum_ += (Clock::now() - due).count();
        }
    }

    std::atomic<bool> ended_ = false;
    std::atomic<Clock::rep> sum_ = 0;
    std::thread thread_;
};

int watch(const char* node) {
    struct sigaction action = {};
    action.sa_handler = [](int) { ended = 1; };
    ::sigaction(SIGTERM, &action, nullptr);
    const belay::Fd disk(::open(node, O_RDONLY | O_DIRECT | O_CLOEXEC));
    const Buffer buffer = makeBuffer();
    const Standstill standstill;
    long long reads = 0;
    Clock::duration longest{};
    Clock::duration stoodStill{};
    auto last = Clock::now();
    auto still = standstill.sum();
    for (off_t offset = 0; ended == 0; offset = (offset + 4096) % off_t(kMebibyte)) {
        if (::pread(disk.get(), buffer.get(), 4096, offset) != 4096) {
            std::perror(node);
            return EXIT_FAILURE;
        }
        ++reads;
        const auto now = Clock::now();
        const auto slept = standstill.sum();
        if (const auto pause = now - last - (slept - still); pause > longest) {
            longest = pause;
            stoodStill = slept - still;
        }
        // One that never waits takes the processor from the programs that a scenario starts.
        std::this_thread::sleep_for(kBreath);
        last = Clock::now();
        still = standstill.sum();
    }
    std::printf("reads %lld longest %lld ms (and %lld ms of standstill)\n", reads, toMs(longest),
                toMs(stoodStill));
    return EXIT_SUCCESS;
}

void fill(const Buffer& buffer, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::size_t at = 0; at < kMebibyte; at += sizeof(std::uint64_t)) {
        const std::uint64_t word = random();
        std::memcpy(buffer.get() + at, &word, sizeof word);
    }
}

bool setPort(const char* file, const char* value) {
    const belay::Fd port(::open(file, O_WRONLY | O_CLOEXEC));
    return port && ::write(port.get(), value, 1) == 1;
}

int cut(char** arguments) {
    const std::string node = arguments[0];
    const bool writing = std::string(arguments[1]) == "write";
    const auto seed = std::strtoull(arguments[2], nullptr, 10);
    const std::chrono::microseconds delay(std::strtol(arguments[3], nullptr, 10));
    const std::chrono::milliseconds pulled(std::strtol(arguments[4], nullptr, 10));
    const char* port = arguments[5];

    const Buffer expected = makeBuffer();
    fill(expected, seed);
    const Buffer got = makeBuffer();
    const belay::Fd disk(::open(node.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
    if (!disk) {
        std::perror(node.c_str());
        return EXIT_FAILURE;
    }

    std::atomic<bool> begun = false;
    ssize_t length = 0;
    const auto start = Clock::now();
    std::thread request([&] {
        begun = true;
        length = writing ? ::pwrite(disk.get(), expected.get(), kMebibyte, 0)
                         : ::pread(disk.get(), got.get(), kMebibyte, 0);
        if (length < 0)
            std::perror("request");
    });
    while (!begun)
        std::this_thread::yield();
    std::this_thread::sleep_for(delay);
    bool ported = setPort(port, "1");
    std::this_thread::sleep_for(pulled);
    ported = setPort(port, "0") && ported;
    request.join();
    std::printf("%s took %lld ms\n", arguments[1], toMs(Clock::now() - start));
    if (!ported)
        std::fprintf(stderr, "cannot write to %s\n", port);
    if (!ported || length != ssize_t(kMebibyte))
        return EXIT_FAILURE;
    if (!writing && std::memcmp(expected.get(), got.get(), kMebibyte) != 0) {
        std::fprintf(stderr, "read something else than was written\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

struct Range {
    std::uint64_t offset;
    std::uint64_t bytes;
};

// Writes each MiB of the range, or expects it to be there.
int transfer(int file, Range range, const Buffer& expected, bool writing) {
    const Buffer got = makeBuffer();
    for (const std::uint64_t end = range.offset + range.bytes; range.offset < end;) {
        const auto length =
            static_cast<std::size_t>(std::min<std::uint64_t>(end - range.offset, kMebibyte));
        const auto at = static_cast<off_t>(range.offset);
        const ssize_t done = writing ? ::pwrite(file, expected.get(), length, at)
                                     : ::pread(file, got.get(), length, at);
        if (done != static_cast<ssize_t>(length)) {
            std::fprintf(stderr, "%zd of %zu bytes at %llu: %s\n", done, length,
                         static_cast<unsigned long long>(range.offset), std::strerror(errno));
            return EXIT_FAILURE;
        }
        if (!writing && std::memcmp(expected.get(), got.get(), length) != 0) {
            std::fprintf(stderr, "something else at %llu\n",
                         static_cast<unsigned long long>(range.offset));
            return EXIT_FAILURE;
        }
        range.offset += length;
    }
    return EXIT_SUCCESS;
}

int at(const char* path, const std::string& what, Range range, std::uint64_t seed) {
    const belay::Fd file(::open(path, O_RDWR | O_DIRECT | O_CLOEXEC));
    if (!file) {
        std::perror(path);
        return EXIT_FAILURE;
    }
    if (what == "discard" || what == "zero") {
        const std::uint64_t argument[] = {range.offset, range.bytes};
        // Zeroes that take no room, if possible (block/fops.c, blkdev_fallocate).
        const int status =
            what == "discard"
                ? ::ioctl(file.get(), BLKDISCARD, &argument)
                : ::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                              static_cast<off_t>(range.offset), static_cast<off_t>(range.bytes));
        if (status != 0)
            std::perror(what.c_str());
        return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    const Buffer expected = makeBuffer();
    if (what == "blank")
        std::memset(expected.get(), 0, kMebibyte);
    else
        fill(expected, seed);
    return transfer(file.get(), range, expected, what == "write");
}

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    if (mode == "watch" && argc == 3)
        return watch(argv[2]);
    if (mode == "cut" && argc == 8)
        return cut(argv + 2);
    if (mode == "at" && argc >= 6) {
        const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
        return at(argv[2], argv[3], {number(4), number(5)}, argc > 6 ? number(6) : 0);
    }
    std::fprintf(stderr, "requests: wrong arguments\n");
    return 2;
}
