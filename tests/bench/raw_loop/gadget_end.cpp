#include "tests/bench/raw_loop/gadget_end.h"

#include "core/base/log.h"
#include "core/ffs/configfs.h"
#include "core/ffs/descriptors.h"
#include "tests/bench/raw_loop/gadget_transport.h"

#include <fcntl.h>
#include <linux/usb/functionfs.h>
#include <unistd.h>

#include <utility>

namespace rawloop {
namespace {

using belay::Result;

Result<void> writeAll(const belay::Fd& file, const std::vector<std::byte>& bytes) {
    if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
        return belay::systemError("write descriptors");
    return {};
}

// An ep0 on which the four endpoints are described.
Result<belay::Fd> describe(const std::string& mount) {
    const std::string path = mount + "/ep0";
    belay::Fd ep0(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!ep0)
        return belay::systemError("open", path);
    for (const auto& bytes : {belay::ffs::descriptors(belay::ffs::Kind::Attach),
                              belay::ffs::strings(belay::ffs::Kind::Attach)})
        if (auto written = writeAll(ep0, bytes); !written)
            return tl::make_unexpected(written.error());
    return ep0;
}

// Sleeps until the host has chosen our configuration.
Result<void> awaitEnabled(const belay::Fd& ep0) {
    for (;;) {
        usb_functionfs_event event{};
        if (::read(ep0.get(), &event, sizeof event) != static_cast<ssize_t>(sizeof event))
            return belay::systemError("read ep0");
        if (event.type == FUNCTIONFS_ENABLE)
            return {};
    }
}

Result<void> serve(int control, const std::string& mount, const belay::Fd& ep0) {
    if (auto enabled = awaitEnabled(ep0); !enabled)
        return enabled;
    auto transport = GadgetTransport::open(mount);
    if (!transport)
        return tl::make_unexpected(transport.error());
    Job job;
    while (::read(control, &job, sizeof job) == static_cast<ssize_t>(sizeof job)) {
        const auto outcome = run(job, End::Gadget, **transport);
        if (!outcome)
            return tl::make_unexpected(outcome.error());
        if (::write(control, &*outcome, sizeof *outcome) != static_cast<ssize_t>(sizeof *outcome))
            return belay::systemError("answer");
    }
    return {};
}

Result<void> live(const std::string& udc, int control) {
    auto config = belay::ffs::GadgetConfig::create({.name = "raw-loop",
                                                    .vendorId = kVendor,
                                                    .productId = kProduct,
                                                    .manufacturer = "Belay",
                                                    .product = "raw loop",
                                                    .serial = "raw-loop",
                                                    .kinds = {belay::ffs::Kind::Attach},
                                                    .runtimeFolder = "/run/raw-loop"});
    if (!config)
        return tl::make_unexpected(config.error());
    const std::string mount = config->mountOf(belay::ffs::Kind::Attach);
    Result<void> served;
    {
        const auto ep0 = describe(mount);
        if (!ep0)
            return tl::make_unexpected(ep0.error());
        if (auto bound = config->bind(udc); !bound)
            return tl::make_unexpected(bound.error());
        served = serve(control, mount, *ep0);
        if (auto unbound = config->unbind(); !unbound && served)
            served = std::move(unbound);
    }
    if (auto removed = config->remove(); !removed && served)
        return removed;
    return served;
}

}  // namespace

int runGadget(const std::string& udc, int control) {
    belay::log::setup("raw-loop gadget", belay::log::Level::Notice);
    if (auto lived = live(udc, control); !lived) {
        belay::log::error("{}", lived.error().message());
        return 1;
    }
    return 0;
}

}  // namespace rawloop
