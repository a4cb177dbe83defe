#pragma once

#include "core/engine/gadget_session.h"
#include "helper/worker/supervisor_link.h"

#include <cstdint>

namespace belay::helper {

// What both of belay-gadget's workers have in common.

// The reading end of a pipe that tells of its supervisor's life: see ffs::AioGuard.
inline constexpr int kAliveFd = 4;

// What the gadget says of itself to a host that opens a session in `role` (wire::kRole...).
// `config`: a worker's, see initiator_worker.h.
wire::Hello helloFrom(const Json& config, std::uint16_t role);

// Tells the supervisor what becomes of the one function that the worker serves.
//
// Messages it sends:
//   functions-ready            FunctionFS has its descriptors: the gadget can be bound
//   bound  yes                 put on a UDC, or taken off
class FunctionEnd final : public engine::GadgetListener {
 public:
    explicit FunctionEnd(SupervisorLink& supervisor) : supervisor_(supervisor) {}
    void tellReady() { supervisor_.send({{"type", "functions-ready"}}); }

 private:
    void gadgetBound(bool bound) override;
    void gadgetFailed(const Error& reason) override;

    SupervisorLink& supervisor_;
};

}  // namespace belay::helper
