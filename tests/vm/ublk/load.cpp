// Reads and writes a disk with O_DIRECT from many threads, checking every block read against the
// last one written, until SIGTERM.
//
//   ublk_load NODE THREADS
//
// Each thread has its own part of the disk. A block holds its own number and the count of the
// write that made it, so that a lost, stale or misplaced write shows. Says "ok READS WRITES" and
// exits with 0, or says what is wrong and exits with 1 at once.

#include "core/base/fd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kBlockBytes = 4096;
constexpr std::size_t kLongest = 16;

std::atomic<bool> stopping{false};
std::atomic<unsigned> reads{0};
std::atomic<unsigned> writes{0};

[[noreturn]] void wrong(const std::string& what) {
    const std::string line = "wrong: " + what + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0)
        ::_exit(2);
    ::_exit(1);
}

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};

class Worker {
 public:
    Worker(int disk, std::uint64_t firstBlock, std::uint64_t blocks, unsigned seed)
        : disk_(disk),
          first_(firstBlock),
          counts_(blocks, 0),
          random_(seed),
          buffer_(static_cast<std::uint64_t*>(
              std::aligned_alloc(kBlockBytes, kLongest * kBlockBytes))) {}

    void run() {
        // Whatever was there before is not ours to check.
        for (std::uint64_t block = 0; block < counts_.size(); block += kLongest)
            write(block, std::min<std::uint64_t>(kLongest, counts_.size() - block));
        while (!stopping) {
            const std::uint64_t block = random_() % counts_.size();
            const std::uint64_t count =
                std::min<std::uint64_t>(1 + random_() % kLongest, counts_.size() - block);
            const std::uint64_t choice = random_() % 16;
            if (choice == 0) {
                if (::fdatasync(disk_) != 0)
                    wrong(fmt::format("flush: {}", std::strerror(errno)));
            } else if (choice < 9) {
                write(block, count);
            } else {
                read(block, count);
            }
        }
        for (std::uint64_t block = 0; block < counts_.size(); ++block)
            read(block, 1);
    }

 private:
    static constexpr std::size_t kWords = kBlockBytes / sizeof(std::uint64_t);

    void write(std::uint64_t block, std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t number = ++counts_[block + i];
            for (std::size_t word = 0; word < kWords; ++word)
                buffer_.get()[i * kWords + word] = pattern(block + i, number, word);
        }
        const auto done = ::pwrite(disk_, buffer_.get(), count * kBlockBytes, offsetOf(block));
        if (done != static_cast<ssize_t>(count * kBlockBytes))
            wrong(fmt::format("write of {} at {}: {} ({})", count, first_ + block, done,
                              std::strerror(errno)));
        ++writes;
    }

    void read(std::uint64_t block, std::uint64_t count) {
        std::memset(buffer_.get(), 0xee, count * kBlockBytes);
        const auto done = ::pread(disk_, buffer_.get(), count * kBlockBytes, offsetOf(block));
        if (done != static_cast<ssize_t>(count * kBlockBytes))
            wrong(fmt::format("read of {} at {}: {} ({})", count, first_ + block, done,
                              std::strerror(errno)));
        for (std::uint64_t i = 0; i < count; ++i) {
            for (std::size_t word = 0; word < kWords; ++word) {
                const std::uint64_t got = buffer_.get()[i * kWords + word];
                const std::uint64_t expected = pattern(block + i, counts_[block + i], word);
                if (got != expected)
                    wrong(fmt::format("block {} word {}: {:#x}, expected {:#x}", first_ + block + i,
                                      word, got, expected));
            }
        }
        ++reads;
    }

    std::uint64_t pattern(std::uint64_t block, std::uint64_t count, std::size_t word) const {
        return (first_ + block) << 40 | count << 16 | word;
    }
    off_t offsetOf(std::uint64_t block) const {
        return static_cast<off_t>((first_ + block) * kBlockBytes);
    }

    int disk_;
    std::uint64_t first_;
    std::vector<std::uint64_t> counts_;
    std::mt19937_64 random_;
    std::unique_ptr<std::uint64_t, Free> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3)
        wrong("usage: ublk_load NODE THREADS");
    const belay::Fd disk(::open(argv[1], O_RDWR | O_DIRECT | O_CLOEXEC));
    std::uint64_t bytes = 0;
    if (!disk || ::ioctl(disk.get(), BLKGETSIZE64, &bytes) != 0)
        wrong(fmt::format("open {}: {}", argv[1], std::strerror(errno)));
    struct sigaction action {};
    action.sa_handler = [](int) { stopping = true; };
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGTERM, &action, nullptr);

    const unsigned threads = static_cast<unsigned>(std::atoi(argv[2]));
    const std::uint64_t blocks = bytes / kBlockBytes / threads;
    std::vector<std::thread> running;
    for (unsigned i = 0; i < threads; ++i)
        running.emplace_back([&, i] { Worker(disk.get(), i * blocks, blocks, i).run(); });
    for (std::thread& thread : running)
        thread.join();
    fmt::print("ok {} {}\n", reads.load(), writes.load());
    return 0;
}
