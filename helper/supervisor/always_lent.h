#pragma once

#include "core/base/ring.h"
#include "helper/supervisor/settings.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

struct AlwaysLentHooks {
    // True if it is lent already, by a worker that outlived an earlier supervisor: that goes on.
    std::function<bool(const LendSetting& setting)> keep;
    // Lends a file again.
    std::function<void(const LendSetting& setting, std::function<void(Result<void> lent)> done)>
        lend;
    // missing() has changed.
    std::function<void()> changed;
    // Said once of each file, and again if the reason is another.
    std::function<void(const std::string& file, const std::string& why)> cannotLend;
};

// The files that are lent to a gadget always, and that cannot be lent now: a disk that is not
// mounted yet, a file that is being replaced. Each is tried again every few seconds.
class AlwaysLent {
 public:
    AlwaysLent(Ring& ring, AlwaysLentHooks hooks);
    ~AlwaysLent();
    AlwaysLent(const AlwaysLent&) = delete;
    AlwaysLent& operator=(const AlwaysLent&) = delete;

    void lendAgain(const std::vector<LendSetting>& settings);
    // Tries what is missing at once.
    void look();
    const std::vector<LendSetting>& missing() const { return missing_; }

 private:
    void failed(const LendSetting& setting, const Error& reason);

    Ring& ring_;
    AlwaysLentHooks hooks_;
    std::vector<LendSetting> missing_;
    std::map<std::string, std::string> said_;  // by path
    std::optional<Ring::TimerId> again_;
};

}  // namespace belay::helper
