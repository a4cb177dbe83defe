#include "core/session/write_log.h"

#include "core/base/crc32c.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>
#include <map>
#include <queue>
#include <utility>

namespace belay::session {
namespace {

constexpr std::uint64_t kMagic = 0x31474f4c59414c42;  // "BLAYLOG1"
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kRecordMagic = 0x52574c42;  // "BLWR"

// The header is written to two places in turn: one of them is always whole.
struct HeaderLayout {
    static constexpr std::size_t kPlaces[] = {0, 128};
    static constexpr std::size_t kMagic = 0;
    static constexpr std::size_t kVersion = 8;
    static constexpr std::size_t kGeneration = 16;
    static constexpr std::size_t kUuid = 24;
    static constexpr std::size_t kVerifier = 40;
    static constexpr std::size_t kCapacity = 48;
    static constexpr std::size_t kHead = 56;
    static constexpr std::size_t kFirst = 64;  // the lowest number that can be at the head
    static constexpr std::size_t kNext = 72;
    static constexpr std::size_t kCovered = 80;
    static constexpr std::size_t kLost = 88;
    static constexpr std::size_t kCrc = 96;  // of what is before it
    static constexpr std::size_t kBytes = 100;
};
constexpr std::size_t kPublishedAt = 256;

struct RecordLayout {
    static constexpr std::size_t kMagic = 0;
    static constexpr std::size_t kOp = 4;
    static constexpr std::size_t kDurable = 5;
    static constexpr std::size_t kFlags = 6;
    static constexpr std::size_t kNumber = 8;
    static constexpr std::size_t kSequence = 16;
    static constexpr std::size_t kOffset = 24;
    static constexpr std::size_t kLength = 32;
    static constexpr std::size_t kPayload = 36;
    static constexpr std::size_t kCovers = 40;
    static constexpr std::size_t kCrc = 60;  // of what is before it
};

// A process is killed between two instructions, never between two effects of one processor on its
// memory: only the compiler must keep the order.
void inThisOrder() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

// Parts of the device, joined where they touch.
class Ranges {
 public:
    // Adds begin .. end-1, and calls `isNew` with each part of it that was not there, from the last
    // to the first.
    template <class IsNew>
    void add(std::uint64_t begin, std::uint64_t end, IsNew isNew) {
        std::uint64_t low = begin;
        std::uint64_t high = end;
        std::uint64_t open = end;  // what is above it is told
        auto next = ends_.upper_bound(end);
        while (next != ends_.begin()) {
            const auto other = std::prev(next);
            if (other->second < begin)
                break;
            if (other->second < open)
                isNew(other->second, open);
            open = std::min(open, other->first);
            low = std::min(low, other->first);
            high = std::max(high, other->second);
            next = ends_.erase(other);
        }
        if (begin < open)
            isNew(begin, open);
        ends_.emplace(low, high);
    }

 private:
    std::map<std::uint64_t, std::uint64_t> ends_;  // by their beginnings
};

WriteLog::Record recordOf(const wire::Request& change) {
    WriteLog::Record record;
    record.sequence = change.sequence;
    record.op = change.op;
    record.flags = change.flags;
    record.offset = change.offset;
    record.length = change.length;
    return record;
}

std::uint64_t unsavedBytesOf(const WriteLog::Record& record) {
    return record.durable ? 0 : record.length;
}

}  // namespace

WriteLog::WriteLog(ByteSpan memory, const Uuid& uuid, Verifier verifier, bool unsavedUnknown)
    : memory_(memory),
      ring_(memory.subspan(kHeaderBytes,
                           (memory.size() - kHeaderBytes) / kRecordBytes * kRecordBytes)),
      uuid_(uuid),
      verifier_(verifier),
      // An earlier process may have used all of it.
      highest_(ring_.size()),
      usable_(ring_.size()) {
    if (load(uuid))
        return;
    records_.clear();
    head_ = used_ = 0;
    unsaved_ = 0;
    // Above whatever number lies around in it.
    next_ = std::max(next_, published()) + 1;
    if (unsavedUnknown)
        abandon(verifier);
    else
        restart(verifier);
}

std::size_t WriteLog::room(std::size_t payload) {
    return kRecordBytes + (payload + kRecordBytes - 1) / kRecordBytes * kRecordBytes;
}

// As long as not all of the ring is usable, it has no second lap.
bool WriteLog::hasRoom(std::size_t bytes) const {
    return used_ + bytes + (usable_ < ring_.size() ? head_ : 0) <= usable_;
}

void WriteLog::useFirst(std::size_t bytes) {
    const bool isTwoLaps = head_ + used_ > ring_.size();
    const std::size_t inUse = isTwoLaps ? ring_.size() : head_ + used_;
    usable_ = std::max(std::min(bytes, ring_.size()), inUse);
    highest_ = std::max(highest_, usable_);
    if (wanted_ <= usable_)
        wanted_ = 0;
}

// As soon as half is in use, so that the memory is there before it is needed; and twice as much at
// least, so that a log that grows asks a few times.
void WriteLog::want(std::size_t bytes) {
    if (usable_ < ring_.size() && !hasRoom(bytes + usable_ / 2))
        wanted_ = std::min(ring_.size(), std::max(2 * usable_, head_ + used_ + bytes));
}

std::size_t WriteLog::advance(std::size_t position, std::size_t bytes) const {
    const std::size_t moved = position + bytes;
    return moved < ring_.size() ? moved : moved - ring_.size();
}

// -- opening

bool WriteLog::load(const Uuid& uuid) {
    using L = HeaderLayout;
    ConstByteSpan header;
    for (const std::size_t place : L::kPlaces) {
        const ConstByteSpan candidate = memory_.subspan(place, L::kBytes);
        if (loadLe<std::uint64_t>(candidate, L::kMagic) == kMagic &&
            loadLe<std::uint32_t>(candidate, L::kCrc) == crc32c(candidate.first(L::kCrc)) &&
            loadLe<std::uint64_t>(candidate, L::kGeneration) > generation_) {
            header = candidate;
            generation_ = loadLe<std::uint64_t>(candidate, L::kGeneration);
        }
    }
    if (header.empty())
        return false;
    next_ = loadLe<std::uint64_t>(header, L::kNext);
    head_ = loadLe<std::uint64_t>(header, L::kHead);
    if (loadLe<std::uint32_t>(header, L::kVersion) != kVersion ||
        std::memcmp(header.data() + L::kUuid, uuid.bytes.data(), uuid.bytes.size()) != 0 ||
        loadLe<std::uint64_t>(header, L::kCapacity) != ring_.size() || head_ >= ring_.size() ||
        head_ % kRecordBytes != 0)
        return false;
    covered_ = loadLe<std::uint64_t>(header, L::kCovered);
    lost_ = loadLe<std::uint64_t>(header, L::kLost);
    verifier_ = Verifier(loadLe<std::uint64_t>(header, L::kVerifier));

    std::uint64_t lowest = loadLe<std::uint64_t>(header, L::kFirst);
    const std::uint64_t last = published();
    Record record;
    while (lowest <= last && readRecord(tail(), record) && record.number >= lowest &&
           record.number <= last) {
        lowest = record.number + 1;
        used_ += room(record.payload);
        unsaved_ += unsavedBytesOf(record);
        records_.push_back(record);
    }
    next_ = std::max(next_, last + 1);
    if (lowest <= last)
        return false;  // a record that was acknowledged is damaged
    return true;
}

bool WriteLog::readRecord(std::size_t position, Record& record) const {
    using L = RecordLayout;
    if (used_ + kRecordBytes > ring_.size())
        return false;
    const ConstByteSpan bytes = ring_.subspan(position, kRecordBytes);
    if (loadLe<std::uint32_t>(bytes, L::kMagic) != kRecordMagic ||
        loadLe<std::uint32_t>(bytes, L::kCrc) != crc32c(bytes.first(L::kCrc)))
        return false;
    record.number = loadLe<std::uint64_t>(bytes, L::kNumber);
    record.sequence = Sequence(loadLe<std::uint64_t>(bytes, L::kSequence));
    record.op = static_cast<wire::Op>(bytes[L::kOp]);
    record.durable = bytes[L::kDurable] != std::byte{0};
    record.flags = loadLe<std::uint16_t>(bytes, L::kFlags);
    record.offset = loadLe<std::uint64_t>(bytes, L::kOffset);
    record.length = loadLe<std::uint32_t>(bytes, L::kLength);
    record.payload = loadLe<std::uint32_t>(bytes, L::kPayload);
    record.covers = loadLe<std::uint64_t>(bytes, L::kCovers);
    record.position = position;
    const bool isWrite = record.op == wire::Op::Write;
    if (!(isWrite || record.op == wire::Op::Discard || record.op == wire::Op::WriteZeroes) ||
        record.payload != (isWrite && !record.durable ? record.length : 0))
        return false;
    return used_ + room(record.payload) <= ring_.size();
}

// -- writing

void WriteLog::writeHeader() {
    using L = HeaderLayout;
    ++generation_;
    const ByteSpan header = memory_.subspan(L::kPlaces[generation_ % 2], L::kBytes);
    storeLe<std::uint32_t>(header, L::kCrc, ~loadLe<std::uint32_t>(header, L::kCrc));
    inThisOrder();
    storeLe<std::uint64_t>(header, L::kMagic, kMagic);
    storeLe<std::uint32_t>(header, L::kVersion, kVersion);
    storeLe<std::uint32_t>(header, L::kVersion + 4, 0);
    storeLe<std::uint64_t>(header, L::kGeneration, generation_);
    std::memcpy(header.data() + L::kUuid, uuid_.bytes.data(), uuid_.bytes.size());
    storeLe<std::uint64_t>(header, L::kVerifier, verifier_.value);
    storeLe<std::uint64_t>(header, L::kCapacity, ring_.size());
    storeLe<std::uint64_t>(header, L::kHead, head_);
    storeLe<std::uint64_t>(header, L::kFirst, records_.empty() ? next_ : records_.front().number);
    storeLe<std::uint64_t>(header, L::kNext, next_);
    storeLe<std::uint64_t>(header, L::kCovered, covered_);
    storeLe<std::uint64_t>(header, L::kLost, lost_);
    const std::uint32_t crc = crc32c(header.first(L::kCrc));
    inThisOrder();
    storeLe<std::uint32_t>(header, L::kCrc, crc);
    inThisOrder();
}

void WriteLog::publish(std::uint64_t number) {
    inThisOrder();
    auto& place = *reinterpret_cast<std::uint64_t*>(memory_.data() + kPublishedAt);
    std::atomic_ref(place).store(number, std::memory_order_release);
    inThisOrder();
}

std::uint64_t WriteLog::published() const {
    auto& place = *reinterpret_cast<std::uint64_t*>(memory_.data() + kPublishedAt);
    return std::atomic_ref(place).load(std::memory_order_acquire);
}

bool WriteLog::append(const wire::Request& change, ConstByteSpan payload) {
    return append(recordOf(change), payload);
}

bool WriteLog::appendDurable(const wire::Request& change, std::uint64_t mark) {
    Record record = recordOf(change);
    record.durable = true;
    record.covers = mark;
    const bool needed = std::ranges::any_of(records_, [&](const Record& other) {
        return other.number <= mark && record.offset < other.offset + other.length &&
               other.offset < record.offset + record.length;
    });
    return !needed || append(record, {});
}

bool WriteLog::append(Record record, ConstByteSpan payload) {
    using L = RecordLayout;
    record.number = next_++;
    if (!hasRoom(room(payload.size()))) {
        lost_ = record.number;
        writeHeader();
        return false;
    }
    record.payload = static_cast<std::uint32_t>(payload.size());
    record.position = tail();

    const std::size_t start = advance(record.position, kRecordBytes);
    const std::size_t first = std::min(payload.size(), ring_.size() - start);
    copyBytes(payload.first(first), ring_.subspan(start));
    copyBytes(payload.subspan(first), ring_);

    const ByteSpan bytes = ring_.subspan(record.position, kRecordBytes);
    std::ranges::fill(bytes, std::byte{0});
    storeLe<std::uint32_t>(bytes, L::kMagic, kRecordMagic);
    bytes[L::kOp] = static_cast<std::byte>(record.op);
    bytes[L::kDurable] = static_cast<std::byte>(record.durable);
    storeLe<std::uint16_t>(bytes, L::kFlags, record.flags);
    storeLe<std::uint64_t>(bytes, L::kNumber, record.number);
    storeLe<std::uint64_t>(bytes, L::kSequence, record.sequence.value);
    storeLe<std::uint64_t>(bytes, L::kOffset, record.offset);
    storeLe<std::uint32_t>(bytes, L::kLength, record.length);
    storeLe<std::uint32_t>(bytes, L::kPayload, record.payload);
    storeLe<std::uint64_t>(bytes, L::kCovers, record.covers);
    storeLe<std::uint32_t>(bytes, L::kCrc, crc32c(bytes.first(L::kCrc)));

    used_ += room(payload.size());
    highest_ = std::max(highest_, std::min(ring_.size(), record.position + room(payload.size())));
    unsaved_ += unsavedBytesOf(record);
    records_.push_back(record);
    publish(record.number);
    return true;
}

// -- trimming

ByteSpan WriteLog::takeSpare() {
    if (!records_.empty() || highest_ <= kKeptBytes)
        return {};
    usable_ = std::min(usable_, kKeptBytes);
    wanted_ = 0;
    return ring_.subspan(kKeptBytes, std::exchange(highest_, kKeptBytes) - kKeptBytes);
}

void WriteLog::forgetFirst() {
    const Record& record = records_.front();
    const std::size_t bytes = room(record.payload);
    head_ = advance(head_, bytes);
    used_ -= bytes;
    unsaved_ -= unsavedBytesOf(record);
    records_.pop_front();
    // Else every page of the memory would be in use after one lap, however little is unsaved.
    if (records_.empty())
        head_ = 0;
}

void WriteLog::flushed(std::uint64_t mark) {
    if (mark <= covered_)
        return;
    covered_ = mark;
    while (!records_.empty() && records_.front().number <= mark)
        forgetFirst();
    writeHeader();
}

std::uint64_t WriteLog::stableUpTo(Sequence sequence) {
    const std::uint64_t before = unsaved_;
    const std::size_t count = records_.size();
    while (!records_.empty() && records_.front().sequence <= sequence)
        forgetFirst();
    if (records_.size() != count)
        writeHeader();
    return before - unsaved_;
}

void WriteLog::restart(Verifier verifier) {
    verifier_ = verifier;
    while (!records_.empty())
        forgetFirst();
    covered_ = lost_ = mark();
    writeHeader();
}

void WriteLog::abandon(Verifier verifier) {
    verifier_ = verifier;
    while (!records_.empty())
        forgetFirst();
    lost_ = next_++;
    writeHeader();
}

// -- reading

std::vector<WriteLog::Piece> WriteLog::pieces() const {
    std::vector<Piece> pieces;
    Ranges covered;
    std::priority_queue<std::pair<std::uint64_t, std::size_t>> durable;  // by what they cover
    for (std::size_t i = records_.size(); i-- > 0;) {
        const Record& record = records_[i];
        for (; !durable.empty() && durable.top().first >= record.number; durable.pop()) {
            const Record& over = records_[durable.top().second];
            covered.add(over.offset, over.offset + over.length, [](auto, auto) {});
        }
        if (record.durable) {
            durable.emplace(record.covers, i);
            continue;
        }
        covered.add(record.offset, record.offset + record.length,
                    [&](std::uint64_t begin, std::uint64_t end) {
                        pieces.push_back({i, begin, static_cast<std::uint32_t>(end - begin)});
                    });
    }
    std::ranges::reverse(pieces);
    return pieces;
}

void WriteLog::copyPayload(const Piece& piece, ByteSpan out) const {
    const Record& record = records_[piece.record];
    const std::size_t start = advance(
        record.position, kRecordBytes + static_cast<std::size_t>(piece.offset - record.offset));
    const std::size_t first = std::min(out.size(), ring_.size() - start);
    std::memcpy(out.data(), ring_.data() + start, first);
    std::memcpy(out.data() + first, ring_.data(), out.size() - first);
}

}  // namespace belay::session
