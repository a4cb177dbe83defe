#pragma once

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/ffs/descriptors.h"

#include <cstdint>
#include <string>
#include <vector>

namespace belay::ffs {

// What the gadget says of itself, and what it offers.
struct GadgetIdentity {
    std::string name = "belay";  // of its folder in configfs; letters, digits, '_' and '-'
    std::uint16_t vendorId = 0;
    std::uint16_t productId = 0;
    std::string manufacturer;
    std::string product;
    std::string serial;
    std::vector<Kind> kinds;    // one FunctionFS instance each
    std::string runtimeFolder;  // made if need be; the instances are mounted under it
};

// One gadget in configfs with its FunctionFS mounts: there from create() to remove().
//
// - Takes over what an earlier life under the same name left (a killed process leaves all of it),
//   and takes away what is not wanted any more. A gadget of that name that has functions we do not
//   make is somebody else's and refused; no other gadget is touched.
// - Two processes cannot have the same name at once (a lock on its folder in configfs).
// - Needs root. Not thread-safe. Writes to configfs may wait for the kernel to end transfers.
// - Destruction removes the gadget; a process that wants it to outlive itself must not return.
class GadgetConfig {
 public:
    // Sets everything up, bound to nothing. An instance that somebody still has open, such as a
    // process that was killed and hangs in the kernel, is left to renew().
    static Result<GadgetConfig> create(GadgetIdentity identity);
    ~GadgetConfig();
    GadgetConfig(GadgetConfig&&) noexcept = default;
    GadgetConfig& operator=(GadgetConfig&&) = delete;

    // Where the instance of a kind is mounted: what Function::open() wants.
    std::string mountOf(Kind kind) const;

    // Off the UDC, and a fresh mount for every instance: before another process than the last one
    // opens the Functions. create() has done it for the first. Waits a moment for the kernel to let
    // go of the last one's files, then EBUSY: a killed process's io_uring is taken down some time
    // after the process, and FunctionFS resets an instance when its last file is closed, also under
    // the hands of the next one that has opened it (ffs_data_closed; seen on 6.12).
    Result<void> renew();
    // The same for one instance. The gadget stays where it is unless it offers this one.
    Result<void> renew(Kind kind);

    // Puts the gadget on a UDC (empty: the first free one), so that a host sees it; returns its
    // name. Every Function must be open before. Harmless when it is on that one already.
    Result<std::string> bind(const std::string& udc = {}) { return bind(udc, identity_.kinds); }
    // The same with some of its functions only, which are all that must be open: if it offers
    // others just now, it comes off for a moment.
    Result<std::string> bind(const std::string& udc, const std::vector<Kind>& kinds);
    // Whether a host that sees it sees this function.
    bool offers(Kind kind) const;
    // Takes it off, as if the cable were pulled. Harmless when it is on none: the kernel does it by
    // itself when a Function is closed.
    Result<void> unbind();
    // The UDC it is on, as configfs has it now; empty when on none.
    std::string boundTo() const;

    // Unbinds, unmounts and removes everything; goes on after errors and returns the first one.
    // Functions must be closed before, and their ring have had a turn since, which lets go of what
    // it polled.
    Result<void> remove();

 private:
    GadgetConfig(GadgetIdentity identity, Fd lock);
    std::string instance(Kind kind) const;
    std::string functionOf(Kind kind) const { return "ffs." + instance(kind); }
    bool isOurs(const std::string& function) const;
    Result<void> checkOwner() const;
    Result<void> describe();
    Result<void> dropUnwanted();
    Result<void> ensureFunction(Kind kind);
    Result<void> link(Kind kind);
    Result<void> linkOnly(const std::vector<Kind>& kinds);
    bool isLinked(Kind kind) const;
    Result<void> mountFresh(Kind kind);
    Result<void> unmount(Kind kind, Duration patience);

    GadgetIdentity identity_;
    std::string path_;    // of the gadget in configfs
    std::string config_;  // of its one configuration
    Fd lock_;             // empty: moved from, or removed
};

}  // namespace belay::ffs
