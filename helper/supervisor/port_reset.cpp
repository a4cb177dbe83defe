#include "helper/supervisor/port_reset.h"

#include "core/base/fd.h"
#include "core/base/log.h"
#include "helper/worker/confine.h"

#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>

#include <cstdlib>
#include <cstring>
#include <span>
#include <utility>

namespace belay::helper {
namespace {

constexpr const char* kProcessName = "belay-port";
// More than its control requests take to end.
constexpr auto kLetGoPatience = std::chrono::seconds(5);
constexpr auto kPause = std::chrono::seconds(15);

Result<void> resetPort(const char* node) {
    const Fd device(::open(node, O_RDWR | O_CLOEXEC));
    if (!device)
        return systemError("open", node);
    if (::ioctl(device.get(), USBDEVFS_RESET, nullptr) < 0)
        return systemError("reset the port of", node);
    return {};
}

// The process's answer is an errno, 0 for success.
void say(const std::string& node, const Result<std::vector<std::byte>>& answer) {
    int code = EIO;
    if (answer && answer->size() == sizeof code)
        std::memcpy(&code, answer->data(), sizeof code);
    if (code == 0)
        log::notice("the port of {} was reset", node);
    else
        log::warning("{}", errorFrom(code, "reset the port of", node,
                                     "Unplug the gadget and plug it in again")
                               .value()
                               .message());
}

}  // namespace

PortReset::PortReset(Ring& ring, Hooks hooks) : ring_(ring), hooks_(std::move(hooks)) {}

PortReset::~PortReset() {
    if (patience_)
        ring_.cancel(*patience_);
}

bool PortReset::handle(WorkerRole role, const std::string& type, const Json& message,
                       const std::string& node) {
    if (type == "let-go") {
        // Of an earlier one that was given up, it may come late.
        if (message.at("number").get<unsigned>() == number_)
            letGo(role);
    } else if (type == "reset-port") {
        const bool tooSoon = ended_ && Clock::now() - *ended_ < kPause;
        if (!node.empty() && !isUnderWay() && (!tooSoon || message.at("byUser").get<bool>()))
            begin(node);
    } else {
        return false;
    }
    return true;
}

void PortReset::begin(const std::string& node) {
    node_ = node;
    waitingFor_ = hooks_.tellWorkers({{"type", "let-go"}, {"number", ++number_}});
    patience_ = ring_.callAfter(kLetGoPatience, [this] {
        patience_.reset();
        log::warning("the port of {} is not reset: a worker does not close it", node_);
        finish();
    });
    // The one that asked may be dead by now.
    if (waitingFor_.empty())
        reset();
}

void PortReset::letGo(WorkerRole role) {
    if (waitingFor_.erase(role) > 0 && waitingFor_.empty())
        reset();
}

void PortReset::reset() {
    ring_.cancel(*std::exchange(patience_, std::nullopt));
    OwnTask::Work work;
    work.args = {kProcessName, kResetPortArgument, node_};
    work.longestAnswer = sizeof(int);
    task_ = std::make_unique<OwnTask>(ring_, std::move(work), [this](const auto& answer) {
        say(node_, answer);
        finish();
    });
}

// What it had open is closed.
void PortReset::workerDied(WorkerRole role) {
    letGo(role);
}

void PortReset::unplugged() {
    if (!isUnderWay())
        return;
    if (patience_)
        ring_.cancel(*std::exchange(patience_, std::nullopt));
    waitingFor_.clear();
    ring_.destroyLater(std::move(task_));
}

void PortReset::finish() {
    waitingFor_.clear();
    ring_.destroyLater(std::move(task_));
    ended_ = Clock::now();
    hooks_.over();
}

int resetPortMain(const char* node) {
    nameProcess(kProcessName);
    const auto reset = resetPort(node);
    const int code = reset ? 0 : reset.error().code;
    return OwnTask::writeAnswer(std::as_bytes(std::span(&code, 1))) && reset ? EXIT_SUCCESS
                                                                             : EXIT_FAILURE;
}

}  // namespace belay::helper
