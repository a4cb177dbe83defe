#include "core/session/initiator.h"

#include <algorithm>
#include <utility>

namespace belay::session {
namespace {

std::uint32_t payloadOf(const Entry& entry) {
    return wire::carriesPayload(entry.op) || wire::returnsPayload(entry.op) ? entry.length : 0;
}

}  // namespace

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
    growLedger();
}

// One half is the kernel's, the other is for requests of our own, and nobody's. One request of each
// device may be in two pieces.
void Initiator::growLedger() {
    depths_ = 0;
    for (const auto& [id, each] : devices_)
        depths_ += each.depth;
    ledger_.grow(2 * (depths_ + devices_.size() + disowned_.size()));
}

void Initiator::removeDevice(DeviceId device) {
    disown(device);
    devices_.erase(device);
    growLedger();
}

bool Initiator::isOpen(DeviceId device) const {
    const auto found = devices_.find(device);
    return found != devices_.end() && found->second.open;
}

std::uint64_t Initiator::unsavedBytes(DeviceId device) const {
    const auto found = devices_.find(device);
    return found == devices_.end() ? 0 : found->second.written - found->second.stable;
}

void Initiator::sessionOpened(Epoch epoch, const Terms& terms) {
    epoch_ = epoch;
    terms_ = terms;
    allotment_ = Allotment(terms.memory, terms.maxOutstanding);
    listed_.clear();
    hasList_ = false;
}

bool Initiator::exportsListed(const std::vector<wire::ExportInfo>& exports) {
    std::set<ExportId> ids;
    for (const wire::ExportInfo& info : exports)
        ids.insert(info.id);
    const std::set<ExportId> before = std::exchange(listed_, ids);
    for (const ExportId id : before)
        if (!ids.contains(id))
            allotment_.leave(id);
    // A session that has just begun has no part for what it has none for.
    const bool first = !std::exchange(hasList_, true);
    bool all = true;
    for (const wire::ExportInfo& info : exports) {
        const std::uint32_t part = info.guaranteed != 0
                                       ? info.guaranteed
                                       : Allotment::part(terms_.memory, terms_.maxOutstanding,
                                                         exports.size(), info.blockSize);
        const bool has = allotment_.join(info.id, part);
        all = all && (has || first || before.contains(info.id));
    }
    return all;
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
    known.joining = offered;
    joinIfItCan(device, known);
    return Resume::Same;
}

// What an earlier stay in this session has sent may be done by the store at any time until it is
// answered. (Whoever is offered once more is in it already.)
void Initiator::joinIfItCan(DeviceId id, Device& device) {
    const bool isIn = device.open || device.work.replaying();
    if (!device.joining || (!isIn && (device.underWay > 0 || isDisowned(device.joining->uuid))))
        return;
    const wire::ExportInfo offered = *std::exchange(device.joining, std::nullopt);
    join(device, offered);
    if (device.open)
        sendParked(id, device);
}

void Initiator::sendParked(DeviceId id, Device& device) {
    for (const Entry* entry : inOrder(id))
        if (entry->state == EntryState::Parked)
            device.toSend.push_back(entry->sequence);
    std::ranges::sort(device.toSend);
}

void Initiator::exportLeft(DeviceId id) {
    Device& device = devices_.at(id);
    device.open = false;
    device.joining.reset();
    device.toSend.clear();
    device.probe = Probe::None;
    disown(id);
    for (Entry* entry : ledger_.inOrder())
        if (entry->device == id && entry->state == EntryState::Parked)
            device.work.release(*entry);
    device.work.leave();
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
    allotment_ = Allotment();
    disowned_.clear();
    for (auto& [id, known] : devices_) {
        known.open = false;
        known.joining.reset();
        known.toSend.clear();
        known.underWay = 0;
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
    Entry* entry = kernels_ < depths_ ? ledger_.add(request) : nullptr;
    if (entry == nullptr)
        return false;
    ++kernels_;
    entry->state = EntryState::Parked;
    if (Device& device = devices_.at(entry->device); device.open)
        device.toSend.push_back(entry->sequence);
    return true;
}

// The devices take turns.
const Entry* Initiator::nextToSend() {
    auto turn = devices_.upper_bound(last_);
    for (std::size_t i = 0; i < devices_.size(); ++i, ++turn) {
        if (turn == devices_.end())
            turn = devices_.begin();
        if (const Entry* entry = nextOf(turn->first, turn->second))
            return entry;
    }
    return nullptr;
}

const Entry* Initiator::nextOf(DeviceId id, Device& device) {
    if (const Entry* own = nextOfOurOwn(id, device))
        return hasRoom(device, *own) ? own : nullptr;
    while (!device.toSend.empty()) {
        Entry* entry = ledger_.find(device.toSend.front());
        if (entry != nullptr && entry->state == EntryState::Parked && !waits(*entry)) {
            if (!hasRoom(device, *entry) && !cutToFit(device, *entry))
                return nullptr;
            if (device.work.reserve(*entry))
                return entry;
        }
        device.toSend.pop_front();  // failed while it waited, or waits for something else
    }
    // What waits now may be a reason to flush.
    const Entry* own = nextOfOurOwn(id, device);
    return own != nullptr && hasRoom(device, *own) ? own : nullptr;
}

bool Initiator::hasRoom(const Device& device, const Entry& entry) const {
    return allotment_.hasRoom(device.info.id, payloadOf(entry));
}

// A rest whose beginning is not answered.
bool Initiator::waits(const Entry& entry) {
    return entry.beginning && ledger_.find(*entry.beginning) != nullptr;
}

// Others may keep all that is nobody's part for as long as they like. What fits in the device's own
// part goes by itself; what does not is cut, once nothing else of the device is under way.
bool Initiator::cutToFit(const Device& device, Entry& entry) {
    if (payloadOf(entry) == 0 || allotment_.hasTaken(device.info.id))
        return false;
    const std::uint32_t length = longestAtOnce(device.info);
    if (length >= entry.length)
        return false;
    Entry rest = entry;
    rest.offset += length;
    rest.length -= length;
    rest.inRequest += length;
    rest.reserved = 0;
    rest.beginning = entry.sequence;
    const Entry* added = ledger_.add(rest);
    if (added == nullptr)
        return false;
    // It was a beginning already, for a larger part.
    if (entry.rest)
        ledger_.find(*entry.rest)->beginning = added->sequence;
    entry.length = length;
    entry.rest = added->sequence;
    return true;
}

wire::Request Initiator::markSent(const Entry& sent) {
    Entry& entry = *ledger_.find(sent.sequence);
    Device& device = devices_.at(entry.device);
    if (entry.origin == Origin::Kernel)
        device.toSend.pop_front();
    else if (entry.origin == Origin::Probe)
        device.probe = Probe::Sent;
    else
        device.work.sent(entry);
    ++device.underWay;
    last_ = entry.device;
    entry.sentTo = device.info.id;
    allotment_.take(entry.sentTo, payloadOf(entry));
    wire::Request request;
    request.op = entry.op;
    request.flags = entry.flags;
    if (entry.sentBefore || entry.origin == Origin::Replay)
        request.flags |= wire::kFlagReplay;
    request.exportId = entry.sentTo;
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
        response.length != entry->length || response.exportId != entry->sentTo)
        return failure("response does not echo its request");
    if (terms_.perExport && response.status == wire::kStatusNotReady) {
        Answer answer;
        answer.sequence = entry->sequence;
        notTaken(*entry);
        return answer;
    }
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
    const DeviceId id = entry->device;
    answer.completion = finish(*entry, response.status == 0 ? done : -response.status);
    goOn(id);
    return answer;
}

// The export has left the session, and the target has not done it. It is sent again when the
// export is back.
void Initiator::notTaken(Entry& entry) {
    if (entry.origin == Origin::Nobody) {
        endOwn(entry);
        return;
    }
    const DeviceId id = entry.device;
    allotment_.giveBack(entry.sentTo, payloadOf(entry));
    --devices_.at(id).underWay;
    entry.state = EntryState::Parked;
    // Offered anew already, it joins when this was the last.
    const auto joining = devices_.at(id).joining;
    exportLeft(id);
    devices_.at(id).joining = joining;
    goOn(id);
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

Result<std::optional<Completion>> Initiator::payloadReceived(Sequence sequence) {
    Entry* entry = ledger_.find(sequence);
    if (entry == nullptr || entry->state != EntryState::Filling)
        return failure("payload for a request that awaits none");
    const DeviceId id = entry->device;
    const auto completion = finish(*entry, static_cast<int>(entry->length));
    goOn(id);
    return completion;
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
    goOn(ended.device);
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
    const DeviceId id = entry->device;
    const auto completion = finish(*entry, -error);
    goOn(id);
    return completion;
}

std::vector<Completion> Initiator::failParked(DeviceId device, int error) {
    std::vector<Sequence> parked;
    for (const Entry* entry : inOrder(device))
        if (entry->state == EntryState::Parked)
            parked.push_back(entry->sequence);
    std::vector<Completion> completions;
    for (const Sequence sequence : parked) {
        // A rest ends with its beginning, be it before it or later.
        const Entry* entry = ledger_.find(sequence);
        if (entry != nullptr && !waits(*entry))
            if (const auto completion = fail(sequence, error))
                completions.push_back(*completion);
    }
    return completions;
}

std::vector<Completion> Initiator::abandon(DeviceId id, int error) {
    exportLeft(id);
    Device& device = devices_.at(id);
    std::vector<Completion> completions;
    for (Entry* entry : ledger_.inOrder()) {
        if (entry->device != id || entry->origin != Origin::Kernel)
            continue;
        if (!entry->rest) {
            completions.push_back({entry->sequence, id, entry->tag, -error});
            --kernels_;
        }
        device.work.release(*entry);
        if (entry->state == EntryState::Parked)
            ledger_.remove(entry->sequence);
        else
            makeNobodys(*entry, device.info.uuid);
    }
    growLedger();
    return completions;
}

std::vector<const Entry*> Initiator::inOrder(DeviceId device) {
    std::vector<const Entry*> entries;
    for (const Entry* entry : ledger_.inOrder())
        if (entry->device == device && entry->origin == Origin::Kernel)
            entries.push_back(entry);
    return entries;
}

std::optional<Completion> Initiator::finish(Entry& entry, int result) {
    if (entry.state != EntryState::Parked)
        allotment_.giveBack(entry.sentTo, payloadOf(entry));
    if (entry.origin != Origin::Nobody) {
        Device& device = devices_.at(entry.device);
        device.work.release(entry);
        if (entry.state != EntryState::Parked)
            --device.underWay;
    }
    const Entry ended = entry;
    ledger_.remove(ended.sequence);
    if (ended.origin != Origin::Kernel)
        return std::nullopt;
    if (ended.rest)
        return finishBeginning(ended, result);
    --kernels_;
    const int before = result > 0 ? static_cast<int>(ended.inRequest) : 0;
    return Completion{ended.sequence, ended.device, ended.tag, before + result};
}

// Its rest goes now, or shares its fate.
std::optional<Completion> Initiator::finishBeginning(const Entry& beginning, int result) {
    Entry& rest = *ledger_.find(*beginning.rest);
    if (result < 0)
        return finish(rest, result);
    rest.beginning.reset();
    Device& device = devices_.at(rest.device);
    if (device.open)
        device.toSend.push_front(rest.sequence);
    return std::nullopt;
}

}  // namespace belay::session
