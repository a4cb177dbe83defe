#include "helper/service/unix_signals.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace belay::service {
namespace {

std::atomic<int> wakeFd{-1};

void wake(int) {
    const int error = errno;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wakeFd.load(), &one, sizeof one);
    errno = error;
}

void handle(void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    for (const int number : {SIGTERM, SIGINT})
        ::sigaction(number, &action, nullptr);
}

}  // namespace

UnixSignals::UnixSignals(std::function<void()> end)
    : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      notifier_(wake_.get(), QSocketNotifier::Read) {
    QObject::connect(
        &notifier_, &QSocketNotifier::activated, &notifier_, [this, end = std::move(end)] {
            std::uint64_t count = 0;
            [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
            end();
        });
    wakeFd = wake_.get();
    handle(wake);
}

UnixSignals::~UnixSignals() {
    handle(SIG_DFL);
    wakeFd = -1;
}

}  // namespace belay::service
