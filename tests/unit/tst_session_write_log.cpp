#include "core/session/write_log.h"
#include "tests/unit/session_samples.h"

#include <QTest>
#include <algorithm>
#include <array>
#include <vector>

using namespace belay;
using namespace belay::session;
using wire::Op;

namespace {

constexpr std::size_t kRing = 8192;
constexpr Verifier kOther{0x78};

// Memory that outlives the logs in it.
struct Memory {
    std::vector<std::uint64_t> words =
        std::vector<std::uint64_t>((WriteLog::kHeaderBytes + kRing) / 8);

    ByteSpan bytes() { return std::as_writable_bytes(std::span(words)); }
    WriteLog open(bool unsavedUnknown = false) {
        return {bytes(), sampleExport().uuid, kVerifier, unsavedUnknown};
    }
};

wire::Request change(std::uint64_t sequence, std::uint64_t block, std::uint32_t blocks = 1,
                     Op op = Op::Write) {
    wire::Request request;
    request.op = op;
    request.sequence = Sequence(sequence);
    request.offset = block * kBlock;
    request.length = blocks * kBlock;
    return request;
}

std::vector<std::byte> payload(std::uint32_t blocks, unsigned char fill) {
    return std::vector<std::byte>(std::size_t{blocks} * kBlock, std::byte{fill});
}

bool write(WriteLog& log, std::uint64_t sequence, std::uint64_t block, unsigned char fill,
           std::uint32_t blocks = 1) {
    return log.append(change(sequence, block, blocks), payload(blocks, fill));
}

std::vector<std::byte> read(const WriteLog& log, std::size_t index) {
    const auto& record = log.records()[index];
    std::vector<std::byte> bytes(record.payload);
    log.copyPayload({index, record.offset, record.length}, bytes);
    return bytes;
}

}  // namespace

class SessionWriteLogTest : public QObject {
    Q_OBJECT

 private slots:
    void freshMemory();
    void isFoundAgain();
    void isFoundAgainAfterManyLaps();
    void aTornRecordDoesNotCount();
    void aDamagedRecordMakesItIncomplete_data();
    void aDamagedRecordMakesItIncomplete();
    void anotherExportsLogIsNone();
    void aTornHeaderLeavesTheOneBefore();
    void withoutRoomIncompleteUntilAFlushCoversIt();
    void aFlushForgetsWhatWasThereWhenItWasSent();
    void takesUpOnlyTheMemoryItNeeds();
    void givesBackWhatItDoesNotNeed();
    void usesOnlyMemoryThatIsThere();
    void stableUpToStopsAtTheFirstYoungerOne();
    void aDurableChangeIsLoggedOnlyOverOthers();
    void ofEachByteTheLastChangeIsSentAgain();
    void piecesAgreeWithAModel();
    void restartAndAbandon();
};

void SessionWriteLogTest::freshMemory() {
    Memory memory;
    WriteLog log = memory.open();
    QVERIFY(log.complete() && log.empty());
    QVERIFY(log.verifier() == kVerifier);
    QCOMPARE(log.capacity(), kRing);
    Memory other;
    QVERIFY(!other.open(true).complete());
    // It does not become so by being opened again.
    QVERIFY(!other.open(false).complete());
}

void SessionWriteLogTest::isFoundAgain() {
    Memory memory;
    {
        WriteLog log = memory.open();
        QVERIFY(write(log, 7, 3, 0xaa, 2));
        auto zeroes = change(8, 9, 1, Op::WriteZeroes);
        zeroes.flags = wire::kFlagNoUnmap;
        QVERIFY(log.append(zeroes, {}));
        QVERIFY(log.appendDurable(change(9, 3), log.mark()));
    }
    // Said to be unknown: the log knows better.
    const WriteLog log = memory.open(true);
    QVERIFY(log.complete());
    QCOMPARE(log.records().size(), 3u);
    QCOMPARE(read(log, 0), payload(2, 0xaa));
    QVERIFY(log.records()[2].durable && log.records()[2].payload == 0);
    const auto& zeroes = log.records()[1];
    QVERIFY(zeroes.op == Op::WriteZeroes && zeroes.sequence == Sequence(8));
    QVERIFY(zeroes.flags == wire::kFlagNoUnmap && zeroes.payload == 0);
    QCOMPARE(zeroes.offset, 9u * kBlock);
    QCOMPARE(log.unsavedBytes(), 3u * kBlock);
    QCOMPARE(log.used(), 3u * WriteLog::kRecordBytes + 2u * kBlock);
}

void SessionWriteLogTest::isFoundAgainAfterManyLaps() {
    Memory memory;
    std::uint64_t sequence = 1;
    for (int lap = 0; lap < 100; ++lap) {
        WriteLog log = memory.open();
        QVERIFY(log.complete());
        const auto mark = log.mark();
        for (int i = 0; i < 2; ++i, ++sequence)
            QVERIFY(write(log, sequence, sequence % 60, static_cast<unsigned char>(sequence), 3));
        log.flushed(mark);
        const WriteLog again = memory.open();
        QVERIFY(again.complete());
        QCOMPARE(again.records().size(), 2u);
        for (std::size_t i = 0; i < 2; ++i)
            QCOMPARE(read(again, i), payload(3, static_cast<unsigned char>(sequence - 2 + i)));
    }
}

// Killed before the last store of append(): as if it had never begun.
void SessionWriteLogTest::aTornRecordDoesNotCount() {
    Memory before;
    WriteLog log = before.open();
    write(log, 1, 1, 0x11);
    const auto untouched = before.words;
    write(log, 2, 2, 0x22);
    constexpr std::size_t kPublishedWord = 256 / 8;
    for (std::size_t words = 0; words < before.words.size(); ++words) {
        Memory torn;
        torn.words = untouched;
        std::copy_n(before.words.begin(), words, torn.words.begin());
        torn.words[kPublishedWord] = untouched[kPublishedWord];
        WriteLog found = torn.open();
        QVERIFY(found.complete());
        QCOMPARE(found.records().size(), 1u);
        QVERIFY(write(found, 3, 3, 0x33));
        QCOMPARE(read(torn.open(), 1), payload(1, 0x33));
    }
}

void SessionWriteLogTest::aDamagedRecordMakesItIncomplete_data() {
    QTest::addColumn<std::size_t>("byte");
    constexpr std::size_t kSecond =
        WriteLog::kHeaderBytes + WriteLog::kRecordBytes + std::size_t{kBlock};
    QTest::newRow("first record's number") << WriteLog::kHeaderBytes + 8;
    QTest::newRow("first record's place on the device") << WriteLog::kHeaderBytes + 24;
    QTest::newRow("first record's length") << WriteLog::kHeaderBytes + 36;
    QTest::newRow("last record's number") << kSecond + 8;
    QTest::newRow("last record's checksum") << kSecond + 63;
}

void SessionWriteLogTest::aDamagedRecordMakesItIncomplete() {
    QFETCH(const std::size_t, byte);
    Memory memory;
    {
        WriteLog log = memory.open();
        write(log, 1, 1, 0x11);
        write(log, 2, 2, 0x22);
    }
    memory.bytes()[byte] ^= std::byte{1};
    WriteLog log = memory.open(true);
    QVERIFY(!log.complete() && log.empty());
    // And is usable: nothing of the damage is found later.
    log.flushed(log.mark());
    QVERIFY(write(log, 3, 3, 0x33));
    const WriteLog again = memory.open();
    QVERIFY(again.complete());
    QCOMPARE(again.records().size(), 1u);
}

void SessionWriteLogTest::anotherExportsLogIsNone() {
    Memory memory;
    {
        WriteLog log = memory.open();
        write(log, 1, 1, 0x11);
    }
    auto uuid = sampleExport().uuid;
    uuid.bytes[0] ^= 1;
    WriteLog other(memory.bytes(), uuid, kOther, true);
    QVERIFY(!other.complete() && other.empty());
    QVERIFY(other.verifier() == kOther);
    QVERIFY(!memory.open(true).complete());
}

void SessionWriteLogTest::aTornHeaderLeavesTheOneBefore() {
    Memory memory;
    WriteLog log = memory.open();
    write(log, 1, 1, 0x11);
    const auto mark = log.mark();
    write(log, 2, 2, 0x22);
    const auto before = memory.words;
    log.flushed(mark);
    unsigned old = 0;
    for (std::size_t words = 0; words <= 32; ++words) {
        Memory torn;
        torn.words = before;
        std::copy_n(memory.words.begin(), words, torn.words.begin());
        const WriteLog found = torn.open(true);
        QVERIFY(found.complete());
        QVERIFY(found.records().back().sequence == Sequence(2));
        old += found.records().size() == 2;
    }
    QVERIFY(old > 0 && old < 33);
}

void SessionWriteLogTest::withoutRoomIncompleteUntilAFlushCoversIt() {
    Memory memory;
    WriteLog log = memory.open();
    std::uint64_t sequence = 0;
    while (log.used() + WriteLog::room(kBlock) <= log.capacity())
        QVERIFY(write(log, ++sequence, 1, 0x11));
    const auto early = log.mark();
    QVERIFY(!write(log, ++sequence, 1, 0x12));
    QVERIFY(!log.complete());
    QVERIFY(!memory.open().complete());
    log.flushed(early);
    QVERIFY(log.empty() && !log.complete());
    QVERIFY(write(log, ++sequence, 1, 0x13));
    const auto late = log.mark();
    QVERIFY(write(log, ++sequence, 1, 0x14));
    log.flushed(late);
    QVERIFY(log.complete());
    const WriteLog again = memory.open();
    QVERIFY(again.complete());
    QCOMPARE(again.records().size(), 1u);
    QCOMPARE(read(again, 0), payload(1, 0x14));
}

void SessionWriteLogTest::aFlushForgetsWhatWasThereWhenItWasSent() {
    Memory memory;
    WriteLog log = memory.open();
    write(log, 1, 1, 0x11);
    const auto first = log.mark();
    write(log, 2, 2, 0x22);
    const auto second = log.mark();
    log.flushed(first);
    QCOMPARE(log.records().size(), 1u);
    QCOMPARE(log.unsavedBytes(), std::uint64_t{kBlock});
    log.flushed(second);
    log.flushed(first);  // the older one's answer came later
    QVERIFY(log.empty() && log.used() == 0);
}

void SessionWriteLogTest::takesUpOnlyTheMemoryItNeeds() {
    Memory memory;
    WriteLog log = memory.open();
    for (std::uint64_t i = 1; i < 100; ++i) {
        write(log, i, i % 60, 0xff);
        const WriteLog found = memory.open();
        QVERIFY(found.complete());
        QCOMPARE(found.records().size(), 1u);
        log.flushed(log.mark());
        QVERIFY(memory.open().empty());
    }
    const auto used = WriteLog::kHeaderBytes + WriteLog::room(kBlock);
    const auto untouched = memory.bytes().subspan(used);
    QVERIFY(std::ranges::all_of(untouched, [](std::byte b) { return b == std::byte{0}; }));
}

void SessionWriteLogTest::givesBackWhatItDoesNotNeed() {
    constexpr std::uint32_t kBlocks = (1 << 20) / kBlock;
    std::vector<std::uint64_t> words((WriteLog::kHeaderBytes + (4 << 20)) / 8);
    const ByteSpan memory = std::as_writable_bytes(std::span(words));
    const auto open = [&] { return WriteLog(memory, sampleExport().uuid, kVerifier, false); };
    WriteLog log = open();
    // Nobody knows what a process before this one has used.
    const ByteSpan first = log.takeSpare();
    QVERIFY(first.data() > memory.data() + WriteLog::kHeaderBytes);
    QVERIFY(first.data() + first.size() == memory.data() + memory.size());
    QVERIFY(log.takeSpare().empty());
    QCOMPARE(log.usable(), WriteLog::kKeptBytes);
    QVERIFY(log.hasRoom(WriteLog::room(1 << 20)) && !log.hasRoom(2 * WriteLog::room(1 << 20)));

    log.useFirst(2 * WriteLog::room(1 << 20));
    QVERIFY(write(log, 1, 0, 0x11, kBlocks) && write(log, 2, kBlocks, 0x22, kBlocks));
    QVERIFY(log.takeSpare().empty());
    log.flushed(log.mark());
    const ByteSpan spare = log.takeSpare();
    QVERIFY(spare.data() == first.data() && spare.size() > 512 << 10 && spare.size() < 1 << 20);
    QVERIFY(log.takeSpare().empty());

    // It goes on where there are zeroes now, and so does who finds it.
    std::ranges::fill(spare, std::byte{0});
    log.useFirst(log.capacity());
    QVERIFY(write(log, 3, 0, 0x33, kBlocks) && write(log, 4, kBlocks, 0x44, kBlocks));
    const WriteLog again = open();
    QVERIFY(again.complete());
    QCOMPARE(again.records().size(), 2u);
    QCOMPARE(read(again, 1), payload(kBlocks, 0x44));
}

void SessionWriteLogTest::usesOnlyMemoryThatIsThere() {
    constexpr std::size_t kOne = WriteLog::kRecordBytes + kBlock;
    QCOMPARE(WriteLog::room(kBlock), kOne);
    Memory memory;
    WriteLog log = memory.open();
    QCOMPARE(log.usable(), kRing);
    QVERIFY(write(log, 1, 0, 0x11));
    // What is in use stays so.
    log.useFirst(0);
    QCOMPARE(log.usable(), kOne);
    QCOMPARE(log.wanted(), std::size_t{0});
    log.want(kOne);
    QCOMPARE(log.wanted(), 2 * kOne);
    log.useFirst(2 * kOne);
    QCOMPARE(log.wanted(), std::size_t{0});
    QVERIFY(log.hasRoom(kOne) && write(log, 2, 1, 0x22));
    // There is no second lap before the first was as long as it may be.
    log.flushed(1);
    QVERIFY(!log.hasRoom(kOne));
    QVERIFY(!write(log, 3, 2, 0x33) && !log.complete());
    const auto untouched = log.first(kRing).subspan(WriteLog::kHeaderBytes + 2 * kOne);
    QVERIFY(std::ranges::all_of(untouched, [](std::byte b) { return b == std::byte{0}; }));
    log.flushed(log.mark());
    QVERIFY(log.complete() && log.empty() && log.hasRoom(2 * kOne));
    log.want(kRing);
    QCOMPARE(log.wanted(), kRing);
    // Who finds it in its second lap has all of it.
    log.useFirst(kRing);
    for (std::uint64_t i = 0; i < kRing / kOne - 1; ++i)
        QVERIFY(write(log, 10 + i, i, 0x44));
    log.flushed(log.mark() - 1);
    QVERIFY(write(log, 99, 0, 0x55) && write(log, 100, 1, 0x66));
    WriteLog again = memory.open();
    again.useFirst(0);
    QVERIFY(again.complete());
    QCOMPARE(again.usable(), kRing);
}

void SessionWriteLogTest::stableUpToStopsAtTheFirstYoungerOne() {
    Memory memory;
    WriteLog log = memory.open();
    write(log, 1, 1, 0x11);
    write(log, 4, 2, 0x22);
    write(log, 3, 2, 0x33);
    QCOMPARE(log.stableUpTo(Sequence(3)), std::uint64_t{kBlock});
    QCOMPARE(log.records().size(), 2u);
    QCOMPARE(memory.open().records().size(), 2u);
    QCOMPARE(log.stableUpTo(Sequence(4)), 2u * kBlock);
    QVERIFY(memory.open().empty());
}

void SessionWriteLogTest::aDurableChangeIsLoggedOnlyOverOthers() {
    Memory memory;
    WriteLog log = memory.open();
    const auto before = log.mark();
    write(log, 1, 4, 0x11, 2);
    const auto mark = log.mark();
    QVERIFY(log.appendDurable(change(2, 3), mark));
    QVERIFY(log.appendDurable(change(3, 6), mark));
    QVERIFY(log.appendDurable(change(4, 4), before));
    QCOMPARE(log.records().size(), 1u);
    QVERIFY(log.appendDurable(change(5, 3, 2), mark));
    QVERIFY(log.appendDurable(change(6, 5), mark));
    QCOMPARE(log.records().size(), 3u);
    QCOMPARE(log.unsavedBytes(), 2u * kBlock);
}

void SessionWriteLogTest::ofEachByteTheLastChangeIsSentAgain() {
    Memory memory;
    WriteLog log = memory.open();
    QVERIFY(log.pieces().empty());
    write(log, 1, 10, 0x11, 4);
    log.appendDurable(change(2, 11), log.mark());
    log.append(change(3, 13, 2, Op::Discard), {});
    // Under way together with the discard: over what was before both, not over that.
    log.appendDurable(change(4, 14), log.mark() - 2);
    const auto pieces = log.pieces();
    QCOMPARE(pieces.size(), 3u);
    const std::uint64_t first[] = {10, 12, 13};
    const std::uint32_t count[] = {1, 1, 2};
    const std::size_t record[] = {0, 0, 2};
    for (std::size_t i = 0; i < 3; ++i) {
        QCOMPARE(pieces[i].offset, first[i] * kBlock);
        QCOMPARE(pieces[i].length, count[i] * kBlock);
        QCOMPARE(pieces[i].record, record[i]);
    }
    std::vector<std::byte> bytes(kBlock);
    log.copyPayload(pieces[1], bytes);
    QCOMPARE(bytes, payload(1, 0x11));
}

void SessionWriteLogTest::piecesAgreeWithAModel() {
    constexpr std::size_t kBlocks = 24;
    std::uint32_t luck = 1;
    const auto below = [&luck](std::uint32_t limit) {
        luck = luck * 1664525 + 1013904223;
        return (luck >> 8) % limit;
    };
    for (int round = 0; round < 500; ++round) {
        Memory memory;
        WriteLog log = memory.open();
        std::array<std::uint64_t, kBlocks> model{};  // the record of each block's value
        for (int i = 0; i < 12; ++i) {
            const std::uint32_t block = below(kBlocks);
            const std::uint32_t blocks = 1 + below(std::min<std::uint32_t>(6, kBlocks - block));
            const bool durable = below(4) == 0;
            const auto request = change(1, block, blocks, Op::WriteZeroes);
            const auto mark = log.mark() - std::min<std::uint64_t>(below(3), log.mark());
            if (durable)
                log.appendDurable(request, mark);
            else
                log.append(request, {});
            for (std::uint32_t b = block; b < block + blocks; ++b)
                if (!durable)
                    model[b] = log.mark();
                else if (model[b] <= mark)
                    model[b] = 0;
        }
        std::array<std::uint64_t, kBlocks> found{};
        std::size_t last = 0;
        for (const auto& piece : log.pieces()) {
            QVERIFY(piece.record >= last);
            last = piece.record;
            for (auto b = piece.offset / kBlock; b < (piece.offset + piece.length) / kBlock; ++b) {
                QCOMPARE(found[b], 0u);
                found[b] = log.records()[piece.record].number;
            }
        }
        QVERIFY(found == model);
    }
}

void SessionWriteLogTest::restartAndAbandon() {
    Memory memory;
    WriteLog log = memory.open();
    write(log, 1, 1, 0x11);
    log.abandon(kOther);
    QVERIFY(log.empty() && !log.complete());
    QVERIFY(memory.open().verifier() == kOther);
    write(log, 2, 1, 0x22);
    log.restart(kVerifier);
    const WriteLog again = memory.open();
    QVERIFY(again.empty() && again.complete());
    QVERIFY(again.verifier() == kVerifier);
}

QTEST_GUILESS_MAIN(SessionWriteLogTest)
#include "tst_session_write_log.moc"
