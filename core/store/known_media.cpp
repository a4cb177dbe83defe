#include "core/store/known_media.h"

#include "core/store/block_device.h"
#include "core/store/text_file.h"
#include "core/store/writeback_state.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>

namespace belay::store {
namespace {

constexpr const char* kInstance = ".instance";

std::optional<Uuid> load(const std::string& name) {
    const auto text = readTextFile(name);
    return text ? Uuid::parse(*text) : std::nullopt;
}

// Those of other boots lead nowhere any more.
void forgetOtherBoots(const std::string& directory, const std::string& boot) {
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(directory, error)) {
        const std::string name = file.path().filename().string();
        if (name.ends_with(kInstance) && !name.starts_with(boot))
            ::unlink(file.path().c_str());
    }
}

}  // namespace

std::string KnownMedia::nameFor(const Uuid& medium) const {
    return directory_ + "/" + medium.toString() + ".medium";
}

// The number is the whole disk's, a partition's device its own.
std::string KnownMedia::instanceName(dev_t device) const {
    const auto boot = readBootId();
    const auto sequence = diskSequence(device);
    if (!boot || !sequence)
        return {};
    return fmt::format("{}/{}-{}-{}:{}{}", directory_, boot->toString(), *sequence, major(device),
                       minor(device), kInstance);
}

std::optional<Uuid> KnownMedia::stayed(dev_t device) const {
    const std::string name = instanceName(device);
    return name.empty() ? std::nullopt : load(name);
}

Uuid KnownMedia::find(const Uuid& now) const {
    return load(nameFor(now)).value_or(now);
}

Result<void> KnownMedia::stays(dev_t device, const Uuid& store) const {
    const std::string name = instanceName(device);
    if (name.empty() || load(name) == store)
        return {};
    if (const auto boot = readBootId())
        forgetOtherBoots(directory_, boot->toString());
    return replaceTextFile(name, store.toString() + "\n");
}

Result<void> KnownMedia::learn(const Uuid& store, const Uuid& now) const {
    const std::string name = nameFor(now);
    if (load(name).value_or(now) == store)
        return {};
    return replaceTextFile(name, store.toString() + "\n");
}

}  // namespace belay::store
