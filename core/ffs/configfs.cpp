#include "core/ffs/configfs.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/ffs/sysfs.h"
#include "core/ffs/udc.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace belay::ffs {
namespace {

constexpr const char* kUsEnglishFolder = "0x409";
// How long the kernel may take to close the files of a process that is gone (measured: 35 ms with
// transfers under way): before its instance is used again, when whoever asks can ask again, and at
// the end.
constexpr auto kLettingGo = std::chrono::milliseconds(250);
constexpr auto kLettingGoAtEnd = std::chrono::seconds(10);
constexpr Kind kAllKinds[] = {Kind::Lend, Kind::Attach};

void keepFirst(Result<void>& first, Result<void> next) {
    if (first && !next)
        first = std::move(next);
}

// Removes a folder or link of configfs; what is not there is fine.
Result<void> removeEntry(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) < 0)
        return errno == ENOENT ? Result<void>() : systemError("look at", path);
    const int result = S_ISLNK(status.st_mode) ? ::unlink(path.c_str()) : ::rmdir(path.c_str());
    if (result < 0 && errno != ENOENT)
        return systemError("remove", path);
    return {};
}

Result<void> checkConfigfs() {
    struct stat status {};
    if (::stat(kGadgets, &status) == 0)
        return {};
    return failure("find USB gadgets in", kGadgets,
                   mountsOf("configfs").empty()
                       ? "mount -t configfs none /sys/kernel/config, and modprobe libcomposite"
                       : "modprobe libcomposite (CONFIG_USB_CONFIGFS)");
}

// The gadget's own folder is what is locked: whoever has the name has it, from wherever it runs.
Result<Fd> lockFolder(const GadgetIdentity& identity) {
    const std::string path = std::string(kGadgets) + "/" + identity.name;
    for (const std::string& folder : {identity.runtimeFolder, path})
        if (auto made = ensureFolder(folder); !made)
            return tl::make_unexpected(made.error());
    Fd lock(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock)
        return systemError("open", path);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) < 0)
        return systemError("lock", path, "This gadget is run by another process");
    return lock;
}

}  // namespace

GadgetConfig::GadgetConfig(GadgetIdentity identity, Fd lock)
    : identity_(std::move(identity)),
      path_(std::string(kGadgets) + "/" + identity_.name),
      config_(path_ + "/configs/c.1"),
      lock_(std::move(lock)) {}

GadgetConfig::~GadgetConfig() {
    if (auto removed = remove(); !removed)
        log::warning("{}", removed.error().message());
}

std::string GadgetConfig::instance(Kind kind) const {
    return identity_.name + "-" + std::string(name(kind));
}

std::string GadgetConfig::mountOf(Kind kind) const {
    return identity_.runtimeFolder + "/" + instance(kind);
}

bool GadgetConfig::isOurs(const std::string& function) const {
    return std::ranges::any_of(kAllKinds, [&](Kind kind) { return functionOf(kind) == function; });
}

Result<GadgetConfig> GadgetConfig::create(GadgetIdentity identity) {
    if (auto checked = checkConfigfs(); !checked)
        return tl::make_unexpected(checked.error());
    auto lock = lockFolder(identity);
    if (!lock)
        return tl::make_unexpected(lock.error());
    GadgetConfig config(std::move(identity), std::move(*lock));
    if (auto owner = config.checkOwner(); !owner) {
        config.lock_.reset();  // not ours: nothing to remove
        return tl::make_unexpected(owner.error());
    }
    Result<void> done = config.unbind();
    if (done)
        done = config.describe();
    if (done)
        done = config.dropUnwanted();
    for (const Kind kind : config.identity_.kinds)
        if (done)
            done = config.ensureFunction(kind);
    if (!done)
        return tl::make_unexpected(done.error());
    if (auto renewed = config.renew(); !renewed && renewed.error().code != EBUSY)
        return tl::make_unexpected(renewed.error());
    return config;
}

Result<void> GadgetConfig::checkOwner() const {
    for (const std::string& function : listFolder(path_ + "/functions"))
        if (!isOurs(function))
            return errorFrom(EEXIST, "use gadget", path_,
                             "It has function " + function +
                                 ", so it is not ours: choose another name, or remove it");
    return {};
}

Result<void> GadgetConfig::describe() {
    const std::string strings = path_ + "/strings/" + kUsEnglishFolder;
    const std::string configStrings = config_ + "/strings/" + kUsEnglishFolder;
    for (const std::string& folder : {path_, strings, config_, configStrings})
        if (auto made = ensureFolder(folder); !made)
            return made;
    const std::pair<std::string, std::string> attributes[] = {
        {path_ + "/idVendor", fmt::format("{:#06x}", identity_.vendorId)},
        {path_ + "/idProduct", fmt::format("{:#06x}", identity_.productId)},
        {strings + "/manufacturer", identity_.manufacturer},
        {strings + "/product", identity_.product},
        {strings + "/serialnumber", identity_.serial},
        {configStrings + "/configuration", "Belay"},
    };
    for (const auto& [file, text] : attributes)
        if (auto wrote = writeAttribute(file, text + "\n"); !wrote)
            return wrote;
    return {};
}

Result<void> GadgetConfig::dropUnwanted() {
    Result<void> result;
    for (const Kind kind : kAllKinds) {
        if (std::ranges::find(identity_.kinds, kind) != identity_.kinds.end())
            continue;
        keepFirst(result, removeEntry(config_ + "/" + functionOf(kind)));
        keepFirst(result, unmount(kind, kLettingGoAtEnd));
        keepFirst(result, removeEntry(path_ + "/functions/" + functionOf(kind)));
    }
    return result;
}

Result<void> GadgetConfig::ensureFunction(Kind kind) {
    const std::string function = path_ + "/functions/" + functionOf(kind);
    if (::mkdir(function.c_str(), 0755) < 0 && errno != EEXIST)
        return systemError("make", function,
                           errno == ENOENT  ? "modprobe usb_f_fs (CONFIG_USB_CONFIGFS_F_FS)"
                           : errno == EBUSY ? "Another gadget has a function of this name"
                                            : "");
    return link(kind);
}

Result<void> GadgetConfig::link(Kind kind) {
    const std::string link = config_ + "/" + functionOf(kind);
    if (::symlink((path_ + "/functions/" + functionOf(kind)).c_str(), link.c_str()) < 0 &&
        errno != EEXIST)
        return systemError("link", link);
    return {};
}

bool GadgetConfig::isLinked(Kind kind) const {
    struct stat status {};
    return ::lstat((config_ + "/" + functionOf(kind)).c_str(), &status) == 0;
}

bool GadgetConfig::offers(Kind kind) const {
    return isLinked(kind) && !boundTo().empty();
}

// In the one order there is: the UDC gives its endpoints out in the order of the functions, and
// must have enough of each sort whatever came and went before.
Result<void> GadgetConfig::linkOnly(const std::vector<Kind>& kinds) {
    const auto isWanted = [&](Kind kind) { return std::ranges::find(kinds, kind) != kinds.end(); };
    if (std::ranges::all_of(identity_.kinds,
                            [&](Kind kind) { return isLinked(kind) == isWanted(kind); }))
        return {};
    Result<void> result = unbind();
    for (const Kind kind : identity_.kinds)
        if (result)
            result = removeEntry(config_ + "/" + functionOf(kind));
    for (const Kind kind : identity_.kinds)
        if (result && isWanted(kind))
            result = link(kind);
    return result;
}

Result<void> GadgetConfig::mountFresh(Kind kind) {
    if (auto unmounted = unmount(kind, kLettingGo); !unmounted)
        return unmounted;
    const std::string target = mountOf(kind);
    if (auto made = ensureFolder(target); !made)
        return made;
    // Who makes a mount namespace of its own has a copy of every mount until it drops those that it
    // does not want.
    const TimePoint deadline = Clock::now() + kLettingGo;
    while (::mount(instance(kind).c_str(), target.c_str(), "functionfs",
                   MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0) {
        if (errno != EBUSY || Clock::now() > deadline)
            return systemError("mount FunctionFS on", target,
                               errno == EBUSY ? "It is mounted in another mount namespace" : "");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return {};
}

Result<void> GadgetConfig::unmount(Kind kind, Duration patience) {
    for (const Mount& mount : mountsOf("functionfs")) {
        if (mount.source != instance(kind))
            continue;
        const TimePoint deadline = Clock::now() + patience;
        while (::umount2(mount.target.c_str(), 0) < 0) {
            if (errno != EBUSY || Clock::now() > deadline)
                return systemError("unmount", mount.target,
                                   errno == EBUSY ? "Its files are still open: a worker that was "
                                                    "killed may hang in the kernel"
                                                  : "");
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    return {};
}

Result<void> GadgetConfig::renew() {
    Result<void> result = unbind();
    if (result)
        for (const Kind kind : identity_.kinds)
            keepFirst(result, mountFresh(kind));
    return result;
}

Result<void> GadgetConfig::renew(Kind kind) {
    auto off = offers(kind) ? unbind() : Result<void>();
    return off ? mountFresh(kind) : off;
}

Result<std::string> GadgetConfig::bind(const std::string& udc, const std::vector<Kind>& kinds) {
    if (auto linked = linkOnly(kinds); !linked)
        return tl::make_unexpected(linked.error());
    const std::string now = boundTo();
    if (!now.empty() && (udc.empty() || udc == now))
        return now;
    if (auto unbound = unbind(); !unbound)
        return tl::make_unexpected(unbound.error());
    auto chosen = chooseUdc(udc, identity_.name);
    if (!chosen)
        return chosen;
    if (auto wrote = writeAttribute(path_ + "/UDC", *chosen + "\n"); !wrote) {
        Error error = wrote.error();
        error.what = "bind gadget " + identity_.name + " to";
        error.object = *chosen;
        const std::string user = userOfUdc(*chosen, identity_.name);
        if (!user.empty())
            error.hint = *chosen + " is used by " + user;
        else if (error.code == ENODEV || error.code == EINVAL)
            error.hint =
                "Are its functions open? Has the controller eight free endpoints? "
                "(the kernel log says; offering one direction needs four)";
        return tl::make_unexpected(error);
    }
    return chosen;
}

Result<void> GadgetConfig::unbind() {
    if (boundTo().empty())
        return {};
    auto wrote = writeAttribute(path_ + "/UDC", "\n");
    // ENODEV: it came off by itself in between (unregister_gadget).
    if (!wrote && wrote.error().code == ENODEV)
        return {};
    return wrote;
}

std::string GadgetConfig::boundTo() const {
    return readAttribute(path_ + "/UDC").value_or(std::string());
}

Result<void> GadgetConfig::remove() {
    if (!lock_)
        return {};
    Result<void> result = unbind();
    for (const Kind kind : kAllKinds) {
        keepFirst(result, removeEntry(config_ + "/" + functionOf(kind)));
        keepFirst(result, unmount(kind, kLettingGoAtEnd));
        keepFirst(result, removeEntry(path_ + "/functions/" + functionOf(kind)));
        ::rmdir(mountOf(kind).c_str());
    }
    for (const std::string& folder : {config_ + "/strings/" + kUsEnglishFolder, config_,
                                      path_ + "/strings/" + kUsEnglishFolder, path_})
        keepFirst(result, removeEntry(folder));
    lock_.reset();
    return result;
}

}  // namespace belay::ffs
