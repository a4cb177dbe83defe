#include "core/session/initiator.h"
#include "tests/unit/session_samples.h"

#include <QTest>
#include <vector>

using namespace belay;
using namespace belay::session;
using wire::Op;

namespace {

constexpr Verifier kOther{0x78};
constexpr std::size_t kWriteRoom = WriteLog::kRecordBytes + std::size_t{4} * kBlock;

struct Memory {
    explicit Memory(std::size_t writes)
        : words((WriteLog::kHeaderBytes + writes * kWriteRoom) / 8) {}
    std::vector<std::uint64_t> words;
};

constexpr std::size_t kDepth = 16;

// An initiator whose device has a write log with room for so many writes, in a session.
struct Rig {
    Memory& memory;
    WriteLog log{std::as_writable_bytes(std::span(memory.words)), sampleExport().uuid, kVerifier,
                 false};
    Initiator initiator{Sequence(100)};
    Verifier verifier = kVerifier;

    explicit Rig(Memory& shared) : memory(shared) {
        initiator.addDevice(kDevice, kDepth, sampleExport(), true, &log);
        reopen(kVerifier);
    }
    Resume reopen(Verifier now) {
        verifier = now;
        initiator.sessionClosed();
        initiator.sessionOpened(kEpoch, termsOf(8));
        return offer();
    }
    Resume offer() {
        auto offered = sampleExport();
        offered.verifier = verifier;
        return initiator.exportOffered(kDevice, offered);
    }
    std::optional<wire::Request> next() {
        const Entry* entry = initiator.nextToSend();
        if (entry == nullptr)
            return std::nullopt;
        logged.clear();
        if (entry->origin == Origin::Replay && entry->op == Op::Write) {
            logged.resize(entry->length);
            initiator.copyLogged(*entry, logged);
        }
        return initiator.markSent(*entry);
    }
    // What nextToSend() has next, as text: "write 2", "flush" and so on, "nothing".
    std::string nextIs(const wire::Request& request) {
        static const char* const kNames[] = {"read", "write", "flush", "discard", "zeroes"};
        std::string text = kNames[static_cast<int>(request.op)];
        if (request.op != Op::Flush)
            text += " " + std::to_string(request.offset / kBlock);
        return text;
    }
    static Entry entryAt(Op op, std::uint64_t block) {
        Entry entry = entryOf(op);
        if (op != Op::Flush)
            entry.offset = block * kBlock;
        return entry;
    }
    wire::Request submit(Op op, std::uint64_t block) {
        initiator.submit(entryAt(op, block));
        return *next();
    }
    Answer answer(const wire::Request& request, std::uint8_t status = 0, std::uint16_t flags = 0,
                  std::uint64_t stable = 0) {
        auto response = answerTo(request, status, verifier);
        response.flags = flags;
        response.stableUpTo = Sequence(stable);
        const std::vector<std::byte> sent(request.op == Op::Write ? request.length : 0,
                                          std::byte(request.offset / kBlock));
        const auto result = initiator.responseReceived(response, sent);
        return result
                   ? *result
                   : Answer{.payloadLength = 99, .completion = {}, .replayEnd = {}, .sequence = {}};
    }
    bool done(const wire::Request& request) { return answer(request).completion.has_value(); }
    void write(std::uint64_t block) { answer(submit(Op::Write, block)); }

    std::vector<std::byte> logged;
};

}  // namespace

// An initiator with a write log.
class SessionReplayTest : public QObject {
    Q_OBJECT

 private slots:
    void isSentAgainInOrderThenFlushedThenGoesOn();
    void ofWhatOverlapsTheLastIsSentAgain();
    void outlivesTheProcess();
    void aNewTargetInTheMiddleBeginsAnew();
    void cutInTheMiddleBeginsAnew();
    void aStoreThatRefusesMeansMissingData();
    void anIncompleteLogMeansMissingData();
    void acceptedLossEmptiesIt();
    void acceptedLossBreaksOffSendingAgain();
    void aDiskGoesOnWhenWhatWasBrokenOffIsAnswered();
    void acceptedLossOutlivesTheSession();
    void nothingUnsavedTakesTheNewVerifier();
    void flushesByItselfAtHalf();
    void waitsForRoomButReadsDoNot();
    void waitsForMemoryOrAFlush();
    void aFailedFlushOfItsOwnLetsGo();
    void failedWritesGiveTheirRoomBack();
    void stableUpToSaves();
    void whatCrossedAFlushIsSavedByIt();
    void whatStableUpToFreesIsGivenToWhoWaits();
    void whatIsDurableIsNotOverwritten();
    void aFlushErrorWithANewVerifierIsToldAndItIsSentAgain();
    void aFlushErrorWithANewVerifierAndAnEmptyLogGoesOn();
    void removedInTheMiddle();
};

void SessionReplayTest::isSentAgainInOrderThenFlushedThenGoesOn() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    rig.answer(rig.submit(Op::Discard, 8));
    rig.write(16);
    const auto parked = rig.submit(Op::Write, 32);
    rig.initiator.submit(rig.entryAt(Op::Flush, 0));
    QVERIFY(rig.reopen(kOther) == Resume::Same);
    QVERIFY(rig.initiator.isReplaying(kDevice) && !rig.initiator.isOpen(kDevice));
    // Until the end, the old verifier is the one to remember.
    QVERIFY(rig.initiator.known(kDevice).verifier == kVerifier);

    std::vector<wire::Request> sent;
    for (const char* expected : {"write 0", "discard 8", "write 16"}) {
        const auto request = rig.next();
        QVERIFY(request.has_value());
        QCOMPARE(rig.nextIs(*request), std::string(expected));
        QVERIFY((request->flags & wire::kFlagReplay) != 0);
        QVERIFY(request->sequence > parked.sequence);
        if (request->op == Op::Write)
            QCOMPARE(rig.logged,
                     std::vector<std::byte>(4 * kBlock, std::byte(request->offset / kBlock)));
        sent.push_back(*request);
    }
    QVERIFY(!rig.next());
    for (const auto& request : sent)
        QVERIFY(!rig.done(request));
    const auto flush = rig.next();
    QVERIFY(flush && flush->op == Op::Flush);
    QVERIFY(!rig.next());
    const Answer end = rig.answer(*flush);
    QVERIFY(end.replayEnd && end.replayEnd->saved && end.replayEnd->device == kDevice);
    QVERIFY(!end.completion);

    QVERIFY(rig.initiator.isOpen(kDevice));
    QVERIFY(rig.initiator.known(kDevice).verifier == kOther);
    QVERIFY(rig.log.empty() && rig.log.verifier() == kOther);
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 0u);
    const auto again = rig.next();
    QVERIFY(again && again->sequence == parked.sequence);
    QVERIFY(rig.done(*again));
    QVERIFY(rig.next()->op == Op::Flush);
}

void SessionReplayTest::ofWhatOverlapsTheLastIsSentAgain() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    rig.write(3);
    rig.reopen(kOther);
    const auto first = rig.next();
    QCOMPARE(rig.nextIs(*first), std::string("write 0"));
    QCOMPARE(first->length, 3 * kBlock);
    QCOMPARE(rig.logged, std::vector<std::byte>(3 * kBlock, std::byte(0)));
    const auto second = rig.next();
    QCOMPARE(rig.nextIs(*second), std::string("write 3"));
    QCOMPARE(rig.logged, std::vector<std::byte>(4 * kBlock, std::byte(3)));
}

void SessionReplayTest::outlivesTheProcess() {
    Memory memory(16);
    {
        Rig rig(memory);
        rig.write(0);
    }
    Rig rig(memory);  // is offered what the first one knew: all is well
    QVERIFY(rig.initiator.isOpen(kDevice));
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 4u * kBlock);
    QVERIFY(rig.reopen(kOther) == Resume::Same);
    QCOMPARE(rig.nextIs(*rig.next()), std::string("write 0"));
    // A third one, whose supervisor has the new verifier already: the log's is what counts.
    Initiator third(Sequence(1000));
    WriteLog log(std::as_writable_bytes(std::span(memory.words)), sampleExport().uuid, kOther,
                 true);
    auto known = sampleExport();
    known.verifier = kOther;
    third.addDevice(kDevice, kDepth, known, true, &log);
    third.sessionOpened(kEpoch, termsOf(8));
    QVERIFY(third.exportOffered(kDevice, known) == Resume::Same);
    QVERIFY(third.isReplaying(kDevice));
}

void SessionReplayTest::aNewTargetInTheMiddleBeginsAnew() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    rig.reopen(kOther);
    const auto request = rig.next();
    rig.verifier = Verifier(0x79);
    QCOMPARE(rig.answer(*request).payloadLength, 99u);  // ends the session
    QVERIFY(rig.reopen(Verifier(0x79)) == Resume::Same);
    QCOMPARE(rig.nextIs(*rig.next()), std::string("write 0"));
}

void SessionReplayTest::cutInTheMiddleBeginsAnew() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    rig.write(8);
    rig.reopen(kOther);
    rig.answer(*rig.next());
    rig.answer(*rig.next());
    QVERIFY(rig.next()->op == Op::Flush);
    QVERIFY(rig.reopen(kOther) == Resume::Same);
    QVERIFY(rig.initiator.isReplaying(kDevice));
    QCOMPARE(rig.nextIs(*rig.next()), std::string("write 0"));
    // Offered a second time in the same session: it goes on.
    auto offered = sampleExport();
    offered.verifier = kOther;
    QVERIFY(rig.initiator.exportOffered(kDevice, offered) == Resume::Same);
    QCOMPARE(rig.nextIs(*rig.next()), std::string("write 8"));
}

void SessionReplayTest::aStoreThatRefusesMeansMissingData() {
    for (const bool atTheFlush : {false, true}) {
        Memory memory(16);
        Rig rig(memory);
        rig.write(0);
        rig.write(8);
        rig.reopen(kOther);
        const auto first = rig.next();
        const auto second = rig.next();
        if (atTheFlush) {
            rig.answer(*first);
            rig.answer(*second);
        }
        const Answer end = rig.answer(atTheFlush ? *rig.next() : *first, EIO);
        QVERIFY(end.replayEnd && !end.replayEnd->saved);
        QVERIFY(!rig.initiator.isOpen(kDevice) && !rig.initiator.isReplaying(kDevice));
        // The answer that is still to come is nobody's.
        if (!atTheFlush)
            QVERIFY(!rig.answer(*second).replayEnd);
        QVERIFY(!rig.next());
        // Nothing of the log is lost: the next try sends it again.
        QVERIFY(rig.reopen(kOther) == Resume::Same);
        QCOMPARE(rig.nextIs(*rig.next()), std::string("write 0"));
    }
}

void SessionReplayTest::anIncompleteLogMeansMissingData() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    rig.log.abandon(kVerifier);
    QVERIFY(rig.reopen(kOther) == Resume::DataMayBeMissing);
    // With the verifier it had it goes on, and flushes by itself to be complete again.
    QVERIFY(rig.reopen(kVerifier) == Resume::Same);
    const auto flush = rig.next();
    QVERIFY(flush && flush->op == Op::Flush);
    QVERIFY(!rig.next());
    QVERIFY(!rig.done(*flush));
    QVERIFY(rig.log.complete());
    rig.write(0);
    QVERIFY(rig.reopen(kOther) == Resume::Same);
}

void SessionReplayTest::acceptedLossEmptiesIt() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    rig.initiator.forgiveMissingData(kDevice);
    QVERIFY(rig.log.empty() && rig.log.complete());
    QVERIFY(rig.reopen(kOther) == Resume::Same);
    QVERIFY(rig.initiator.isOpen(kDevice));
    QVERIFY(!rig.next());
}

void SessionReplayTest::acceptedLossBreaksOffSendingAgain() {
    Memory memory(16);
    Rig rig(memory);
    for (std::uint64_t i = 0; i < 4; ++i)
        rig.write(8 * i);
    QVERIFY(rig.reopen(kOther) == Resume::Same);
    const auto first = rig.next();
    const auto second = rig.next();
    // The engine may have the next one in its hands.
    QVERIFY(rig.initiator.nextToSend() != nullptr);
    rig.initiator.submit(rig.entryAt(Op::Write, 0));

    rig.initiator.forgiveMissingData(kDevice);
    QVERIFY(rig.log.empty() && rig.log.complete());
    QVERIFY(!rig.next());
    QVERIFY(!rig.answer(*first).replayEnd);
    QVERIFY(!rig.answer(*second).replayEnd);
    QVERIFY(!rig.next());
    QVERIFY(rig.offer() == Resume::Same);
    QVERIFY(rig.initiator.isOpen(kDevice) && !rig.initiator.isReplaying(kDevice));
    QVERIFY(rig.log.verifier() == kOther);
    QCOMPARE(rig.nextIs(*rig.next()), std::string("write 0"));
    QVERIFY(!rig.next());
}

// The store may do what is under way in any order: no newer bytes before the old ones are there.
void SessionReplayTest::aDiskGoesOnWhenWhatWasBrokenOffIsAnswered() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    rig.write(8);
    rig.reopen(kOther);
    const auto first = rig.next();
    const auto second = rig.next();
    rig.initiator.submit(rig.entryAt(Op::Write, 0));
    rig.initiator.forgiveMissingData(kDevice);
    QVERIFY(rig.offer() == Resume::Same);
    QVERIFY(rig.initiator.isReplaying(kDevice) && !rig.initiator.isOpen(kDevice));
    QVERIFY(!rig.next());
    rig.answer(*first);
    QVERIFY(!rig.next());
    // A failure of bytes that nobody wants any more is no failure.
    rig.answer(*second, EIO);
    QVERIFY(rig.initiator.isOpen(kDevice) && !rig.initiator.isReplaying(kDevice));
    const auto newer = rig.next();
    QVERIFY(newer.has_value());
    QCOMPARE(rig.nextIs(*newer), std::string("write 0"));
    QVERIFY(rig.done(*newer));
}

void SessionReplayTest::acceptedLossOutlivesTheSession() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    rig.reopen(kOther);
    QVERIFY(rig.next().has_value());
    rig.initiator.submit(rig.entryAt(Op::Read, 0));
    rig.initiator.forgiveMissingData(kDevice);
    QVERIFY(rig.offer() == Resume::Same);
    // What was broken off ends with the session: the next one's target has no old I/O.
    QVERIFY(rig.reopen(kOther) == Resume::Same);
    QVERIFY(rig.initiator.isOpen(kDevice));
    QCOMPARE(rig.nextIs(*rig.next()), std::string("read 0"));
}

void SessionReplayTest::nothingUnsavedTakesTheNewVerifier() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    QVERIFY(rig.done(rig.submit(Op::Flush, 0)));
    QVERIFY(rig.log.empty());
    QVERIFY(rig.reopen(kOther) == Resume::Same);
    QVERIFY(rig.initiator.isOpen(kDevice));
    QVERIFY(rig.log.verifier() == kOther);
}

void SessionReplayTest::flushesByItselfAtHalf() {
    Memory memory(8);
    Rig rig(memory);
    for (std::uint64_t i = 0; i < 5; ++i) {
        QVERIFY(!rig.next());
        rig.write(4 * i);
    }
    const auto flush = rig.next();
    QVERIFY(flush && flush->op == Op::Flush);
    // Writes go on meanwhile, and only one flush of its own is under way.
    rig.write(24);
    QVERIFY(!rig.next());
    QVERIFY(!rig.answer(*flush).completion);
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 4u * kBlock);
    QCOMPARE(rig.log.records().size(), 1u);
}

void SessionReplayTest::waitsForRoomButReadsDoNot() {
    Memory memory(2);
    Rig rig(memory);
    const auto first = rig.submit(Op::Write, 0);
    const auto second = rig.submit(Op::Write, 8);
    rig.initiator.submit(rig.entryAt(Op::Write, 16));
    rig.initiator.submit(rig.entryAt(Op::Read, 24));
    QCOMPARE(rig.nextIs(*rig.next()), std::string("read 24"));
    QVERIFY(!rig.next());
    QVERIFY(rig.done(first));
    const auto flush = rig.next();
    QVERIFY(flush && flush->op == Op::Flush);
    QVERIFY(rig.done(second));
    QVERIFY(!rig.next());
    rig.answer(*flush);
    const auto third = rig.next();
    QVERIFY(third.has_value());
    QCOMPARE(rig.nextIs(*third), std::string("write 16"));
    QVERIFY(rig.done(*third));
    QVERIFY(rig.log.complete());
    // One that waits is the kernel's to fail like any other.
    rig.initiator.submit(rig.entryAt(Op::Write, 32));
    QVERIFY(rig.next()->op == Op::Flush);
    QVERIFY(!rig.next());
    QCOMPARE(rig.initiator.failParked(kDevice, EIO).size(), 1u);
}

// Of its log's memory there is only as much as one write needs.
void SessionReplayTest::waitsForMemoryOrAFlush() {
    const std::size_t one = WriteLog::room(entryOf(Op::Write).length);
    Memory memory(4);
    Rig rig(memory);
    rig.log.useFirst(0);
    rig.initiator.submit(rig.entryAt(Op::Write, 0));
    QVERIFY(!rig.next());
    QVERIFY(rig.initiator.logIsShort(kDevice));
    rig.log.useFirst(one);
    rig.initiator.logHasGrown(kDevice);
    const auto first = rig.next();
    QVERIFY(first && first->op == Op::Write);
    // More is asked for beforehand; as long as it does not come, each write is flushed.
    QVERIFY(rig.initiator.logIsShort(kDevice));
    rig.initiator.submit(rig.entryAt(Op::Write, 8));
    QVERIFY(!rig.next());
    QVERIFY(rig.done(*first));
    const auto flush = rig.next();
    QVERIFY(flush && flush->op == Op::Flush);
    rig.answer(*flush);
    const auto second = rig.next();
    QVERIFY(second && second->op == Op::Write);
    rig.initiator.submit(rig.entryAt(Op::Write, 16));
    QVERIFY(!rig.next());
    // It comes: nothing has to be flushed for the third.
    rig.log.useFirst(4 * one);
    QVERIFY(!rig.initiator.logIsShort(kDevice));
    rig.initiator.logHasGrown(kDevice);
    const auto third = rig.next();
    QVERIFY(third && third->op == Op::Write);
    QVERIFY(rig.done(*second) && rig.done(*third));
    QVERIFY(rig.log.complete());
}

void SessionReplayTest::aFailedFlushOfItsOwnLetsGo() {
    Memory memory(1);
    Rig rig(memory);
    rig.write(0);
    rig.initiator.submit(rig.entryAt(Op::Write, 8));
    const auto flush = rig.next();
    QVERIFY(flush && flush->op == Op::Flush);
    rig.answer(*flush, ENOTSUP);
    QVERIFY(rig.done(*rig.next()));
    QVERIFY(!rig.log.complete());
    QVERIFY(rig.reopen(kOther) == Resume::DataMayBeMissing);
    // A changed verifier in that answer is nobody's but ours to learn from.
    rig.reopen(kVerifier);
    const auto another = rig.next();
    rig.verifier = kOther;
    QCOMPARE(rig.answer(*another, EIO).payloadLength, 99u);
}

void SessionReplayTest::failedWritesGiveTheirRoomBack() {
    Memory memory(1);
    Rig rig(memory);
    const auto failing = rig.submit(Op::Write, 0);
    rig.initiator.submit(rig.entryAt(Op::Write, 8));
    QVERIFY(!rig.next());
    rig.answer(failing, ENOSPC);
    QCOMPARE(rig.nextIs(*rig.next()), std::string("write 8"));
}

void SessionReplayTest::stableUpToSaves() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    const auto second = rig.submit(Op::Write, 8);
    rig.answer(second);
    // The answer to a write may come to us later than others that were given after it.
    rig.answer(rig.submit(Op::Write, 16), 0, 0, second.sequence.value);
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 12u * kBlock);
    rig.answer(rig.submit(Op::Discard, 24), EOPNOTSUPP, 0, second.sequence.value);
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 4u * kBlock);
    QVERIFY(rig.reopen(kOther) == Resume::Same);
    QCOMPARE(rig.nextIs(*rig.next()), std::string("write 16"));
}

void SessionReplayTest::whatCrossedAFlushIsSavedByIt() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    const auto crossing = rig.submit(Op::Write, 8);
    const auto flush = rig.submit(Op::Flush, 0);
    rig.answer(crossing);
    rig.answer(flush, 0, wire::kFlagDurable, flush.sequence.value);
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 0u);
    QVERIFY(rig.initiator.nothingUnsaved(kDevice));
}

void SessionReplayTest::whatStableUpToFreesIsGivenToWhoWaits() {
    Memory memory(1);
    Rig rig(memory);
    const auto read = rig.submit(Op::Read, 0);
    const auto first = rig.submit(Op::Write, 0);
    rig.initiator.submit(rig.entryAt(Op::Write, 8));
    rig.answer(first);
    // It waits for room, and the flush for that is on its way.
    QCOMPARE(rig.nextIs(*rig.next()), std::string("flush"));
    QVERIFY(!rig.next());
    rig.answer(read, EIO, 0, first.sequence.value);
    QCOMPARE(rig.nextIs(*rig.next()), std::string("write 8"));
}

void SessionReplayTest::whatIsDurableIsNotOverwritten() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    rig.answer(rig.submit(Op::Write, 2), 0, wire::kFlagDurable);
    rig.answer(rig.submit(Op::Write, 8), 0, wire::kFlagDurable);
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 4u * kBlock);
    rig.reopen(kOther);
    const auto first = rig.next();
    QCOMPARE(rig.nextIs(*first), std::string("write 0"));
    QCOMPARE(first->length, 2 * kBlock);
    rig.answer(*first);
    QVERIFY(rig.next()->op == Op::Flush);
}

void SessionReplayTest::aFlushErrorWithANewVerifierIsToldAndItIsSentAgain() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    const auto flush = rig.submit(Op::Flush, 0);
    rig.initiator.submit(rig.entryAt(Op::Read, 0));
    rig.verifier = kOther;
    // A target must not say so then, and is not believed.
    const Answer answer = rig.answer(flush, EIO, 0, flush.sequence.value);
    QVERIFY(answer.completion && answer.completion->result == -EIO && answer.endsSession);
    QVERIFY(!rig.log.empty() && rig.log.complete());
    QVERIFY(rig.log.verifier() == kVerifier);
    // Before anything else.
    QVERIFY(rig.reopen(kOther) == Resume::Same);
    const auto again = rig.next();
    QCOMPARE(rig.nextIs(*again), std::string("write 0"));
    rig.answer(*again);
    const auto saved = rig.answer(*rig.next());
    QVERIFY(saved.replayEnd && saved.replayEnd->saved);
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 0u);
    QCOMPARE(rig.nextIs(*rig.next()), std::string("read 0"));
}

void SessionReplayTest::aFlushErrorWithANewVerifierAndAnEmptyLogGoesOn() {
    Memory memory(16);
    Rig rig(memory);
    const auto flush = rig.submit(Op::Flush, 0);
    rig.verifier = kOther;
    const Answer answer = rig.answer(flush, EIO);
    QVERIFY(answer.completion && answer.completion->result == -EIO && !answer.endsSession);
    QVERIFY(rig.log.complete());
    QVERIFY(rig.log.verifier() == kOther);
    // Who remembers the export for the next process must hear of it.
    QVERIFY(answer.tookVerifier == kDevice);
    QVERIFY(rig.initiator.known(kDevice).verifier == kOther);
}

void SessionReplayTest::removedInTheMiddle() {
    Memory memory(16);
    Rig rig(memory);
    rig.write(0);
    rig.reopen(kOther);
    const auto request = rig.next();
    rig.initiator.removeDevice(kDevice);
    QVERIFY(!rig.answer(*request).completion);
    QCOMPARE(rig.initiator.ledger().size(), 0u);
}

QTEST_GUILESS_MAIN(SessionReplayTest)
#include "tst_session_replay.moc"
