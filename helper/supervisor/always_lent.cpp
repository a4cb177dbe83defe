#include "helper/supervisor/always_lent.h"

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
    for (const LendSetting& setting : std::exchange(missing_, {})) {
        if (hooks_.keep(setting)) {
            said_.erase(setting.path);
            hooks_.changed();
            continue;
        }
        hooks_.lend(setting, [this, setting](const Result<void>& lent) {
            if (lent)
                said_.erase(setting.path);
            else
                failed(setting, lent.error());
        });
    }
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
