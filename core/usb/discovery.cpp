#include "core/usb/discovery.h"

#include "core/base/log.h"
#include "core/usb/text_reader.h"

#include <libudev.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace belay::usb {
namespace {

// Where udevd listens for udevadm(8): there as long as it runs.
constexpr const char* kUdevControl = "/run/udev/control";
// Room for a storm of events, e.g. a hub with everything on it being plugged in.
constexpr int kReceiveBytes = 1 << 20;

struct UdevUnref {
    void operator()(udev* u) const { udev_unref(u); }
    void operator()(udev_monitor* m) const { udev_monitor_unref(m); }
    void operator()(udev_device* d) const { udev_device_unref(d); }
};

std::string_view orEmpty(const char* text) {
    return text == nullptr ? "" : text;
}

}  // namespace

struct Discovery::State : std::enable_shared_from_this<State> {
    struct Known {
        Gadget gadget;
        std::unique_ptr<TextReader> strings;
        bool reported = false;
    };

    Ring& ring;
    DiscoveryListener* listener;
    Source source = Source::Kernel;
    std::unique_ptr<udev, UdevUnref> udevContext;
    std::unique_ptr<udev_monitor, UdevUnref> monitor;
    std::unique_ptr<FdWatch> watch;
    std::map<std::string, Known> known;

    State(Ring& r, DiscoveryListener& l) : ring(r), listener(&l) {}

    Result<void> open();
    void receive();
    void handle(udev_device& event);
    void scan();
    void look(const std::string& syspath);
    void forget(const std::string& syspath);
    void readStrings(Known& entry);
};

Result<void> Discovery::State::open() {
    source = ::access(kUdevControl, F_OK) == 0 ? Source::Udev : Source::Kernel;
    const char* group = source == Source::Udev ? "udev" : "kernel";
    udevContext.reset(udev_new());
    if (!udevContext)
        return systemError("start libudev");
    monitor.reset(udev_monitor_new_from_netlink(udevContext.get(), group));
    if (!monitor)
        return systemError("listen for device events", group);
    // As much as our rights allow; a lost event is noticed and made up for.
    udev_monitor_set_receive_buffer_size(monitor.get(), kReceiveBytes);
    int error = udev_monitor_filter_add_match_subsystem_devtype(monitor.get(), "usb", nullptr);
    if (error >= 0)
        error = udev_monitor_enable_receiving(monitor.get());
    if (error < 0)
        return errorFrom(error, "listen for device events", group);
    watch = std::make_unique<FdWatch>(ring, udev_monitor_get_fd(monitor.get()), POLLIN,
                                      [this](std::uint32_t) { receive(); });
    // After the monitor, so that nothing falls between the two.
    scan();
    return {};
}

void Discovery::State::receive() {
    const auto self = shared_from_this();
    while (listener != nullptr) {
        errno = 0;
        const std::unique_ptr<udev_device, UdevUnref> event(
            udev_monitor_receive_device(monitor.get()));
        if (event) {
            handle(*event);
        } else if (errno == ENOBUFS) {
            log::notice("device events were lost, looking at all USB devices again");
            scan();
        } else if (errno != EINTR) {
            return;
        }
    }
}

void Discovery::State::handle(udev_device& event) {
    std::string syspath(orEmpty(udev_device_get_syspath(&event)));
    const std::string_view type = orEmpty(udev_device_get_devtype(&event));
    const std::string_view action = orEmpty(udev_device_get_action(&event));
    if (type == "usb_interface") {
        // Told before its folder goes, so its being there still would mean nothing.
        const std::string interface = syspath;
        syspath.resize(std::min(syspath.size(), syspath.rfind('/')));
        if (action == "remove") {
            const auto entry = known.find(syspath);
            if (entry == known.end())
                return;
            const Gadget& gadget = entry->second.gadget;
            const std::string tail = interface.substr(interface.rfind(':') + 1);
            for (const auto& ours : {gadget.lend, gadget.attach, gadget.fastboot}) {
                if (ours && tail == std::to_string(ours->configuration) + '.' +
                                        std::to_string(ours->number)) {
                    forget(syspath);
                    return;
                }
            }
            return;
        }
    } else if (type != "usb_device") {
        return;
    }
    look(syspath);
}

void Discovery::State::scan() {
    const std::vector<std::string> present = listUsbDevices();
    std::vector<std::string> gone;
    for (const auto& [syspath, entry] : known) {
        if (std::ranges::find(present, syspath) == present.end())
            gone.push_back(syspath);
    }
    for (const std::string& syspath : gone)
        forget(syspath);
    for (const std::string& syspath : present)
        look(syspath);
}

void Discovery::State::look(const std::string& syspath) {
    std::optional<Gadget> gadget = readGadget(syspath);
    if (const auto entry = known.find(syspath); entry != known.end()) {
        Gadget withStrings = gadget.value_or(Gadget{});
        withStrings.manufacturer = entry->second.gadget.manufacturer;
        withStrings.product = entry->second.gadget.product;
        withStrings.serial = entry->second.gadget.serial;
        if (gadget && withStrings == entry->second.gadget)
            return;
        forget(syspath);
    }
    if (!gadget || listener == nullptr)
        return;
    Known& entry = known[syspath];
    entry.gadget = std::move(*gadget);
    readStrings(entry);
}

void Discovery::State::readStrings(Known& entry) {
    const std::string& syspath = entry.gadget.syspath;
    entry.strings = std::make_unique<TextReader>(
        ring,
        std::vector<std::string>{syspath + "/manufacturer", syspath + "/product",
                                 syspath + "/serial"},
        [this, &entry](std::vector<std::string> texts) {
            entry.gadget.manufacturer = std::move(texts[0]);
            entry.gadget.product = std::move(texts[1]);
            entry.gadget.serial = std::move(texts[2]);
            entry.reported = true;
            // A copy: the listener may end the discovery.
            const Gadget gadget = entry.gadget;
            listener->gadgetFound(gadget);
        });
}

void Discovery::State::forget(const std::string& syspath) {
    const auto entry = known.find(syspath);
    if (entry == known.end())
        return;
    const std::string gone = entry->first;
    const bool reported = entry->second.reported;
    known.erase(entry);
    if (reported && listener != nullptr)
        listener->gadgetGone(gone);
}

Result<std::unique_ptr<Discovery>> Discovery::start(Ring& ring, DiscoveryListener& listener) {
    auto state = std::make_shared<State>(ring, listener);
    if (auto opened = state->open(); !opened)
        return tl::unexpected(std::move(opened.error()));
    return std::unique_ptr<Discovery>(new Discovery(std::move(state)));
}

Discovery::~Discovery() {
    state_->listener = nullptr;
    state_->watch.reset();
    state_->known.clear();
}

Discovery::Source Discovery::source() const {
    return state_->source;
}

}  // namespace belay::usb
