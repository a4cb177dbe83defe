#pragma once

#include "core/base/error.h"
#include "core/base/units.h"
#include "core/lifecycle/machine.h"
#include "core/wire/message.h"
#include "helper/supervisor/json_file.h"

#include <optional>
#include <string>
#include <vector>

namespace belay::helper {

// What must be known of a device to take it up again after our own death. The kernel knows that
// the device is there; only we know whose bytes it shows.
struct DeviceRecord {
    DeviceId device;
    wire::ExportInfo info;    // as last offered, with the verifier its acknowledged bytes rest on
    std::uint32_t maxIo = 0;  // bytes
    std::uint16_t depth = 0;
    std::uint32_t recoveries = 0;  // servers that took it over from a dead one
    lifecycle::Policy policy;
    // When last saved. Its times hold for one boot, as the file does.
    lifecycle::Snapshot lifecycle;
    std::string explanation;

    bool operator==(const DeviceRecord&) const = default;
};

// The state file of a supervisor's devices, in a directory that lives as long as the boot, as ublk
// devices do. See JsonFile for what becomes of a bad one.
class StateFile {
 public:
    explicit StateFile(std::string path);

    // The records; none if there is no file, or if it had to be set aside.
    std::vector<DeviceRecord> load() const;
    // What a file of this text says; nothing if it is no good.
    std::optional<std::vector<DeviceRecord>> parse(const std::string& text) const;
    // Durable when it returns without an error.
    Result<void> save(const std::vector<DeviceRecord>& records) const;
    // No devices, no file.
    void remove() const;

 private:
    JsonFile file_;
};

}  // namespace belay::helper
