#include "core/session/target.h"

#include <algorithm>
#include <cerrno>

namespace belay::session {
namespace {

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

void Target::sessionOpened(Epoch epoch, std::uint32_t maxTransfer) {
    epoch_ = epoch;
    maxTransfer_ = maxTransfer;
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
    if ((hasPayload || wire::returnsPayload(request.op)) && request.length > maxTransfer_)
        return failure("request longer than agreed");
    if (hasPayload && request.length == 0)
        return failure("write without bytes");
    if (!running_.emplace(request.sequence, request.op).second)
        return failure("request that is running already");
    const wire::ExportInfo* info = findExport(request.exportId);
    const int error = info == nullptr ? ENXIO : errorOf(request, *info);
    if (error != 0)
        return Accepted{Step::Refuse, error};
    exports_.at(request.exportId).stable.accepted(request);
    return Accepted{hasPayload ? Step::ReceivePayload : Step::Run, 0};
}

wire::Response Target::answer(const wire::Request& request, int error, Verifier verifier) {
    running_.erase(request.sequence);
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
