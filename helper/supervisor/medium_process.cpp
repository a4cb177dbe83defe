#include "helper/supervisor/medium_process.h"

#include "core/base/abandoned.h"
#include "helper/supervisor/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
// A busy machine takes a while to start a program.
constexpr auto kReadPatience = 10s;
constexpr int kMedium = 3;
constexpr int kAnswer = 4;
constexpr std::string_view kRead = "read ";
constexpr std::string_view kFailed = "failed ";
constexpr const char* kWhat = "read the start of the medium";

// All of it is in one write() that fits into a pipe.
std::string receive(int pipe) {
    std::array<char, 512> buffer{};
    pollfd readable{pipe, POLLIN, 0};
    const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(kReadPatience);
    if (::poll(&readable, 1, static_cast<int>(patience.count())) <= 0)
        return {};
    const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
    return std::string(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
}

}  // namespace

Result<store::MediumContent> readMediumElsewhere(Ring& ring, int fd) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return systemError(kWhat);
    const Fd answer(ends[0]);
    std::vector<Fd> fds;
    fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    fds.emplace_back(ends[1]);
    const auto child =
        Child::spawn(ring, {{}, {"belay-medium", kReadMediumArgument}, std::move(fds)}, [](int) {});
    if (!child)
        return tl::make_unexpected(child.error());
    const std::string text = receive(answer.get());
    // By then it has ended, or hangs with its disk.
    ring.callAfter(kReadPatience, [] { reapAbandoned(); });
    if (text.starts_with(kFailed))
        return errorFrom(std::atoi(text.c_str() + kFailed.size()), kWhat);
    if (text.starts_with(kRead))
        if (auto content = store::MediumContent::parse(std::string_view(text).substr(kRead.size())))
            return *std::move(content);
    return errorFrom(ETIMEDOUT, kWhat, {}, "The disk does not answer: see dmesg");
}

int readMediumMain() {
    const auto content = store::readMedium(kMedium);
    const std::string text = content ? std::string(kRead) + content->toText()
                                     : fmt::format("{}{}", kFailed, content.error().code);
    const bool told =
        ::write(kAnswer, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    return told && content ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace belay::helper
