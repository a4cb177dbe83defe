// How the exports of one session share it, and come and go.
#include "core/session/initiator.h"
#include "tests/unit/session_samples.h"

#include <QTest>
#include <cerrno>

using namespace belay;
using namespace belay::session;
using wire::Op;

namespace {

constexpr std::uint32_t kPage = 4096;
constexpr std::uint32_t kMemory = 64 * kPage;
constexpr std::uint32_t kMost = 16;  // outstanding
constexpr std::size_t kDepth = 32;
constexpr DeviceId kHung{1};
constexpr DeviceId kOther{2};

wire::ExportInfo exportOf(DeviceId device) {
    auto info = sampleExport();
    info.id = ExportId(device.value + 10);
    info.uuid.bytes[0] = static_cast<std::uint8_t>(device.value);
    info.sizeBytes = 1024 * kPage;
    return info;
}

Entry requestOf(DeviceId device, Op op, std::uint32_t pages, std::uint16_t tag = 0) {
    Entry entry = entryOf(op, tag, device);
    entry.offset = 0;
    entry.length = op == Op::Flush ? 0 : pages * kPage;
    return entry;
}

// Two devices in one session.
struct Pair {
    Initiator initiator{Sequence(100)};

    Pair() {
        for (const DeviceId device : {kHung, kOther})
            initiator.addDevice(device, kDepth, exportOf(device), false);
        open(kEpoch);
    }
    void open(Epoch epoch, std::uint32_t memory = kMemory) {
        initiator.sessionOpened(epoch, {kMost, memory, true});
        initiator.exportsListed({exportOf(kHung), exportOf(kOther)});
        for (const DeviceId device : {kHung, kOther})
            initiator.exportOffered(device, exportOf(device));
    }
    // Sends all that may be sent.
    std::vector<wire::Request> sendAll() {
        std::vector<wire::Request> sent;
        while (const Entry* next = initiator.nextToSend())
            sent.push_back(initiator.markSent(*next));
        return sent;
    }
    // The hung one has all that it may have.
    std::vector<wire::Request> hang() {
        for (std::uint16_t tag = 0; tag < kDepth; ++tag)
            initiator.submit(requestOf(kHung, Op::Write, 8, tag));
        return sendAll();
    }
    std::optional<Completion> answer(const wire::Request& request, std::uint8_t status = 0) {
        const auto answer = initiator.responseReceived(answerTo(request, status));
        if (answer && answer->payloadLength > 0)
            return initiator.payloadReceived(request.sequence).value();
        return answer ? answer->completion : std::nullopt;
    }
};

}  // namespace

class SessionSharesTest : public QObject {
    Q_OBJECT

 private slots:
    void partsAreHalfOfTheMemory();
    void whatOneTakesLeavesTheOthersParts();
    void noMoreRequestsThanAgreed();
    void whoHasLeftKeepsWhatItHasTaken();
    void theOtherOneHasItsPart();
    void devicesTakeTurns();
    void whatIsTooLongForThePartIsCut();
    void aPieceThatFailsIsTheWholesError();
    void pieceAndRestSurviveASession();
    void aPieceIsCutAgainForASmallerPart();
    void whoLeavesJoinsWhenAllIsAnswered();
    void whatWasNotTakenIsSentAgain();
    void anAbandonedDeviceIsFreeAtOnce();
    void anAbandonedDisksNextDeviceWaits();
    void aTargetEndsASessionOfMoreThanTheMemory();
    void aTargetTakesNothingThatIsNotReady();
};

void SessionSharesTest::partsAreHalfOfTheMemory() {
    QCOMPARE(Allotment::part(8 << 20, 256, 1, 512), 4u << 20);
    QCOMPARE(Allotment::part(8 << 20, 256, 2, 512), 2u << 20);
    QCOMPARE(Allotment::part(8 << 20, 256, 64, 512), 64u << 10);
    // At least one request.
    QCOMPARE(Allotment::part(8 << 20, 256, 256, 512), 32u << 10);
    QCOMPARE(Allotment::part(8 << 20, 256, 256, 64 << 10), 64u << 10);
    QCOMPARE(Allotment::part(8 << 20, 256, 0, 512), 4u << 20);
}

void SessionSharesTest::whatOneTakesLeavesTheOthersParts() {
    constexpr ExportId kFirst(1);
    constexpr ExportId kSecond(2);
    Allotment allotment(kMemory, kMost);
    QVERIFY(allotment.join(kFirst, 16 * kPage));
    QVERIFY(allotment.join(kSecond, 16 * kPage));
    QVERIFY(!allotment.join(ExportId(3), kMemory));
    QVERIFY(!allotment.hasRoom(kFirst, 49 * kPage));
    QVERIFY(allotment.hasRoom(kFirst, 48 * kPage));
    allotment.take(kFirst, 48 * kPage);
    QVERIFY(!allotment.hasRoom(kFirst, 1));
    QVERIFY(allotment.hasRoom(kSecond, 16 * kPage));
    QVERIFY(!allotment.hasRoom(kSecond, 17 * kPage));
    allotment.take(kSecond, 16 * kPage);
    QVERIFY(!allotment.hasRoom(kSecond, 0));
    allotment.giveBack(kFirst, 48 * kPage);
    QVERIFY(!allotment.hasTaken(kFirst) && allotment.hasTaken(kSecond));
    QVERIFY(allotment.hasRoom(kSecond, 32 * kPage));
}

void SessionSharesTest::noMoreRequestsThanAgreed() {
    Allotment allotment(kMemory + 1, kMost);
    for (std::uint32_t i = 0; i < kMost - 1; ++i)
        allotment.take(ExportId(1), 0);
    allotment.take(ExportId(2), 1);
    QVERIFY(!allotment.hasRoom(ExportId(1), 0) && !allotment.hasRoom(ExportId(3), 0));
}

void SessionSharesTest::whoHasLeftKeepsWhatItHasTaken() {
    Allotment allotment(kMemory, kMost);
    QVERIFY(allotment.join(ExportId(1), 32 * kPage));
    allotment.take(ExportId(1), 40 * kPage);
    allotment.leave(ExportId(1));
    QVERIFY(!allotment.join(ExportId(2), 25 * kPage));
    QVERIFY(allotment.join(ExportId(2), 24 * kPage));
    allotment.giveBack(ExportId(1), 40 * kPage);
    QVERIFY(allotment.hasRoom(ExportId(2), kMemory));
    QVERIFY(!allotment.hasTaken(ExportId(1)));
}

void SessionSharesTest::theOtherOneHasItsPart() {
    Pair pair;
    const auto hung = pair.hang();
    // All but the other one's quarter.
    QCOMPARE(hung.size(), std::size_t(6));
    for (std::uint16_t tag = 0; tag < 10; ++tag)
        pair.initiator.submit(requestOf(kOther, Op::Read, 1, tag));
    const auto sent = pair.sendAll();
    QCOMPARE(sent.size(), std::size_t(4));
    for (const wire::Request& request : sent)
        QVERIFY(pair.answer(request)->device == kOther);
    QCOMPARE(pair.sendAll().size(), std::size_t(4));
}

void SessionSharesTest::devicesTakeTurns() {
    Pair pair;
    for (std::uint16_t tag = 0; tag < 4; ++tag)
        pair.initiator.submit(requestOf(kHung, Op::Read, 1, tag));
    for (std::uint16_t tag = 0; tag < 4; ++tag)
        pair.initiator.submit(requestOf(kOther, Op::Read, 1, tag));
    const auto sent = pair.sendAll();
    QCOMPARE(sent.size(), std::size_t(8));
    for (std::size_t i = 2; i < sent.size(); ++i)
        QVERIFY(sent[i].exportId == sent[i - 2].exportId &&
                sent[i].exportId != sent[i - 1].exportId);
}

void SessionSharesTest::whatIsTooLongForThePartIsCut() {
    Pair pair;
    const auto hung = pair.hang();
    for (const Op op : {Op::Read, Op::Write}) {
        pair.initiator.submit(requestOf(kOther, op, 40, 7));
        std::uint64_t done = 0;
        std::optional<Completion> completion;
        while (!completion) {
            const auto sent = pair.sendAll();
            QCOMPARE(sent.size(), std::size_t(1));
            QCOMPARE(sent[0].offset, done);
            QVERIFY(sent[0].length <= 16 * kPage);
            const auto* entry = pair.initiator.ledger().find(sent[0].sequence);
            QCOMPARE(std::uint64_t(entry->inRequest), done);
            done += sent[0].length;
            completion = pair.answer(sent[0]);
        }
        QCOMPARE(done, std::uint64_t(40 * kPage));
        QCOMPARE(completion->result, int(40 * kPage));
        QCOMPARE(completion->tag.value, std::uint16_t(7));
    }
    // As a whole once there is room.
    for (const wire::Request& request : hung)
        pair.answer(request);
    pair.initiator.failParked(kHung, EIO);
    pair.initiator.submit(requestOf(kOther, Op::Read, 40));
    QCOMPARE(pair.sendAll().at(0).length, 40 * kPage);
}

void SessionSharesTest::aPieceThatFailsIsTheWholesError() {
    Pair pair;
    pair.hang();
    pair.initiator.submit(requestOf(kOther, Op::Read, 40, 7));
    const auto completion = pair.answer(pair.sendAll().at(0), ENOSPC);
    QVERIFY(completion && completion->result == -ENOSPC);
    QCOMPARE(completion->tag.value, std::uint16_t(7));
    QCOMPARE(pair.initiator.underWay(kOther), std::size_t(0));
}

void SessionSharesTest::pieceAndRestSurviveASession() {
    Pair pair;
    pair.hang();
    pair.initiator.submit(requestOf(kOther, Op::Read, 40, 7));
    const auto piece = pair.sendAll().at(0);
    pair.initiator.sessionClosed();
    pair.open(Epoch(0x99));
    std::uint32_t done = 0;
    std::optional<Completion> completion;
    for (int turn = 0; turn < 9 && !completion; ++turn)
        for (const auto& request : pair.sendAll())
            if (request.exportId == exportOf(kOther).id) {
                QVERIFY(done > 0 || request.sequence == piece.sequence);
                done += request.length;
                completion = pair.answer(request);
            }
    QVERIFY(completion && completion->result == int(40 * kPage));
    QCOMPARE(done, 40 * kPage);
    // Neither half is left, whoever gives up.
    pair.initiator.submit(requestOf(kOther, Op::Read, 40, 8));
    pair.sendAll();
    QVERIFY(pair.initiator.failParked(kOther, EIO).empty());
    pair.initiator.sessionClosed();
    QCOMPARE(pair.initiator.failParked(kOther, EIO).size(), std::size_t(1));
    QCOMPARE(pair.initiator.underWay(kOther), std::size_t(0));
}

void SessionSharesTest::aPieceIsCutAgainForASmallerPart() {
    Pair pair;
    pair.hang();
    pair.initiator.submit(requestOf(kOther, Op::Read, 40, 7));
    pair.sendAll();
    pair.initiator.sessionClosed();
    pair.open(Epoch(0x99), kMemory / 4);
    std::uint32_t done = 0;
    std::optional<Completion> completion;
    for (int turn = 0; turn < 20 && !completion; ++turn)
        for (const auto& request : pair.sendAll())
            if (request.exportId == exportOf(kOther).id) {
                QCOMPARE(request.offset, std::uint64_t(done));
                QVERIFY(request.length < 16 * kPage);
                done += request.length;
                completion = pair.answer(request);
                QCOMPARE(completion.has_value(), done == 40 * kPage);
            }
    QVERIFY(completion && completion->result == int(40 * kPage));
    QCOMPARE(pair.initiator.underWay(kOther), std::size_t(0));
}

void SessionSharesTest::whoLeavesJoinsWhenAllIsAnswered() {
    Pair pair;
    const auto hung = pair.hang();
    pair.initiator.exportLeft(kHung);
    QVERIFY(!pair.initiator.isOpen(kHung));
    QVERIFY(pair.answer(hung[0])->result > 0);
    QVERIFY(pair.sendAll().empty());
    QVERIFY(pair.initiator.exportOffered(kHung, exportOf(kHung)) == Resume::Same);
    QVERIFY(pair.sendAll().empty());
    for (std::size_t i = 1; i < hung.size(); ++i) {
        QVERIFY(!pair.initiator.isOpen(kHung));
        pair.answer(hung[i]);
    }
    QVERIFY(pair.initiator.isOpen(kHung));
    QCOMPARE(pair.sendAll().size(), std::size_t(6));
}

void SessionSharesTest::whatWasNotTakenIsSentAgain() {
    Pair pair;
    pair.initiator.submit(requestOf(kHung, Op::Write, 1, 3));
    const auto sent = pair.sendAll().at(0);
    QVERIFY(!pair.answer(sent, wire::kStatusNotReady));
    QVERIFY(!pair.initiator.isOpen(kHung) && pair.initiator.isOpen(kOther));
    QCOMPARE(pair.initiator.underWay(kHung), std::size_t(1));
    pair.initiator.exportOffered(kHung, exportOf(kHung));
    const auto again = pair.sendAll().at(0);
    QVERIFY(again.sequence == sent.sequence && (again.flags & wire::kFlagReplay) != 0);
    QCOMPARE(pair.answer(again)->result, int(kPage));
}

void SessionSharesTest::anAbandonedDeviceIsFreeAtOnce() {
    Pair pair;
    const auto hung = pair.hang();
    const auto completions = pair.initiator.abandon(kHung, EIO);
    QCOMPARE(completions.size(), kDepth);
    for (const Completion& completion : completions)
        QCOMPARE(completion.result, -EIO);
    QCOMPARE(pair.initiator.underWay(kHung), std::size_t(0));
    pair.initiator.removeDevice(kHung);
    // Its place in the memory is free when it is answered.
    pair.initiator.submit(requestOf(kOther, Op::Read, 17));
    QCOMPARE(pair.sendAll().at(0).length, 16 * kPage);
    for (const wire::Request& request : hung)
        QVERIFY(!pair.answer(request));
    pair.initiator.submit(requestOf(kOther, Op::Read, 32));
    QCOMPARE(pair.sendAll().at(0).length, 32 * kPage);
}

void SessionSharesTest::anAbandonedDisksNextDeviceWaits() {
    constexpr DeviceId kNext(3);
    Pair pair;
    const auto hung = pair.hang();
    pair.initiator.abandon(kHung, EIO);
    pair.initiator.removeDevice(kHung);
    pair.initiator.addDevice(kNext, kDepth, exportOf(kHung), false);
    QVERIFY(pair.initiator.exportOffered(kNext, exportOf(kHung)) == Resume::Same);
    pair.initiator.submit(requestOf(kNext, Op::Read, 1));
    for (const wire::Request& request : hung) {
        QVERIFY(pair.sendAll().empty());
        pair.answer(request);
    }
    QCOMPARE(pair.sendAll().size(), std::size_t(1));
}

void SessionSharesTest::aTargetEndsASessionOfMoreThanTheMemory() {
    Target target;
    target.addExport(exportOf(kHung));
    target.addExport(exportOf(kOther));
    target.sessionOpened(kEpoch, {.maxTransfer = kMemory, .maxOutstanding = 64, .memory = kMemory});
    wire::Request request;
    request.op = Op::Write;
    request.epoch = kEpoch;
    request.exportId = exportOf(kOther).id;
    request.length = kPage;
    request.sequence = Sequence(1);
    QVERIFY(target.requestReceived(request));
    request.exportId = exportOf(kHung).id;
    request.length = 48 * kPage;
    request.sequence = Sequence(2);
    QVERIFY(target.requestReceived(request));
    wire::Request more = request;
    more.length = kPage;
    more.sequence = Sequence(3);
    target.answer(request, 0, kVerifier);
    QVERIFY(target.requestReceived(more));
    more.length = 48 * kPage;
    more.sequence = Sequence(4);
    QVERIFY(target.requestReceived(more));
    more.sequence = Sequence(5);
    QVERIFY(!target.requestReceived(more));
}

void SessionSharesTest::aTargetTakesNothingThatIsNotReady() {
    for (const std::uint64_t memory : {std::uint64_t{0}, std::uint64_t{kMemory}}) {
        Target target;
        target.addExport(exportOf(kHung));
        target.setReady(exportOf(kHung).id, false);
        target.sessionOpened(kEpoch, {kMemory, 64, memory});
        wire::Request request;
        request.op = Op::Write;
        request.epoch = kEpoch;
        request.exportId = exportOf(kHung).id;
        request.length = kPage;
        request.sequence = Sequence(1);
        const auto accepted = target.requestReceived(request);
        QVERIFY(accepted && accepted->step == Step::Refuse);
        QCOMPARE(accepted->error, memory == 0 ? ENXIO : int(wire::kStatusNotReady));
        QCOMPARE(int(target.answer(request, accepted->error, kVerifier).status), accepted->error);
        target.setReady(exportOf(kHung).id, true);
        request.sequence = Sequence(2);
        QVERIFY(target.requestReceived(request)->step == Step::ReceivePayload);
    }
}

QTEST_APPLESS_MAIN(SessionSharesTest)
#include "tst_session_shares.moc"
