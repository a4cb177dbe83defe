#include "core/session/target.h"

#include <cerrno>
#include <string>

namespace belay::session {
namespace {

constexpr std::uint64_t kRounding = 16;  // bytes for each request

int errorOf(const wire::Request& request, const wire::ExportInfo& info) {
    if (request.op == wire::Op::Flush)
        return 0;
    if (request.length == 0 || request.length % info.blockSize != 0 ||
        request.offset % info.blockSize != 0 || request.offset > info.sizeBytes ||
        request.length > info.sizeBytes - request.offset)
        return EINVAL;
    if (request.op == wire::Op::Read)
        return 0;
    if (info.readOnly)
        return EROFS;
    if (request.op == wire::Op::Discard && !info.canDiscard)
        return EOPNOTSUPP;
    return 0;
}

}  // namespace

// Both ends round, and an initiator with less memory counts in proportion.
void Target::sessionOpened(Epoch epoch, const Limits& limits) {
    epoch_ = epoch;
    limits_ = limits;
    allotment_ =
        Allotment(limits.memory + kRounding * limits.maxOutstanding, limits.maxOutstanding);
    resetSession();
}

void Target::sessionClosed() {
    epoch_ = Epoch();
    resetSession();
}

void Target::resetSession() {
    running_.clear();
    for (auto& [id, known] : exports_)
        known.stable = StableUpTo();
}

void Target::addExport(const wire::ExportInfo& info) {
    exports_.insert_or_assign(info.id, Export{info, {}});
}

void Target::setReady(ExportId id, bool ready) {
    if (const auto found = exports_.find(id); found != exports_.end())
        found->second.info.ready = ready;
}

void Target::removeExport(ExportId id) {
    exports_.erase(id);
}

const wire::ExportInfo* Target::findExport(ExportId id) const {
    const auto found = exports_.find(id);
    return found == exports_.end() ? nullptr : &found->second.info;
}

Result<Accepted> Target::requestReceived(const wire::Request& request) {
    if (request.epoch != epoch_)
        return failure("request of another session");
    const bool hasPayload = wire::carriesPayload(request.op);
    const bool moves = hasPayload || wire::returnsPayload(request.op);
    if (moves && request.length > limits_.maxTransfer)
        return failure("request longer than agreed");
    if (hasPayload && request.length == 0)
        return failure("write without bytes");
    if (running_.size() >= limits_.maxOutstanding)
        return failure("more requests than agreed", std::to_string(limits_.maxOutstanding));
    const Running running{request.exportId, moves ? request.length : 0};
    if (!running_.emplace(request.sequence, running).second)
        return failure("request that is running already");
    const wire::ExportInfo* info = findExport(request.exportId);
    if (limits_.memory != 0) {
        // What the initiator keeps free for each export is between itself and the exports that it
        // knows of, which are not always those that are here.
        if (!allotment_.hasRoom(request.exportId, running.payload))
            return failure("more bytes under way than agreed", std::to_string(limits_.memory));
        allotment_.take(request.exportId, running.payload);
    }
    const bool isIn = info != nullptr && info->ready;
    const int notIn = limits_.memory != 0 ? wire::kStatusNotReady : ENXIO;
    const int error = isIn ? errorOf(request, *info) : notIn;
    if (error != 0)
        return Accepted{Step::Refuse, error};
    exports_.at(request.exportId).stable.accepted(request);
    return Accepted{hasPayload ? Step::ReceivePayload : Step::Run, 0};
}

wire::Response Target::answer(const wire::Request& request, int error, Verifier verifier) {
    if (const auto found = running_.find(request.sequence); found != running_.end()) {
        if (limits_.memory != 0)
            allotment_.giveBack(found->second.exportId, found->second.payload);
        running_.erase(found);
    }
    wire::Response response;
    response.op = request.op;
    response.status = static_cast<std::uint8_t>(error > 0 && error <= 255 ? error
                                                : error == 0              ? 0
                                                                          : EIO);
    // A flush leaves nothing that is not durable, and a FUA change is durable when it is answered:
    // the caller sees to that.
    const bool durable = request.op == wire::Op::Flush || (request.flags & wire::kFlagFua) != 0;
    if (error == 0 && durable && request.op != wire::Op::Read)
        response.flags = wire::kFlagDurable;
    response.exportId = request.exportId;
    response.epoch = request.epoch;
    response.sequence = request.sequence;
    response.offset = request.offset;
    response.length = request.length;
    response.verifier = verifier;
    if (const auto found = exports_.find(request.exportId); found != exports_.end())
        response.stableUpTo = found->second.stable.answered(request, error == 0, durable, verifier);
    return response;
}

}  // namespace belay::session
