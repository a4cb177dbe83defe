#include "core/session/initiator.h"

#include <algorithm>
#include <cerrno>

namespace belay::session {

void Initiator::addDevice(DeviceId device, std::size_t depth, const wire::ExportInfo& known,
                          bool unsavedUnknown, WriteLog* log) {
    Device added;
    added.depth = depth;
    added.info = known;
    added.unsavedUnknown = unsavedUnknown;
    if (log != nullptr) {
        added.work = LogWork(log);
        added.unsavedUnknown = !log->complete();
        added.written = log->unsavedBytes();
        // What the log's bytes depend on; `known` may be newer or older than that.
        if (added.hasUnsaved() && log->complete())
            added.info.verifier = log->verifier();
    }
    devices_.insert_or_assign(device, added);
    std::size_t depths = 0;
    for (const auto& [id, each] : devices_)
        depths += each.depth;
    // One half is the kernel's, the other is for requests of our own.
    ledger_.grow(2 * depths);
}

void Initiator::removeDevice(DeviceId device) {
    disown(device);
    devices_.erase(device);
}

bool Initiator::isOpen(DeviceId device) const {
    const auto found = devices_.find(device);
    return found != devices_.end() && found->second.open;
}

std::uint64_t Initiator::unsavedBytes(DeviceId device) const {
    const auto found = devices_.find(device);
    return found == devices_.end() ? 0 : found->second.written - found->second.stable;
}

void Initiator::sessionOpened(Epoch epoch, std::uint32_t maxOutstanding) {
    epoch_ = epoch;
    maxOutstanding_ = maxOutstanding;
    outstanding_ = 0;
}

Resume Initiator::exportOffered(DeviceId device, const wire::ExportInfo& offered) {
    const auto found = devices_.find(device);
    if (found == devices_.end())
        return Resume::DifferentDisk;
    Device& known = found->second;
    known.joining.reset();
    if (offered.uuid != known.info.uuid || offered.sizeBytes != known.info.sizeBytes ||
        offered.blockSize != known.info.blockSize || offered.readOnly != known.info.readOnly ||
        offered.generation != known.info.generation)
        return Resume::DifferentDisk;
    if (offered.verifier != known.info.verifier && known.hasUnsaved() && !canReplay(known))
        return Resume::DataMayBeMissing;
    if (isDisowned(offered.uuid)) {
        known.joining = offered;
        return Resume::Same;
    }
    join(known, offered);
    if (known.open)
        sendParked(device);
    return Resume::Same;
}

void Initiator::sendParked(DeviceId device) {
    for (const Entry* entry : inOrder(device))
        if (entry->state == EntryState::Parked)
            toSend_.push_back(entry->sequence);
    std::ranges::sort(toSend_);
}

void Initiator::forgiveMissingData(DeviceId device) {
    const auto found = devices_.find(device);
    if (found == devices_.end())
        return;
    Device& known = found->second;
    if (known.work.replaying()) {
        disown(device);
        known.work.reset();
    }
    known.unsavedUnknown = false;
    known.stable = known.written;
    if (WriteLog* log = known.work.log())
        log->restart(known.info.verifier);
}

void Initiator::sessionClosed() {
    epoch_ = Epoch();
    outstanding_ = 0;
    toSend_.clear();
    disowned_.clear();
    for (auto& [id, known] : devices_) {
        known.open = false;
        known.joining.reset();
        known.work.reset();
        known.probe = Probe::None;
    }
    for (Entry* entry : ledger_.inOrder()) {
        entry->state = EntryState::Parked;
        entry->reserved = 0;
        if (entry->origin != Origin::Kernel)
            ledger_.remove(entry->sequence);
    }
}

bool Initiator::submit(const Entry& request) {
    Entry* entry = kernels_ < ledger_.capacity() / 2 ? ledger_.add(request) : nullptr;
    if (entry == nullptr)
        return false;
    ++kernels_;
    entry->state = EntryState::Parked;
    if (isOpen(entry->device))
        toSend_.push_back(entry->sequence);
    return true;
}

const Entry* Initiator::nextToSend() {
    if (outstanding_ >= maxOutstanding_)
        return nullptr;
    if (const Entry* own = nextOfOurOwn())
        return own;
    while (!toSend_.empty()) {
        Entry* entry = ledger_.find(toSend_.front());
        if (entry != nullptr && entry->state == EntryState::Parked &&
            devices_.at(entry->device).work.reserve(*entry))
            return entry;
        toSend_.pop_front();  // failed while it waited, or waits for room in the log
    }
    // What waits now may be a reason to flush.
    return nextOfOurOwn();
}

wire::Request Initiator::markSent(const Entry& sent) {
    Entry& entry = *ledger_.find(sent.sequence);
    Device& device = devices_.at(entry.device);
    if (entry.origin == Origin::Kernel)
        toSend_.pop_front();
    else if (entry.origin == Origin::Probe)
        device.probe = Probe::Sent;
    else
        device.work.sent(entry);
    ++outstanding_;
    wire::Request request;
    request.op = entry.op;
    request.flags = entry.flags;
    if (entry.sentBefore || entry.origin == Origin::Replay)
        request.flags |= wire::kFlagReplay;
    request.exportId = device.info.id;
    request.epoch = epoch_;
    request.sequence = entry.sequence;
    request.offset = entry.offset;
    request.length = entry.length;
    entry.state = EntryState::Sent;
    entry.sentBefore = true;
    entry.writtenMark = device.written;
    if (const WriteLog* log = device.work.log())
        entry.logMark = log->mark();
    return request;
}

Result<Answer> Initiator::responseReceived(const wire::Response& response, ConstByteSpan sent) {
    if (response.epoch != epoch_)
        return failure("response of another session");
    Entry* entry = ledger_.find(response.sequence);
    if (entry == nullptr || entry->state != EntryState::Sent)
        return failure("response to a request that was not sent");
    if (response.op != entry->op || response.offset != entry->offset ||
        response.length != entry->length ||
        (entry->origin != Origin::Nobody &&
         response.exportId != devices_.at(entry->device).info.id))
        return failure("response does not echo its request");
    if (entry->origin != Origin::Kernel)
        return answerOfOurOwn(*entry, response);

    const Verifier before = devices_.at(entry->device).info.verifier;
    const auto lost = applyDurability(*entry, response);
    if (!lost)
        return tl::make_unexpected(lost.error());
    if (!*lost)
        logChange(*entry, response, sent);
    Answer answer;
    if (devices_.at(entry->device).info.verifier != before)
        answer.tookVerifier = entry->device;
    answer.sequence = entry->sequence;
    answer.endsSession = *lost;
    if (response.status == 0 && wire::returnsPayload(entry->op)) {
        entry->state = EntryState::Filling;
        entry->payloadCrc = response.payloadCrc;
        answer.payloadLength = entry->length;
        return answer;
    }
    const int done = static_cast<int>(entry->op == wire::Op::Write ? entry->length : 0);
    Device& device = devices_.at(entry->device);
    answer.completion = finish(*entry, response.status == 0 ? done : -response.status);
    goOn(device);
    return answer;
}

// Which of the acknowledged bytes are safe. True: some may be lost.
Result<bool> Initiator::applyDurability(const Entry& entry, const wire::Response& response) {
    Device& device = devices_.at(entry.device);
    const bool failed = response.status != 0;
    if (response.verifier != device.info.verifier) {
        // A failed change or flush is not tried again: it might fail, and change the verifier, for
        // ever. But its error is only its own issuer's, and the bytes may be anybody's, so it does
        // not replace sending them again. exportOffered() judges the next session.
        if (!failed || entry.op == wire::Op::Read)
            return failure("the target may have lost bytes it had acknowledged");
        if (device.hasUnsaved())
            return true;
        device.info.verifier = response.verifier;
        if (WriteLog* log = device.work.log())
            log->restart(response.verifier);
    }
    if (failed)
        return false;
    if (entry.op == wire::Op::Flush) {
        flushed(device, entry);
    } else if (entry.op != wire::Op::Read && (response.flags & wire::kFlagDurable) == 0) {
        device.written += entry.length;
    }
    return false;
}

Result<Completion> Initiator::payloadReceived(Sequence sequence) {
    Entry* entry = ledger_.find(sequence);
    if (entry == nullptr || entry->state != EntryState::Filling)
        return failure("payload for a request that awaits none");
    return finish(*entry, static_cast<int>(entry->length));
}

std::optional<DeviceId> Initiator::ownPayloadReceived(Sequence sequence) {
    return endOwn(*ledger_.find(sequence));
}

std::optional<DeviceId> Initiator::endOwn(Entry& entry) {
    const Entry ended = entry;
    finish(entry, 0);
    if (ended.origin != Origin::Probe) {
        disownedAnswered(ended.sequence);
        return std::nullopt;
    }
    devices_.at(ended.device).probe = Probe::None;
    return ended.device;
}

void Initiator::probe(DeviceId device, std::uint64_t offset) {
    Device& asked = devices_.at(device);
    asked.probe = Probe::Wanted;
    asked.probeOffset = offset;
}

const Entry* Initiator::nextProbe(DeviceId id, Device& device, bool room) {
    if (device.probe == Probe::Parked)
        return ledger_.find(device.probeSequence);
    if (device.probe != Probe::Wanted || !device.open || !room)
        return nullptr;
    Entry entry;
    entry.device = id;
    entry.origin = Origin::Probe;
    entry.op = wire::Op::Read;
    entry.offset = device.probeOffset;
    entry.length = device.info.blockSize;
    const Entry* added = ledger_.add(entry);
    if (added != nullptr) {
        device.probe = Probe::Parked;
        device.probeSequence = added->sequence;
    }
    return added;
}

std::uint32_t Initiator::promisedCrc(Sequence sequence) {
    const Entry* entry = ledger_.find(sequence);
    return entry == nullptr ? 0 : entry->payloadCrc;
}

std::optional<Completion> Initiator::fail(Sequence sequence, int error) {
    Entry* entry = ledger_.find(sequence);
    if (entry == nullptr)
        return std::nullopt;
    Device& device = devices_.at(entry->device);
    const Completion completion = finish(*entry, -error);
    goOn(device);
    return completion;
}

std::vector<Completion> Initiator::failParked(DeviceId device, int error) {
    std::vector<Completion> completions;
    for (const Entry* entry : inOrder(device))
        if (entry->state == EntryState::Parked)
            completions.push_back(*fail(entry->sequence, error));
    return completions;
}

std::vector<const Entry*> Initiator::inOrder(DeviceId device) {
    std::vector<const Entry*> entries;
    for (const Entry* entry : ledger_.inOrder())
        if (entry->device == device && entry->origin == Origin::Kernel)
            entries.push_back(entry);
    return entries;
}

Completion Initiator::finish(Entry& entry, int result) {
    if (entry.state != EntryState::Parked)
        --outstanding_;
    if (const auto device = devices_.find(entry.device); device != devices_.end())
        device->second.work.release(entry);
    if (entry.origin == Origin::Kernel)
        --kernels_;
    const Completion completion{entry.sequence, entry.device, entry.tag, result};
    ledger_.remove(entry.sequence);
    return completion;
}

}  // namespace belay::session
