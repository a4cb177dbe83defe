#include "core/session/initiator.h"

#include <algorithm>
#include <cerrno>

namespace belay::session {

void Initiator::addDevice(DeviceId device, const wire::ExportInfo& known, bool unsavedUnknown) {
    Device added;
    added.info = known;
    added.unsavedUnknown = unsavedUnknown;
    devices_.insert_or_assign(device, added);
}

void Initiator::removeDevice(DeviceId device) {
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
    if (offered.uuid != known.info.uuid || offered.sizeBytes != known.info.sizeBytes ||
        offered.blockSize != known.info.blockSize || offered.readOnly != known.info.readOnly ||
        offered.generation != known.info.generation)
        return Resume::DifferentDisk;
    if (offered.verifier != known.info.verifier && known.hasUnsaved())
        return Resume::DataMayBeMissing;
    known.info = offered;
    known.open = true;
    for (Entry* entry : ledger_.inOrder())
        if (entry->device == device && entry->state == EntryState::Parked)
            toSend_.push_back(entry->sequence);
    std::ranges::sort(toSend_);
    return Resume::Same;
}

void Initiator::forgiveMissingData(DeviceId device) {
    const auto found = devices_.find(device);
    if (found == devices_.end())
        return;
    found->second.unsavedUnknown = false;
    found->second.stable = found->second.written;
}

void Initiator::sessionClosed() {
    epoch_ = Epoch();
    outstanding_ = 0;
    toSend_.clear();
    for (auto& [id, known] : devices_)
        known.open = false;
    for (Entry* entry : ledger_.inOrder())
        entry->state = EntryState::Parked;
}

bool Initiator::submit(const Entry& request) {
    Entry* entry = ledger_.add(request);
    if (entry == nullptr)
        return false;
    entry->state = EntryState::Parked;
    if (isOpen(entry->device))
        toSend_.push_back(entry->sequence);
    return true;
}

const Entry* Initiator::nextToSend() {
    while (!toSend_.empty() && outstanding_ < maxOutstanding_) {
        const Entry* entry = ledger_.find(toSend_.front());
        if (entry != nullptr && entry->state == EntryState::Parked)
            return entry;
        toSend_.pop_front();  // failed while it waited
    }
    return nullptr;
}

wire::Request Initiator::markSent(const Entry& sent) {
    Entry& entry = *ledger_.find(sent.sequence);
    const Device& device = devices_.at(entry.device);
    toSend_.pop_front();
    ++outstanding_;
    wire::Request request;
    request.op = entry.op;
    request.flags = entry.flags;
    if (entry.sentBefore)
        request.flags |= wire::kFlagReplay;
    request.exportId = device.info.id;
    request.epoch = epoch_;
    request.sequence = entry.sequence;
    request.offset = entry.offset;
    request.length = entry.length;
    entry.state = EntryState::Sent;
    entry.sentBefore = true;
    entry.writtenMark = device.written;
    return request;
}

Result<Answer> Initiator::responseReceived(const wire::Response& response) {
    if (response.epoch != epoch_)
        return failure("response of another session");
    Entry* entry = ledger_.find(response.sequence);
    if (entry == nullptr || entry->state != EntryState::Sent)
        return failure("response to a request that was not sent");
    if (response.op != entry->op || response.exportId != devices_.at(entry->device).info.id ||
        response.offset != entry->offset || response.length != entry->length)
        return failure("response does not echo its request");

    if (auto durable = applyDurability(*entry, response); !durable)
        return tl::make_unexpected(durable.error());
    Answer answer;
    answer.sequence = entry->sequence;
    if (response.status == 0 && wire::returnsPayload(entry->op)) {
        entry->state = EntryState::Filling;
        entry->payloadCrc = response.payloadCrc;
        answer.payloadLength = entry->length;
        return answer;
    }
    const int done = static_cast<int>(entry->op == wire::Op::Write ? entry->length : 0);
    answer.completion = finish(*entry, response.status == 0 ? done : -response.status);
    return answer;
}

// Which of the acknowledged bytes are safe.
Result<void> Initiator::applyDurability(const Entry& entry, const wire::Response& response) {
    Device& device = devices_.at(entry.device);
    if (response.verifier != device.info.verifier) {
        // Acknowledged bytes may be lost. By the EIO of a flush or a change the issuer learns of it
        // here and now, as from a disk of its own. By anything else nobody would (a read would
        // even show what is left): the session ends, and exportOffered() judges the next one.
        if (response.status != EIO || entry.op == wire::Op::Read)
            return failure("the target may have lost bytes it had acknowledged");
        device.info.verifier = response.verifier;
        device.stable = device.written;
    }
    if (response.status != 0)
        return {};
    if (entry.op == wire::Op::Flush) {
        device.stable = std::max(device.stable, entry.writtenMark);
        device.unsavedUnknown = false;
    } else if (entry.op != wire::Op::Read && (response.flags & wire::kFlagDurable) == 0) {
        device.written += entry.length;
    }
    return {};
}

Result<Completion> Initiator::payloadReceived(Sequence sequence) {
    Entry* entry = ledger_.find(sequence);
    if (entry == nullptr || entry->state != EntryState::Filling)
        return failure("payload for a request that awaits none");
    return finish(*entry, static_cast<int>(entry->length));
}

std::uint32_t Initiator::promisedCrc(Sequence sequence) {
    const Entry* entry = ledger_.find(sequence);
    return entry == nullptr ? 0 : entry->payloadCrc;
}

std::optional<Completion> Initiator::fail(Sequence sequence, int error) {
    Entry* entry = ledger_.find(sequence);
    if (entry == nullptr)
        return std::nullopt;
    return finish(*entry, -error);
}

std::vector<Completion> Initiator::failParked(DeviceId device, int error) {
    std::vector<Completion> completions;
    for (Entry* entry : ledger_.inOrder())
        if (entry->device == device && entry->state == EntryState::Parked)
            completions.push_back(finish(*entry, -error));
    return completions;
}

std::size_t Initiator::underWay(DeviceId device) {
    return static_cast<std::size_t>(std::ranges::count_if(
        ledger_.inOrder(), [device](const Entry* entry) { return entry->device == device; }));
}

Completion Initiator::finish(Entry& entry, int result) {
    if (entry.state != EntryState::Parked)
        --outstanding_;
    const Completion completion{entry.sequence, entry.device, entry.tag, result};
    ledger_.remove(entry.sequence);
    return completion;
}

}  // namespace belay::session
