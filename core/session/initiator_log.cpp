// The part of the initiator that has to do with write logs.
#include "core/session/initiator.h"

#include <algorithm>
#include <utility>

namespace belay::session {

bool Initiator::isReplaying(DeviceId device) const {
    const auto found = devices_.find(device);
    return found != devices_.end() &&
           (found->second.work.replaying() || found->second.joining.has_value());
}

bool Initiator::logIsShort(DeviceId device) const {
    const WriteLog* log = devices_.at(device).work.log();
    return log != nullptr && log->wanted() != 0;
}

void Initiator::logHasGrown(DeviceId device) {
    devices_.at(device).work.hasGrown();
    goOn(device);
}

bool Initiator::canReplay(const Device& device) const {
    const WriteLog* log = device.work.log();
    return log != nullptr && log->complete() && !device.unsavedUnknown;
}

// Takes part in the session from here on: at once, or when the log has been sent again.
void Initiator::join(Device& device, const wire::ExportInfo& offered) {
    if (device.work.replaying() && device.work.replayVerifier() == offered.verifier)
        return;  // offered twice
    const Verifier before = device.info.verifier;
    device.info = offered;
    WriteLog* log = device.work.log();
    if (offered.verifier != before && device.hasUnsaved()) {
        // The old one stays the one that counts until all is sent and flushed.
        device.info.verifier = before;
        device.work.startReplay(offered.verifier, longestAtOnce(offered));
        return;
    }
    device.open = true;
    if (log == nullptr || log->verifier() == offered.verifier)
        return;
    if (device.hasUnsaved())
        log->abandon(offered.verifier);
    else
        log->restart(offered.verifier);
}

const Entry* Initiator::nextOfOurOwn(DeviceId id, Device& device) {
    // The other half of the ledger is the kernel's.
    const bool room = ledger_.size() - kernels_ < ledger_.capacity() / 2;
    if (const Entry* entry = nextProbe(id, device, room))
        return entry;
    if (!device.open && !device.work.replaying())
        return nullptr;
    return device.work.next(ledger_, id, terms_.maxOutstanding, room);
}

// Of the write log: what always has room in the export's own part.
std::uint32_t Initiator::longestAtOnce(const wire::ExportInfo& info) const {
    const std::uint64_t part = allotment_.guaranteed(info.id) / info.blockSize * info.blockSize;
    return part == 0 ? UINT32_MAX
                     : static_cast<std::uint32_t>(std::min<std::uint64_t>(part, UINT32_MAX));
}

void Initiator::copyLogged(const Entry& entry, ByteSpan out) const {
    devices_.at(entry.device).work.copyLogged(entry, out);
}

void Initiator::flushed(Device& device, const Entry& entry) {
    device.stable = std::max(device.stable, entry.writtenMark);
    device.unsavedUnknown = false;
    device.work.flushed(entry);
}

// What was answered must be in the log before anybody hears of it.
void Initiator::logChange(const Entry& entry, const wire::Response& response, ConstByteSpan sent) {
    Device& device = devices_.at(entry.device);
    WriteLog* log = device.work.log();
    if (log == nullptr)
        return;
    if (response.status == 0 && wire::changesData(entry.op)) {
        const bool durable = (response.flags & wire::kFlagDurable) != 0;
        wire::Request change;
        change.op = entry.op;
        change.flags = entry.flags;
        change.sequence = entry.sequence;
        change.offset = entry.offset;
        change.length = entry.length;
        if (durable)
            log->appendDurable(change, entry.logMark);
        else
            log->append(change, wire::carriesPayload(entry.op) ? sent : ConstByteSpan());
    }
    // It is about the answers before this one. That to a write may have been kept back while its
    // payload was being sent, and then others are logged already that were given after it.
    if (!wire::carriesPayload(entry.op))
        device.stable += device.work.stableUpTo(response.stableUpTo);
}

Result<Answer> Initiator::answerOfOurOwn(Entry& entry, const wire::Response& response) {
    Answer answer;
    answer.sequence = entry.sequence;
    if (entry.origin == Origin::Probe &&
        response.verifier != devices_.at(entry.device).info.verifier)
        return failure("the target may have lost bytes it had acknowledged");
    if (response.status == 0 && wire::returnsPayload(entry.op)) {
        entry.state = EntryState::Filling;
        entry.payloadCrc = response.payloadCrc;
        answer.payloadLength = entry.length;
        return answer;
    }
    if (entry.origin == Origin::Nobody || entry.origin == Origin::Probe) {
        answer.probed = endOwn(entry);
        return answer;
    }
    const DeviceId id = entry.device;
    Device& device = devices_.at(id);
    LogWork& work = device.work;
    const bool failed = response.status != 0;
    const Verifier expected = work.replaying() ? work.replayVerifier() : device.info.verifier;
    // No issuer learns of it from this answer, whatever its status: the next session sends again.
    if (response.verifier != expected && !(failed && work.replaying()))
        return failure("the target may have lost bytes it had acknowledged");
    const Entry answered = entry;
    finish(entry, 0);
    if (work.replaying()) {
        if (failed || answered.op == wire::Op::Flush)
            answer.replayEnd = endReplay(id, !failed);
        else
            work.replayed();
    } else if (failed) {
        work.flushFailed();
    } else {
        flushed(device, answered);
        device.stable += work.stableUpTo(response.stableUpTo);
    }
    goOn(id);
    return answer;
}

ReplayEnd Initiator::endReplay(DeviceId id, bool saved) {
    Device& device = devices_.at(id);
    disown(id);
    device.probe = Probe::None;
    if (!saved) {
        device.work.reset();
        return {id, false};
    }
    device.info.verifier = device.work.replayVerifier();
    device.stable = device.written;
    device.work.endReplay();
    device.open = true;
    sendParked(id, device);
    return {id, true};
}

// What is under way on our own account is nobody's from here on.
void Initiator::disown(DeviceId device) {
    for (Entry* entry : ledger_.inOrder()) {
        if (entry->device != device || entry->origin == Origin::Kernel)
            continue;
        if (entry->state == EntryState::Parked)
            ledger_.remove(entry->sequence);
        else if (entry->origin != Origin::Nobody)
            makeNobodys(*entry, devices_.at(device).info.uuid);
    }
}

void Initiator::makeNobodys(Entry& entry, const Uuid& disk) {
    --devices_.at(entry.device).underWay;
    entry.origin = Origin::Nobody;
    entry.rest.reset();
    disowned_.emplace(entry.sequence, disk);
}

bool Initiator::isDisowned(const Uuid& disk) const {
    return std::ranges::any_of(disowned_, [&](const auto& item) { return item.second == disk; });
}

void Initiator::disownedAnswered(Sequence sequence) {
    const auto found = disowned_.find(sequence);
    if (found == disowned_.end())
        return;
    const Uuid disk = found->second;
    disowned_.erase(found);
    if (isDisowned(disk))
        return;
    for (auto& [id, known] : devices_)
        if (known.info.uuid == disk)
            joinIfItCan(id, known);
}

// Something of the device is answered: what waited for that may go.
void Initiator::goOn(DeviceId id) {
    Device& device = devices_.at(id);
    joinIfItCan(id, device);
    if (!device.work.mayGoOn())
        return;
    const auto waiting = device.work.takeWaiting();
    device.toSend.insert(device.toSend.end(), waiting.begin(), waiting.end());
    std::ranges::sort(device.toSend);
}

}  // namespace belay::session
