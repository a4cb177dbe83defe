// first_io SERIAL PREFIX SECONDS: how long a gadget's block device takes to be of use.
//
// Waits for a USB device with that serial number (the host has enumerated the gadget), then for a
// new block device whose name starts with PREFIX, then for 4 KiB read from it. Prints the node and
// the milliseconds from the first to the last. Start it before the gadget.
#include "core/base/clock.h"
#include "core/base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

std::set<std::string> namesIn(const std::string& folder) {
    std::set<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder.c_str()), ::closedir);
    while (const dirent* entry = listing ? ::readdir(listing.get()) : nullptr)
        names.insert(entry->d_name);
    return names;
}

bool isEnumerated(const std::string& serial) {
    static const std::string folder = "/sys/bus/usb/devices/";
    for (const std::string& device : namesIn(folder)) {
        std::string line;
        if (std::ifstream file(folder + device + "/serial"); std::getline(file, line))
            if (line == serial)
                return true;
    }
    return false;
}

// A block device that was not there before; empty when there is none.
std::string newDevice(const std::string& prefix, const std::set<std::string>& before) {
    for (const std::string& name : namesIn("/sys/block"))
        if (name.starts_with(prefix) && !before.contains(name))
            return "/dev/" + name;
    return {};
}

bool canRead(const std::string& node) {
    constexpr std::size_t kBytes = 4096;
    static const std::unique_ptr<void, void (*)(void*)> memory(std::aligned_alloc(kBytes, kBytes),
                                                               std::free);
    const belay::Fd file(::open(node.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
    return file && ::pread(file.get(), memory.get(), kBytes, 0) == static_cast<ssize_t>(kBytes);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        fmt::print(stderr, "usage: first_io SERIAL PREFIX SECONDS\n");
        return 2;
    }
    const std::string serial = argv[1];
    const std::string prefix = argv[2];
    const std::set<std::string> before = namesIn("/sys/block");
    const belay::TimePoint limit = belay::Clock::now() + std::chrono::seconds(std::atoi(argv[3]));
    while (!isEnumerated(serial)) {
        if (belay::Clock::now() > limit) {
            fmt::print(stderr, "first_io: no USB device {} appeared\n", serial);
            return 1;
        }
        std::this_thread::sleep_for(2ms);
    }
    const belay::TimePoint enumerated = belay::Clock::now();
    for (;;) {
        const std::string node = newDevice(prefix, before);
        if (!node.empty() && canRead(node)) {
            const std::chrono::duration<double, std::milli> took = belay::Clock::now() - enumerated;
            fmt::print("{} {:.1f}\n", node, took.count());
            return 0;
        }
        if (belay::Clock::now() > limit) {
            fmt::print(stderr, "first_io: no readable device {}* appeared\n", prefix);
            return 1;
        }
        std::this_thread::sleep_for(2ms);
    }
}
