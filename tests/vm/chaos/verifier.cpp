// chaos_verifier make MODEL STORE SEED MIB
//     makes STORE, a file of so many MiB, and the model of what a disk made of it may show
// chaos_verifier run MODEL NODE SEED
//     writes and reads NODE until SIGTERM, and says on standard output what it saw that may not be.
//     Status 0 after SIGTERM; 1 if something was wrong; 3 if the disk is gone and errors are
//     allowed
// chaos_verifier check MODEL NODE
//     reads all of NODE (or of the store) and compares
// chaos_verifier squeeze MIB MS
//     uses so much memory for so long
#include "core/base/fd.h"
#include "tests/vm/chaos/model.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using chaos::kBlock;
using chaos::Model;

namespace {

constexpr int kStatusGone = 3;
constexpr unsigned kWriters = 3;
constexpr std::uint32_t kMostBlocks = 64;  // of one request

std::atomic<int> status = EXIT_SUCCESS;
std::atomic<bool> ended = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void end(int with) {
    int none = EXIT_SUCCESS;
    status.compare_exchange_strong(none, with);
    ended = true;
}

struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
};
using Buffer = std::unique_ptr<std::byte, Free>;

// O_DIRECT wants it aligned.
Buffer makeBuffer() {
    return Buffer(static_cast<std::byte*>(std::aligned_alloc(kBlock, kMostBlocks * kBlock)));
}

belay::Fd openDisk(const char* path, int flags) {
    belay::Fd disk(::open(path, flags | O_CLOEXEC));
    if (!disk) {
        std::perror(path);
        std::exit(2);
    }
    return disk;
}

// Counts a request, and judges one that failed.
bool succeeded(Model& model, bool success, const char* what, std::uint32_t block) {
    const int reason = errno;
    model.count(success);
    if (success)
        return true;
    const bool gone = reason == ENODEV || reason == ENXIO;
    if (!model.errorsAllowed()) {
        std::printf("%s at block %u failed though nothing allows it: %s\n", what, block,
                    std::strerror(reason));
        end(EXIT_FAILURE);
    } else if (gone) {
        end(kStatusGone);
    } else {
        std::this_thread::sleep_for(100ms);
    }
    return false;
}

// Whether what was read may be there; says what may not.
bool matches(Model& model, const Buffer& buffer, std::uint32_t first, std::uint32_t length) {
    for (std::uint32_t i = 0; i < length; ++i)
        if (const auto wrong = model.take({buffer.get() + i * kBlock, kBlock}, first + i)) {
            std::printf("%s\n", wrong->c_str());
            return false;
        }
    return true;
}

// Uses the blocks of one part of the disk, one request after the other.
class Writer {
 public:
    Writer(Model& model, int disk, std::uint64_t seed, std::uint32_t first, std::uint32_t count)
        : model_(model), disk_(disk), random_(seed), first_(first), count_(count) {}

    void run() {
        while (!ended) {
            const std::uint32_t length = 1 + below(below(2) == 0 ? 4 : kMostBlocks);
            const std::uint32_t block = first_ + below(count_ - length + 1);
            switch (below(10)) {
                case 0:
                    writeZeroes(block, length);
                    break;
                case 1:
                    write(block, length, RWF_DSYNC);
                    break;
                case 2:
                case 3:
                case 4:
                case 5:
                    read(block, length);
                    break;
                default:
                    write(block, length, 0);
            }
            // An emulated machine has more to do than this.
            std::this_thread::sleep_for(std::chrono::milliseconds(5 + below(20)));
        }
    }

 private:
    std::uint32_t below(std::uint32_t limit) {
        return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(random_);
    }

    std::span<std::byte> blockOf(std::uint32_t index) {
        return {buffer_.get() + index * kBlock, kBlock};
    }

    void begin(std::uint32_t block, std::uint32_t length, bool zeroes) {
        generations_.clear();
        for (std::uint32_t i = 0; i < length; ++i)
            generations_.push_back(model_.writeBegins(block + i, zeroes));
    }

    void answered(std::uint32_t block, bool durable) {
        for (std::uint32_t i = 0; i < generations_.size(); ++i)
            model_.writeAnswered(block + i, generations_[i], durable);
    }

    void write(std::uint32_t block, std::uint32_t length, int flags) {
        begin(block, length, false);
        for (std::uint32_t i = 0; i < length; ++i)
            model_.fill(blockOf(i), block + i, generations_[i]);
        const iovec part{buffer_.get(), length * kBlock};
        const ssize_t done = ::pwritev2(disk_, &part, 1, off_t(block) * off_t(kBlock), flags);
        if (succeeded(model_, done == ssize_t(part.iov_len), "write", block))
            answered(block, flags != 0);
    }

    void writeZeroes(std::uint32_t block, std::uint32_t length) {
        begin(block, length, true);
        const int done = ::fallocate(disk_, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
                                     off_t(block) * off_t(kBlock), off_t(length) * off_t(kBlock));
        if (succeeded(model_, done == 0, "write zeroes", block))
            answered(block, false);
    }

    void read(std::uint32_t block, std::uint32_t length) {
        const ssize_t done =
            ::pread(disk_, buffer_.get(), length * kBlock, off_t(block) * off_t(kBlock));
        if (!succeeded(model_, done == ssize_t(length * kBlock), "read", block))
            return;
        if (!matches(model_, buffer_, block, length))
            end(EXIT_FAILURE);
    }

    Model& model_;
    int disk_;
    std::mt19937_64 random_;
    std::uint32_t first_;
    std::uint32_t count_;
    Buffer buffer_ = makeBuffer();
    std::vector<std::uint32_t> generations_;
};

void flushNowAndThen(Model& model, int disk, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    while (!ended) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 700));
        const auto before = model.answered();
        if (succeeded(model, ::fdatasync(disk) == 0, "flush", 0))
            model.flushAnswered(before);
    }
}

int make(const char* file, const char* store, std::uint64_t seed, std::uint32_t mib) {
    const std::uint32_t blocks = mib * ((1 << 20) / kBlock);
    const Model model = Model::make(file, seed, blocks);
    const belay::Fd made = openDisk(store, O_WRONLY | O_CREAT | O_TRUNC);
    std::vector<std::byte> content(kBlock);
    for (std::uint32_t block = 0; block < blocks; ++block) {
        model.fill(content, block, 0);
        if (::write(made.get(), content.data(), kBlock) != ssize_t(kBlock)) {
            std::perror(store);
            return 2;
        }
    }
    return EXIT_SUCCESS;
}

int run(const char* file, const char* node, std::uint64_t seed) {
    std::signal(SIGTERM, [](int) { ended = true; });
    Model model = Model::open(file);
    const belay::Fd disk = openDisk(node, O_RDWR | O_DIRECT);
    std::vector<std::thread> threads;
    const std::uint32_t share = model.blocks() / kWriters;
    for (unsigned i = 0; i < kWriters; ++i)
        threads.emplace_back(
            [&, i] { Writer(model, disk.get(), seed + i, i * share, share).run(); });
    threads.emplace_back([&] { flushNowAndThen(model, disk.get(), seed + kWriters); });
    for (std::thread& thread : threads)
        thread.join();
    std::printf("%llu requests succeeded, %llu failed\n",
                static_cast<unsigned long long>(model.succeeded()),
                static_cast<unsigned long long>(model.failed()));
    return status;
}

int check(const char* file, const char* node) {
    Model model = Model::open(file);
    const belay::Fd disk = openDisk(node, O_RDONLY | O_DIRECT);
    const Buffer buffer = makeBuffer();
    for (std::uint32_t block = 0; block < model.blocks(); block += kMostBlocks) {
        const std::uint32_t length = std::min(kMostBlocks, model.blocks() - block);
        if (::pread(disk.get(), buffer.get(), length * kBlock, off_t(block) * off_t(kBlock)) !=
            ssize_t(length * kBlock)) {
            std::perror(node);
            return EXIT_FAILURE;
        }
        if (!matches(model, buffer, block, length))
            return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int squeeze(std::size_t mib, std::chrono::milliseconds span) {
    std::vector<char> memory(mib << 20, 1);
    std::this_thread::sleep_for(span);
    return memory.front() == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

std::uint64_t number(const char* text) {
    return std::strtoull(text, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const std::string mode = argc > 1 ? argv[1] : "";
    if (mode == "make" && argc == 6)
        return make(argv[2], argv[3], number(argv[4]), static_cast<std::uint32_t>(number(argv[5])));
    if (mode == "run" && argc == 5)
        return run(argv[2], argv[3], number(argv[4]));
    if (mode == "check" && argc == 4)
        return check(argv[2], argv[3]);
    if (mode == "squeeze" && argc == 4)
        return squeeze(number(argv[2]), std::chrono::milliseconds(number(argv[3])));
    std::fprintf(stderr, "chaos_verifier: wrong arguments\n");
    return 2;
}
