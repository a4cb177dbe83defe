// memory_hog hold LEFT_MIB: takes memory until no more than LEFT_MIB is available.
// memory_hog fragment LEFT_MIB: takes all of it and gives LEFT_MIB back in pieces of 32 KiB, none
// of which has its other half: nobody gets physically contiguous memory of more than that.
//
// Prints "ready" and keeps it until it is killed. As root: reads where its pages lie.
#include "core/base/fd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24  // since Linux 5.18
#endif

constexpr std::size_t kPage = 4096;
constexpr std::size_t kStep = std::size_t{4} << 20;
// In larger pieces, what is left while there is nothing else: more than vm.min_free_kbytes, which
// should be set low; and in the end.
constexpr std::size_t kLargeKib = 6 << 10;
constexpr std::size_t kLargeKibAtLast = 512;
constexpr std::size_t kLargePiece = std::size_t{64} << 10;
// An aligned run of so many pages is the largest block that becomes free, and its other half is
// kept (mm/page_alloc.c joins a block with that one only).
constexpr std::uint64_t kPiecePages = 8;

std::size_t availableMib() {
    std::ifstream file("/proc/meminfo");
    for (std::string name, rest; file >> name && std::getline(file, rest);)
        if (name == "MemAvailable:")
            return std::strtoul(rest.c_str(), nullptr, 10) / 1024;
    return 0;
}

// What is free in pieces of more than 32 KiB, where all but old devices take their memory from.
std::size_t largePiecesKib() {
    std::ifstream file("/proc/buddyinfo");
    std::size_t pages = 0;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line.substr(line.find("zone") + 4));
        std::string zone;
        words >> zone;
        std::size_t count = 0;
        for (std::size_t order = 0; zone != "DMA" && words >> count; ++order)
            if (std::size_t{1} << order > kPiecePages)
                pages += count << order;
    }
    return pages * kPage >> 10;
}

std::byte* map(std::size_t bytes) {
    void* memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        std::perror("map memory");
        std::exit(2);
    }
    return static_cast<std::byte*>(memory);
}

// Memory that is there and stays: locked, so that neither reclaim nor compaction touches it.
std::byte* takeStep() {
    std::byte* memory = map(kStep);
    if (::madvise(memory, kStep, MADV_NOHUGEPAGE) < 0 || ::mlock(memory, kStep) < 0) {
        std::perror("take memory");
        std::exit(2);
    }
    return memory;
}

// Where huge pages may be of this size, the kernel takes them in one piece as long as it has some,
// and makes none for whoever does not ask for that.
class LargePieces {
 public:
    // Most of what there is.
    void take() {
        for (; at_ < kMost && largePiecesKib() > kLargeKibAtLast; at_ += kLargePiece)
            memory_[at_] = std::byte{1};
    }

 private:
    static constexpr std::size_t kMost = std::size_t{64} << 20;
    std::byte* memory_ = map(kMost);
    std::size_t at_ = 0;
};

// A page of memory, and where it lies.
struct Page {
    std::uint64_t frame = 0;
    std::byte* address = nullptr;
};

// Of all that is taken. Their memory is there beforehand: later there is none.
std::vector<Page> makePages() {
    const std::size_t most = availableMib() * ((std::size_t{1} << 20) / kPage);
    std::vector<Page> pages(most);
    pages.clear();
    return pages;
}

void addPages(int pagemap, std::byte* step, std::vector<Page>& pages) {
    std::array<std::uint64_t, kStep / kPage> entries{};
    const auto at = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(step) / kPage * 8);
    if (::pread(pagemap, entries.data(), sizeof entries, at) != ssize_t(sizeof entries)) {
        std::perror("read where memory lies");
        std::exit(2);
    }
    for (std::size_t i = 0; i < entries.size() && pages.size() < pages.capacity(); ++i)
        pages.push_back({entries[i] & ((std::uint64_t{1} << 55) - 1), step + i * kPage});
}

void giveBackPieces(std::vector<Page>& pages, std::size_t mib) {
    std::ranges::sort(pages, {}, &Page::frame);
    std::size_t left = (mib << 20) / kPage / kPiecePages;
    for (std::size_t i = 0; i + 2 * kPiecePages <= pages.size() && left > 0; ++i) {
        const std::uint64_t first = pages[i].frame;
        if (first % (2 * kPiecePages) != 0 ||
            pages[i + 2 * kPiecePages - 1].frame != first + 2 * kPiecePages - 1)
            continue;
        for (std::uint64_t j = 0; j < kPiecePages; ++j)
            if (::madvise(pages[i + j].address, kPage, MADV_DONTNEED_LOCKED) < 0) {
                std::perror("give memory back");
                std::exit(2);
            }
        --left;
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc == 3 ? argv[1] : "";
    if (mode != "hold" && mode != "fragment") {
        std::fprintf(stderr, "memory_hog: wrong arguments\n");
        return 2;
    }
    const std::size_t mib = std::strtoul(argv[2], nullptr, 10);
    const belay::Fd pagemap(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
    std::vector<Page> pages = makePages();
    while (mode == "hold" ? availableMib() > mib : largePiecesKib() > kLargeKib)
        addPages(pagemap.get(), takeStep(), pages);
    LargePieces large;
    if (mode == "fragment") {
        giveBackPieces(pages, mib);
        large.take();
    }
    std::printf("ready\n");
    std::fflush(stdout);
    // The kernel goes on making some.
    while (mode == "fragment") {
        large.take();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ::pause();
}
