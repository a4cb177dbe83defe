#pragma once

#include "core/base/uuid.h"
#include "core/lifecycle/policy.h"
#include "helper/supervisor/json_file.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace belay::helper {

// A file that is lent again whenever its gadget is there.
struct LendSetting {
    std::string path;
    std::string label;
    bool readOnly = false;
    std::uint32_t blockSize = 0;  // as LendTerms

    bool operator==(const LendSetting&) const = default;
};

// A gadget that was seen once.
struct GadgetSettings {
    std::string name;
    std::string manufacturer;
    std::string serial;
    std::string port;  // where it was last
    std::uint16_t vendorId = 0;
    std::uint16_t productId = 0;
    bool autoAttach = false;
    std::vector<LendSetting> lends;

    bool operator==(const GadgetSettings&) const = default;
};

// What belayd keeps over reboots. See JsonFile for what becomes of a bad file.
class Settings {
 public:
    explicit Settings(std::string path) : file_(std::move(path), 1) {}

    void load();
    // Writes the file if anything differs from what it has; logs what goes wrong.
    void save();

    std::map<std::string, GadgetSettings> gadgets;  // by id
    std::map<Uuid, lifecycle::Policy> policies;     // by export; the default one is not kept

 private:
    Json toJson() const;

    JsonFile file_;
    Json saved_;
};

}  // namespace belay::helper
