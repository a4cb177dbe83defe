#include "helper/supervisor/always_lent.h"

#include "helper/supervisor/store_probe.h"

#include <fcntl.h>

#include <utility>

namespace belay::helper {
namespace {

// Looked for, not watched: the folder may be missing too, or be on a disk that comes later.
constexpr auto kLookAgain = std::chrono::seconds(5);

}  // namespace

AlwaysLent::AlwaysLent(Ring& ring, AlwaysLentHooks hooks) : ring_(ring), hooks_(std::move(hooks)) {}

AlwaysLent::~AlwaysLent() {
    if (again_)
        ring_.cancel(*again_);
}

void AlwaysLent::lendAgain(const std::vector<LendSetting>& settings) {
    missing_.insert(missing_.end(), settings.begin(), settings.end());
    look();
}

void AlwaysLent::look() {
    if (again_)
        ring_.cancel(*std::exchange(again_, std::nullopt));
    for (const LendSetting& setting : missing_)
        if (auto& probing = probing_[setting.path]; !probing)
            probing = probeStores(ring_, {setting.path}, [this, setting] { probed(setting); });
}

// It is missing until now: whoever asks meanwhile must find it.
void AlwaysLent::probed(const LendSetting& setting) {
    ring_.destroyLater(std::move(probing_.extract(setting.path).mapped()));
    if (std::erase(missing_, setting) == 0)
        return;
    if (!hooks_.keep(setting)) {
        tryToLend(setting);
        return;
    }
    said_.erase(setting.path);
    hooks_.changed();
}

void AlwaysLent::tryToLend(const LendSetting& setting) {
    const Fd file(::open(setting.path.c_str(),
                         (setting.readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK));
    if (!file) {
        failed(setting, systemError("lend again", setting.path).value());
        return;
    }
    hooks_.lend(setting, file, [this, setting](const Result<void>& lent) {
        if (lent)
            said_.erase(setting.path);
        else
            failed(setting, lent.error());
    });
}

void AlwaysLent::failed(const LendSetting& setting, const Error& reason) {
    missing_.push_back(setting);
    if (!again_)
        again_ = ring_.callAfter(kLookAgain, [this] {
            again_.reset();
            look();
        });
    const std::string why = reason.message();
    if (std::exchange(said_[setting.path], why) != why)
        hooks_.cannotLend(setting.path, why);
    hooks_.changed();
}

}  // namespace belay::helper
