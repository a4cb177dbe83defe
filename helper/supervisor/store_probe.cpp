#include "helper/supervisor/store_probe.h"

#include "core/base/fd.h"
#include "core/base/log.h"
#include "core/store/clean_record.h"
#include "core/store/medium.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string_view>

namespace belay::helper {
namespace {

// A pipe's worth.
constexpr std::size_t kLongest = 64 << 10;

void probe(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file)
        static_cast<void>(store::unrecorded(file.get(), path, store::readMedium));
}

}  // namespace

std::unique_ptr<OwnTask> probeStores(Ring& ring, const std::vector<std::string>& paths,
                                     std::function<void()> done) {
    OwnTask::Work work{
        .args = {"belay-probe", kProbeStoresArgument}, .input = {}, .longestAnswer = 0};
    for (const std::string& path : paths) {
        const auto bytes = std::as_bytes(std::span(path.c_str(), path.size() + 1));
        work.input.insert(work.input.end(), bytes.begin(), bytes.end());
    }
    return std::make_unique<OwnTask>(ring, std::move(work),
                                     [done = std::move(done)](const auto&) { done(); });
}

int probeStoresMain() {
    log::setup("belay-probe", log::Level::Error);
    const auto input = OwnTask::readInput(kLongest);
    if (!input)
        return EXIT_FAILURE;
    std::string_view left(reinterpret_cast<const char*>(input->data()), input->size());
    while (!left.empty()) {
        const std::string path(left.substr(0, left.find('\0')));
        left.remove_prefix(std::min(path.size() + 1, left.size()));
        probe(path);
    }
    return EXIT_SUCCESS;
}

}  // namespace belay::helper
