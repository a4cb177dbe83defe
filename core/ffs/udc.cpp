#include "core/ffs/udc.h"

#include "core/ffs/sysfs.h"

#include <algorithm>

namespace belay::ffs {
namespace {

constexpr const char* kUdcs = "/sys/class/udc";

}  // namespace

std::string userOfUdc(const std::string& udc, const std::string& except) {
    const std::string gadgets = kGadgets;
    for (const std::string& gadget : listFolder(gadgets))
        if (gadget != except && readAttribute(gadgets + "/" + gadget + "/UDC") == udc)
            return "gadget " + gadget;
    // Drivers outside configfs (g_ether and the like) show only here; for gadgets of configfs it
    // is their name (function_show in the kernel's udc core).
    const auto function = readAttribute(std::string(kUdcs) + "/" + udc + "/function");
    if (function && !function->empty() && *function != except)
        return *function;
    return {};
}

Result<std::string> chooseUdc(const std::string& wanted, const std::string& name) {
    const std::vector<std::string> all = listFolder(kUdcs);
    if (all.empty())
        return failure("find a USB device controller (UDC) in", kUdcs,
                       "Load the driver of this machine's controller (dwc3, dwc2, chipidea, musb "
                       "...) and put its port in device mode");
    if (!wanted.empty() && std::ranges::find(all, wanted) == all.end()) {
        std::string names;
        for (const std::string& udc : all)
            names += (names.empty() ? "" : ", ") + udc;
        return failure("find USB device controller", wanted, "There is: " + names);
    }
    std::string busy;
    for (const std::string& udc : wanted.empty() ? all : std::vector<std::string>{wanted}) {
        const std::string user = userOfUdc(udc, name);
        if (user.empty())
            return udc;
        busy += (busy.empty() ? "" : ", ") + udc + " is used by " + user;
    }
    return errorFrom(EBUSY, "find a free USB device controller", {}, "Take it off first: " + busy);
}

}  // namespace belay::ffs
