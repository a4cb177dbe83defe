#include "helper/supervisor/own_task.h"

#include "core/base/abandoned.h"
#include "core/base/write_all.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace belay::helper {
namespace {

// Where a Child's descriptors begin.
constexpr int kInputFd = 3;
constexpr int kAnswerFd = 4;
constexpr const char* kWriteToPipe = "write to a pipe";
// When a process that has answered is surely dead, if it can die at all.
constexpr auto kBurial = std::chrono::seconds(1);

struct Pipe {
    Fd read;
    Fd write;
};

Result<Pipe> makePipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0)
        return systemError("make a pipe");
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// Everything up to the end; one byte more than `longest` if there is more.
Result<std::vector<std::byte>> readAll(int fd, std::size_t longest) {
    std::vector<std::byte> bytes(longest + 1);
    std::size_t length = 0;
    while (length < bytes.size()) {
        const ssize_t got = ::read(fd, bytes.data() + length, bytes.size() - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return systemError("read from a pipe");
        if (got == 0)
            break;
        length += static_cast<std::size_t>(got);
    }
    bytes.resize(length);
    return bytes;
}

}  // namespace

OwnTask::OwnTask(Ring& ring, Work work, Callback callback)
    : ring_(ring), callback_(std::move(callback)), longestAnswer_(work.longestAnswer) {
    reapAbandoned();
    if (auto started = start(std::move(work)); !started) {
        failed_ = ring_.callAfter(Duration::zero(), [this, error = started.error()] {
            failed_.reset();
            finish(tl::make_unexpected(error));
        });
    }
}

OwnTask::~OwnTask() {
    if (failed_)
        ring_.cancel(*failed_);
}

Result<void> OwnTask::start(Work work) {
    auto input = makePipe();
    auto answer = makePipe();
    if (!input || !answer)
        return tl::make_unexpected(input ? answer.error() : input.error());
    ::fcntl(input->write.get(), F_SETFL, O_NONBLOCK);
    if (auto written = writeAll(input->write.get(), work.input, kWriteToPipe); !written)
        return written;
    ::fcntl(answer->read.get(), F_SETFL, O_NONBLOCK);
    std::vector<Fd> fds;
    fds.push_back(std::move(input->read));
    fds.push_back(std::move(answer->write));
    auto child = Child::spawn(
        ring_, {.path = {}, .args = std::move(work.args), .fds = std::move(fds)}, [](int) {});
    if (!child)
        return tl::make_unexpected(child.error());
    child_ = std::move(*child);
    pipe_ = std::move(answer->read);
    watch_ = std::make_unique<FdWatch>(ring_, pipe_.get(), POLLIN,
                                       [this](std::uint32_t) { readable(); });
    return {};
}

void OwnTask::readable() {
    std::array<std::byte, 4096> buffer{};
    const ssize_t got = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0) {
        finish(systemError("read from a pipe"));
    } else if (got == 0) {
        finish(std::move(answer_));
    } else if (static_cast<std::size_t>(got) > longestAnswer_ - answer_.size()) {
        finish(failure("a process of its own answers too much"));
    } else {
        answer_.insert(answer_.end(), buffer.begin(), buffer.begin() + got);
    }
}

void OwnTask::finish(Result<std::vector<std::byte>> answer) {
    watch_.reset();
    child_.reset();
    ring_.callAfter(kBurial, [] { reapAbandoned(); });
    // By a copy: the callback may destroy this task.
    const Callback callback = callback_;
    callback(std::move(answer));
}

Result<std::vector<std::byte>> OwnTask::readInput(std::size_t longest) {
    auto input = readAll(kInputFd, longest);
    if (input && input->size() > longest)
        return failure("a process of its own is asked too much");
    return input;
}

Result<void> OwnTask::writeAnswer(ConstByteSpan answer) {
    auto written = writeAll(kAnswerFd, answer, kWriteToPipe);
    ::close(kAnswerFd);
    return written;
}

}  // namespace belay::helper
