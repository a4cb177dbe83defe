#include "core/ublk/control_process.h"

#include "core/base/abandoned.h"
#include "core/ublk/control.h"
#include "core/ublk/sysfs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace belay::ublk {
namespace {

// Both ends are the same executable, so the structures are the protocol.
struct RequestMessage {
    static constexpr std::uint32_t kMagic = 0x42754331;
    std::uint32_t magic = kMagic;
    ControlRequest request;
};
struct AnswerMessage {
    static constexpr std::uint32_t kMagic = 0x42754132;
    std::uint32_t magic = kMagic;
    bool succeeded = false;
    int code = 0;
    std::array<char, 160> what{};
    std::array<char, 64> object{};
    std::array<char, 240> hint{};
    ControlAnswer answer;
};
static_assert(std::is_trivially_copyable_v<RequestMessage>);
static_assert(std::is_trivially_copyable_v<AnswerMessage>);
static_assert(sizeof(AnswerMessage) < 4096, "one write to a pipe is atomic up to PIPE_BUF");

template <std::size_t N>
void put(std::array<char, N>& field, std::string_view text) {
    std::copy_n(text.data(), std::min(text.size(), N - 1), field.begin());
}

const char* nameOf(ControlRequest::Operation operation) {
    switch (operation) {
        case ControlRequest::Operation::Features:
            return "ask ublk for its features";
        case ControlRequest::Operation::Create:
            return "create a ublk device";
        case ControlRequest::Operation::Tune:
            return "tune";
        case ControlRequest::Operation::Sync:
            return "sync";
        case ControlRequest::Operation::StopUnused:
        case ControlRequest::Operation::Stop:
            return "stop";
        case ControlRequest::Operation::RemoveAsync:
            return "remove";
    }
    return "control ublk";
}

std::string objectOf(const ControlRequest& request) {
    const bool hasDevice = request.operation != ControlRequest::Operation::Features &&
                           request.operation != ControlRequest::Operation::Create;
    return hasDevice ? diskName(request.id) : std::string{};
}

Result<void> spawnSelf(int input, int output, pid_t& process) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    // The caller may block signals for a signalfd; the child must die of them.
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string name = "belay-ublk-control";
    std::string argument = kControlArgument;
    std::array<char*, 3> arguments{name.data(), argument.data(), nullptr};
    const int error =
        ::posix_spawn(&process, "/proc/self/exe", &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return errorFrom(error, "start a control process");
    return {};
}

AnswerMessage answerTo(const ControlRequest& request) {
    const auto run = [&]() -> Result<ControlAnswer> {
        if (request.operation == ControlRequest::Operation::Tune)
            return tune(request.id).map([] { return ControlAnswer{}; });
        if (request.operation == ControlRequest::Operation::Sync)
            return sync(request.id).map([] { return ControlAnswer{}; });
        auto control = Control::open();
        if (!control)
            return tl::make_unexpected(control.error());
        switch (request.operation) {
            case ControlRequest::Operation::Features:
                return control->features().map(
                    [](std::uint64_t features) { return ControlAnswer{.features = features}; });
            case ControlRequest::Operation::Create:
                return control->create(request.spec).map([](const DeviceInfo& info) {
                    return ControlAnswer{.info = info};
                });
            case ControlRequest::Operation::StopUnused:
                return control->stopUnused(request.id).map([] { return ControlAnswer{}; });
            case ControlRequest::Operation::Stop:
                return control->stop(request.id).map([] { return ControlAnswer{}; });
            case ControlRequest::Operation::RemoveAsync:
                return control->removeAsync(request.id).map([] { return ControlAnswer{}; });
            case ControlRequest::Operation::Tune:
            case ControlRequest::Operation::Sync:
                break;
        }
        return failure("control ublk: unknown operation");
    };
    AnswerMessage message;
    if (const auto result = run(); result) {
        message.succeeded = true;
        message.answer = *result;
    } else {
        message.code = result.error().code;
        put(message.what, result.error().what);
        put(message.object, result.error().object);
        put(message.hint, result.error().hint);
    }
    return message;
}

}  // namespace

Result<ControlProcess> ControlProcess::start(const ControlRequest& request) {
    reapAbandoned();
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0)
        return systemError("make a pipe");
    Fd inRead(in[0]);
    Fd inWrite(in[1]);
    if (::pipe2(out.data(), O_CLOEXEC) != 0)
        return systemError("make a pipe");
    Fd outRead(out[0]);
    Fd outWrite(out[1]);
    // Fits into the pipe, so the child need not read for this to return.
    RequestMessage message;
    message.request = request;
    if (::write(inWrite.get(), &message, sizeof message) != ssize_t{sizeof message})
        return systemError("write to a control process");
    ::fcntl(outRead.get(), F_SETFL, O_NONBLOCK);
    pid_t process = 0;
    if (auto spawned = spawnSelf(inRead.get(), outWrite.get(), process); !spawned)
        return tl::make_unexpected(spawned.error());
    return ControlProcess(process, std::move(outRead), request);
}

ControlProcess::ControlProcess(ControlProcess&& other) noexcept
    : process_(std::exchange(other.process_, 0)),
      answer_(std::move(other.answer_)),
      request_(other.request_) {}

ControlProcess::~ControlProcess() {
    if (process_ != 0)
        abandon(process_);
}

std::optional<Result<ControlAnswer>> ControlProcess::poll() {
    AnswerMessage message;
    const ssize_t got = ::read(answer_.get(), &message, sizeof message);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return std::nullopt;
    if (got != ssize_t{sizeof message} || message.magic != AnswerMessage::kMagic)
        return failure(fmt::format("{}: its control process died", nameOf(request_.operation)),
                       objectOf(request_));
    if (message.succeeded)
        return message.answer;
    return errorFrom(message.code, message.what.data(), message.object.data(), message.hint.data());
}

Result<ControlAnswer> runControlProcess(const ControlRequest& request, Duration deadline) {
    auto process = ControlProcess::start(request);
    if (!process)
        return tl::make_unexpected(process.error());
    const TimePoint end = Clock::now() + deadline;
    for (;;) {
        if (auto answer = process->poll())
            return *answer;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        if (left.count() <= 0)
            return errorFrom(ETIMEDOUT, nameOf(request.operation), objectOf(request),
                             "The device's server does not answer: it must be ended first");
        pollfd waiting{.fd = process->readyFd(), .events = POLLIN, .revents = 0};
        ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    }
}

int controlMain() {
    // Started through /proc/self/exe, it would be called "exe" otherwise.
    ::prctl(PR_SET_NAME, kControlProcessName);
    RequestMessage message;
    const ssize_t got = ::read(STDIN_FILENO, &message, sizeof message);
    if (got != ssize_t{sizeof message} || message.magic != RequestMessage::kMagic)
        return 2;
    const AnswerMessage answer = answerTo(message.request);
    return ::write(STDOUT_FILENO, &answer, sizeof answer) == ssize_t{sizeof answer} ? 0 : 1;
}

}  // namespace belay::ublk
