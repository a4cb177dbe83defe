#include "core/session/initiator.h"
#include "tests/unit/session_samples.h"

#include <QTest>
#include <cerrno>

using namespace belay;
using namespace belay::session;
using wire::Op;

namespace {

constexpr int kBytes = 4 * kBlock;
constexpr Verifier kOtherVerifier{0x78};
constexpr Epoch kNextEpoch{0x52};
constexpr std::size_t kDepth = 8;

// An initiator with one device, in a session.
struct Rig {
    Initiator initiator{Sequence(100)};

    explicit Rig(bool unsavedUnknown = false, std::uint32_t maxOutstanding = 8) {
        initiator.addDevice(kDevice, kDepth, sampleExport(), unsavedUnknown);
        initiator.sessionOpened(kEpoch, termsOf(maxOutstanding));
        initiator.exportOffered(kDevice, sampleExport());
    }
    wire::Request send() { return initiator.markSent(*initiator.nextToSend()); }
    wire::Request send(const Entry& entry) {
        initiator.submit(entry);
        return send();
    }
    int answered(const wire::Response& response) {
        const auto answer = initiator.responseReceived(response);
        return answer && answer->completion ? answer->completion->result : INT_MIN;
    }
    bool refuses(const wire::Response& response) {
        return !initiator.responseReceived(response).has_value();
    }
    // A write, answered but not durable.
    void writeUnsaved() { answered(answerTo(send(entryOf(Op::Write)))); }
    Resume reopen(const wire::ExportInfo& offered) {
        initiator.sessionClosed();
        initiator.sessionOpened(kNextEpoch, termsOf(8));
        return initiator.exportOffered(kDevice, offered);
    }
    Resume reopen(Verifier verifier) {
        auto offered = sampleExport();
        offered.verifier = verifier;
        return reopen(offered);
    }
};

}  // namespace

class SessionInitiatorTest : public QObject {
    Q_OBJECT

 private slots:
    void probeIsAnswered();
    void probeIsRefused();
    void probeEndsWithItsSession();
    void probeOutlivesItsDevice();
    void probeSeesALoss();
    void completesEveryKind();
    void refusesWhatDoesNotFit_data();
    void refusesWhatDoesNotFit();
    void refusesPayloadNobodyAwaits();
    void refusesASecondAnswer();
    void holdsBackBeyondMaxOutstanding();
    void losingASessionCompletesNothing();
    void replaysInOrderUnderTheSameSequences();
    void aFilledReadIsReplayed();
    void nothingFlowsBeforeTheExportIsOffered();
    void takesAsManyAsTheDevicesAreDeep();
    void hasPlaceForRequestsOfItsOwn();
    void failsParkedOnly();
    void failsOne();
    void countsUnsavedBytes();
    void durableWritesAreSaved();
    void aFlushCoversWhatWasAnsweredBeforeItWasSent();
    void aFailedFlushCoversNothing();
    void changedVerifierWithoutErrorEndsTheSession();
    void changedVerifierWithAFailedReadEndsTheSession();
    void changedVerifierWithAnErrorIsToldAndEndsTheSession();
    void changedVerifierWithAnErrorAndNothingUnsavedGoesOn();
    void verifierAtResume();
    void unknownUnsavedBytesCount();
    void differentDisk_data();
    void differentDisk();
    void aStrangerIsADifferentDisk();
    void twoDevicesShareASession();
};

// It goes before what the kernel asks for, and is nobody's request.
void SessionInitiatorTest::probeIsAnswered() {
    Rig rig;
    rig.initiator.submit(entryOf(Op::Write));
    rig.initiator.probe(kDevice, sampleExport().sizeBytes);
    const Entry* next = rig.initiator.nextToSend();
    QVERIFY(next != nullptr && next == rig.initiator.nextToSend());
    const wire::Request probe = rig.send();
    QVERIFY(probe.op == Op::Read && probe.flags == 0);
    QCOMPARE(probe.offset, sampleExport().sizeBytes);
    QCOMPARE(probe.length, sampleExport().blockSize);
    QVERIFY(rig.send().op == Op::Write);
    QCOMPARE(rig.initiator.underWay(kDevice), std::size_t(1));

    const auto answer = rig.initiator.responseReceived(answerTo(probe));
    QVERIFY(answer.has_value());
    QVERIFY(!answer->probed && !answer->completion);
    QCOMPARE(answer->payloadLength, sampleExport().blockSize);
    const auto probed = rig.initiator.ownPayloadReceived(probe.sequence);
    QVERIFY(probed && *probed == kDevice);
    QVERIFY(rig.initiator.ledger().find(probe.sequence) == nullptr);
    // Once.
    QVERIFY(rig.initiator.nextToSend() == nullptr);
}

void SessionInitiatorTest::probeIsRefused() {
    Rig rig;
    rig.initiator.probe(kDevice, sampleExport().sizeBytes);
    auto refusal = answerTo(rig.send());
    refusal.status = EIO;
    const auto answer = rig.initiator.responseReceived(refusal);
    QVERIFY(answer.has_value());
    QVERIFY(answer->probed && *answer->probed == kDevice);
    QCOMPARE(answer->payloadLength, 0u);
    QCOMPARE(rig.initiator.ledger().size(), std::size_t(0));
}

void SessionInitiatorTest::probeEndsWithItsSession() {
    for (const bool sent : {false, true}) {
        Rig rig;
        rig.initiator.probe(kDevice, sampleExport().sizeBytes);
        QVERIFY(rig.initiator.nextToSend() != nullptr);
        if (sent)
            rig.send();
        QVERIFY(rig.reopen(sampleExport()) == Resume::Same);
        QVERIFY(rig.initiator.nextToSend() == nullptr);
        QCOMPARE(rig.initiator.ledger().size(), std::size_t(0));
    }
}

// Its payload comes all the same, and must not be taken for another's.
void SessionInitiatorTest::probeOutlivesItsDevice() {
    Rig rig;
    rig.initiator.probe(kDevice, sampleExport().sizeBytes);
    const wire::Request probe = rig.send();
    rig.initiator.removeDevice(kDevice);
    const auto answer = rig.initiator.responseReceived(answerTo(probe));
    QVERIFY(answer.has_value());
    QCOMPARE(answer->payloadLength, probe.length);
    QVERIFY(!rig.initiator.ownPayloadReceived(probe.sequence));
    QCOMPARE(rig.initiator.ledger().size(), std::size_t(0));
}

void SessionInitiatorTest::probeSeesALoss() {
    Rig rig;
    rig.initiator.probe(kDevice, sampleExport().sizeBytes);
    auto answer = answerTo(rig.send());
    answer.verifier = kOtherVerifier;
    QVERIFY(rig.refuses(answer));
}

void SessionInitiatorTest::completesEveryKind() {
    Rig rig;
    QCOMPARE(rig.answered(answerTo(rig.send(entryOf(Op::Write)))), kBytes);
    QCOMPARE(rig.answered(answerTo(rig.send(entryOf(Op::Flush)))), 0);
    QCOMPARE(rig.answered(answerTo(rig.send(entryOf(Op::Discard)))), 0);
    QCOMPARE(rig.answered(answerTo(rig.send(entryOf(Op::WriteZeroes)))), 0);
    QCOMPARE(rig.answered(answerTo(rig.send(entryOf(Op::Read)), EIO)), -EIO);

    auto response = answerTo(rig.send(entryOf(Op::Read, 5)));
    response.payloadCrc = 0xabcd;
    const auto answer = rig.initiator.responseReceived(response);
    QVERIFY(answer && !answer->completion);
    QCOMPARE(answer->payloadLength, std::uint32_t{kBytes});
    QCOMPARE(rig.initiator.promisedCrc(answer->sequence), 0xabcdu);
    const auto read = rig.initiator.payloadReceived(answer->sequence);
    QVERIFY(read.has_value() && read->has_value());
    QCOMPARE((*read)->result, kBytes);
    QCOMPARE((*read)->tag.value, 5u);
    QVERIFY((*read)->device == kDevice);
    QCOMPARE(rig.initiator.ledger().size(), 0u);
    QCOMPARE(rig.initiator.promisedCrc(answer->sequence), 0u);
}

void SessionInitiatorTest::refusesWhatDoesNotFit_data() {
    using Change = void (*)(wire::Response&);
    QTest::addColumn<Change>("change");
    const auto row = [](const char* name, Change change) { QTest::newRow(name) << change; };
    row("older epoch", [](wire::Response& r) { r.epoch = Epoch(kEpoch.value - 1); });
    row("no epoch", [](wire::Response& r) { r.epoch = Epoch(); });
    row("unknown sequence", [](wire::Response& r) { r.sequence = Sequence(101); });
    row("sequence of the same slot", [](wire::Response& r) { r.sequence = Sequence(116); });
    row("another op", [](wire::Response& r) { r.op = Op::Discard; });
    row("another export", [](wire::Response& r) { r.exportId = ExportId(8); });
    row("another offset", [](wire::Response& r) { r.offset += kBlock; });
    row("longer", [](wire::Response& r) { r.length += kBlock; });
    row("shorter", [](wire::Response& r) { r.length -= kBlock; });
}

void SessionInitiatorTest::refusesWhatDoesNotFit() {
    using Change = void (*)(wire::Response&);
    QFETCH(const Change, change);
    Rig rig;
    const auto good = answerTo(rig.send(entryOf(Op::Write)));
    auto bad = good;
    change(bad);
    QVERIFY(rig.refuses(bad));
    // The request is none the worse for it.
    QCOMPARE(rig.answered(good), kBytes);
}

void SessionInitiatorTest::refusesPayloadNobodyAwaits() {
    Rig rig;
    QVERIFY(!rig.initiator.payloadReceived(Sequence(100)));
    const auto request = rig.send(entryOf(Op::Read));
    QVERIFY(!rig.initiator.payloadReceived(request.sequence));
}

void SessionInitiatorTest::refusesASecondAnswer() {
    Rig rig;
    const auto write = answerTo(rig.send(entryOf(Op::Write)));
    QCOMPARE(rig.answered(write), kBytes);
    QVERIFY(rig.refuses(write));
    const auto read = answerTo(rig.send(entryOf(Op::Read)));
    QVERIFY(rig.initiator.responseReceived(read));
    QVERIFY(rig.refuses(read));
    // Held, but not sent in this session.
    const auto lost = answerTo(rig.send(entryOf(Op::Discard)));
    rig.initiator.sessionClosed();
    rig.initiator.sessionOpened(kEpoch, termsOf(8));
    QVERIFY(rig.refuses(lost));
}

void SessionInitiatorTest::holdsBackBeyondMaxOutstanding() {
    Rig rig(false, 2);
    for (std::uint16_t tag = 0; tag < 3; ++tag)
        QVERIFY(rig.initiator.submit(entryOf(Op::Read, tag)));
    const auto first = rig.send();
    rig.send();
    QVERIFY(rig.initiator.nextToSend() == nullptr);
    // Filling is outstanding still.
    QVERIFY(rig.initiator.responseReceived(answerTo(first)));
    QVERIFY(rig.initiator.nextToSend() == nullptr);
    QVERIFY(rig.initiator.payloadReceived(first.sequence));
    QCOMPARE(rig.send().sequence.value, 102u);
}

void SessionInitiatorTest::losingASessionCompletesNothing() {
    Rig rig;
    rig.send(entryOf(Op::Write));
    rig.send(entryOf(Op::Read));
    rig.initiator.submit(entryOf(Op::Flush));
    rig.initiator.sessionClosed();
    QCOMPARE(rig.initiator.underWay(kDevice), 3u);
    QVERIFY(!rig.initiator.isOpen(kDevice));
    QVERIFY(rig.initiator.epoch() == Epoch());
    QVERIFY(rig.initiator.nextToSend() == nullptr);
    for (const Entry* entry : rig.initiator.ledger().inOrder())
        QVERIFY(entry->state == EntryState::Parked);
}

void SessionInitiatorTest::replaysInOrderUnderTheSameSequences() {
    Rig rig;
    std::vector<wire::Request> sent;
    for (const Op op : {Op::Write, Op::Read, Op::Discard})
        sent.push_back(rig.send(entryOf(op)));
    rig.initiator.submit(entryOf(Op::Flush));  // never sent before
    QCOMPARE(rig.answered(answerTo(sent[1], EIO)), -EIO);
    auto offered = sampleExport();
    offered.id = ExportId(44);
    QVERIFY(rig.reopen(offered) == Resume::Same);
    rig.initiator.submit(entryOf(Op::Write));

    const std::uint64_t sequences[] = {100, 102, 103, 104};
    const bool replayed[] = {true, true, false, false};
    for (int i = 0; i < 4; ++i) {
        const auto request = rig.send();
        QCOMPARE(request.sequence.value, sequences[i]);
        QCOMPARE((request.flags & wire::kFlagReplay) != 0, replayed[i]);
        QCOMPARE(request.epoch.value, kNextEpoch.value);
        QCOMPARE(request.exportId.value, 44u);
    }
    QVERIFY(rig.initiator.nextToSend() == nullptr);
}

void SessionInitiatorTest::aFilledReadIsReplayed() {
    Rig rig;
    const auto request = rig.send(entryOf(Op::Read));
    QVERIFY(rig.initiator.responseReceived(answerTo(request)));
    QVERIFY(rig.reopen(kVerifier) == Resume::Same);
    QVERIFY(!rig.initiator.payloadReceived(request.sequence));
    QVERIFY(rig.send().sequence == request.sequence);
}

void SessionInitiatorTest::nothingFlowsBeforeTheExportIsOffered() {
    Initiator initiator(Sequence(1));
    initiator.addDevice(kDevice, kDepth, sampleExport(), false);
    initiator.submit(entryOf(Op::Read));
    QVERIFY(initiator.nextToSend() == nullptr);
    initiator.sessionOpened(kEpoch, termsOf(4));
    initiator.submit(entryOf(Op::Read));
    QVERIFY(initiator.nextToSend() == nullptr);
    QVERIFY(initiator.exportOffered(kDevice, sampleExport()) == Resume::Same);
    QVERIFY(initiator.isOpen(kDevice));
    QCOMPARE(initiator.nextToSend()->sequence.value, 1u);
    // Offered twice, sent once.
    QVERIFY(initiator.exportOffered(kDevice, sampleExport()) == Resume::Same);
    initiator.markSent(*initiator.nextToSend());
    initiator.markSent(*initiator.nextToSend());
    QVERIFY(initiator.nextToSend() == nullptr);
}

void SessionInitiatorTest::takesAsManyAsTheDevicesAreDeep() {
    Rig rig;
    const auto sent = rig.send(entryOf(Op::Read));
    for (std::size_t i = 1; i < kDepth; ++i)
        QVERIFY(rig.initiator.submit(entryOf(Op::Read)));
    QVERIFY(!rig.initiator.submit(entryOf(Op::Read)));
    // What is under way stays under way when another device makes the ledger grow.
    constexpr DeviceId kSecond{4};
    constexpr std::size_t kSecondDepth = 100;
    rig.initiator.addDevice(kSecond, kSecondDepth, sampleExport(), false);
    for (std::size_t i = 0; i < kSecondDepth; ++i)
        QVERIFY(rig.initiator.submit(entryOf(Op::Read, 0, kSecond)));
    QCOMPARE(rig.initiator.underWay(kDevice), kDepth);
    QCOMPARE(rig.initiator.underWay(kSecond), kSecondDepth);
    QCOMPARE(rig.answered(answerTo(sent, EIO)), -EIO);
    QCOMPARE(rig.send().sequence.value, sent.sequence.value + 1);
}

// However full the queues of all are.
void SessionInitiatorTest::hasPlaceForRequestsOfItsOwn() {
    constexpr std::uint32_t kMost = 64;
    Rig rig(false, 1024);
    for (std::uint32_t id = 100; id < 100 + kMost; ++id) {
        auto info = sampleExport();
        info.id = ExportId(static_cast<std::uint16_t>(id));
        rig.initiator.addDevice(DeviceId(id), kDepth, info, false);
        QVERIFY(rig.initiator.exportOffered(DeviceId(id), info) == Resume::Same);
        for (std::size_t i = 0; i < kDepth; ++i)
            QVERIFY(rig.initiator.submit(entryOf(Op::Write, 0, DeviceId(id))));
    }
    for (std::uint32_t id = 100; id < 100 + kMost; ++id)
        rig.initiator.probe(DeviceId(id), 0);
    for (std::uint32_t i = 0; i < kMost; ++i) {
        const Entry* entry = rig.initiator.nextToSend();
        QVERIFY(entry != nullptr && entry->origin == Origin::Probe);
        rig.initiator.markSent(*entry);
    }
    QVERIFY(rig.initiator.nextToSend()->origin == Origin::Kernel);
}

void SessionInitiatorTest::failsParkedOnly() {
    Rig rig(false, 1);
    const auto sent = rig.send(entryOf(Op::Write, 1));
    rig.initiator.submit(entryOf(Op::Read, 2));
    const auto failed = rig.initiator.failParked(kDevice, EIO);
    QCOMPARE(failed.size(), 1u);
    QCOMPARE(failed[0].tag.value, 2u);
    QCOMPARE(failed[0].result, -EIO);
    QVERIFY(rig.initiator.failParked(DeviceId(99), EIO).empty());
    QCOMPARE(rig.answered(answerTo(sent)), kBytes);
    QVERIFY(rig.initiator.nextToSend() == nullptr);
}

void SessionInitiatorTest::failsOne() {
    Rig rig(false, 1);
    const auto sent = rig.send(entryOf(Op::Read));
    rig.initiator.submit(entryOf(Op::Read));
    QCOMPARE(rig.initiator.fail(sent.sequence, ENOMEM)->result, -ENOMEM);
    QVERIFY(!rig.initiator.fail(sent.sequence, ENOMEM));
    // Its place is free again.
    QCOMPARE(rig.send().sequence.value, 101u);
}

void SessionInitiatorTest::countsUnsavedBytes() {
    Rig rig;
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 0u);
    rig.writeUnsaved();
    rig.answered(answerTo(rig.send(entryOf(Op::WriteZeroes))));
    rig.answered(answerTo(rig.send(entryOf(Op::Discard))));
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 3u * kBytes);
    rig.answered(answerTo(rig.send(entryOf(Op::Write)), ENOSPC));
    QVERIFY(rig.initiator.responseReceived(answerTo(rig.send(entryOf(Op::Read)))));
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 3u * kBytes);
    rig.answered(answerTo(rig.send(entryOf(Op::Flush))));
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 0u);
    QCOMPARE(rig.initiator.unsavedBytes(DeviceId(99)), 0u);
}

void SessionInitiatorTest::durableWritesAreSaved() {
    Rig rig;
    auto entry = entryOf(Op::Write);
    entry.flags = wire::kFlagFua;
    const auto request = rig.send(entry);
    QVERIFY(request.flags == wire::kFlagFua);
    auto response = answerTo(request);
    response.flags = wire::kFlagDurable;
    QCOMPARE(rig.answered(response), kBytes);
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 0u);
}

void SessionInitiatorTest::aFlushCoversWhatWasAnsweredBeforeItWasSent() {
    Rig rig;
    rig.writeUnsaved();
    const auto during = rig.send(entryOf(Op::Write));
    const auto flush = rig.send(entryOf(Op::Flush));
    const auto late = rig.send(entryOf(Op::Flush));
    rig.answered(answerTo(during));
    rig.answered(answerTo(flush));
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), std::uint64_t{kBytes});
    // A flush sent again covers what was answered until then.
    QVERIFY(rig.reopen(kVerifier) == Resume::Same);
    const auto again = rig.send();
    QVERIFY(again.sequence == late.sequence);
    rig.answered(answerTo(again));
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 0u);
}

void SessionInitiatorTest::aFailedFlushCoversNothing() {
    Rig rig;
    rig.writeUnsaved();
    QCOMPARE(rig.answered(answerTo(rig.send(entryOf(Op::Flush)), EIO)), -EIO);
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), std::uint64_t{kBytes});
}

void SessionInitiatorTest::changedVerifierWithoutErrorEndsTheSession() {
    for (const Op op : {Op::Read, Op::Write, Op::Flush, Op::Discard, Op::WriteZeroes}) {
        Rig rig;
        rig.writeUnsaved();
        QVERIFY(rig.refuses(answerTo(rig.send(entryOf(op)), 0, kOtherVerifier)));
        QCOMPARE(rig.initiator.underWay(kDevice), 1u);
        QVERIFY(rig.reopen(kOtherVerifier) == Resume::DataMayBeMissing);
        QVERIFY(rig.initiator.nextToSend() == nullptr);
    }
}

void SessionInitiatorTest::changedVerifierWithAFailedReadEndsTheSession() {
    Rig rig;
    rig.writeUnsaved();
    QVERIFY(rig.refuses(answerTo(rig.send(entryOf(Op::Read)), EIO, kOtherVerifier)));
    QVERIFY(rig.reopen(kOtherVerifier) == Resume::DataMayBeMissing);
}

void SessionInitiatorTest::changedVerifierWithAnErrorIsToldAndEndsTheSession() {
    for (const Op op : {Op::Write, Op::Flush, Op::Discard, Op::WriteZeroes}) {
        Rig rig;
        rig.writeUnsaved();
        // Whatever the error: tried again, it might come again for ever.
        const auto answer = rig.initiator.responseReceived(
            answerTo(rig.send(entryOf(op)), op == Op::Write ? ENOSPC : EIO, kOtherVerifier));
        QVERIFY(answer && answer->completion && answer->endsSession);
        QCOMPARE(answer->completion->result, op == Op::Write ? -ENOSPC : -EIO);
        QCOMPARE(rig.initiator.unsavedBytes(kDevice), std::uint64_t{kBytes});
        QVERIFY(rig.initiator.known(kDevice).verifier == kVerifier);
        QVERIFY(rig.reopen(kOtherVerifier) == Resume::DataMayBeMissing);
    }
}

void SessionInitiatorTest::changedVerifierWithAnErrorAndNothingUnsavedGoesOn() {
    Rig rig;
    const auto answer =
        rig.initiator.responseReceived(answerTo(rig.send(entryOf(Op::Flush)), EIO, kOtherVerifier));
    QVERIFY(answer && answer->completion && !answer->endsSession);
    QCOMPARE(answer->completion->result, -EIO);
    // From here on the new one is the one that counts.
    rig.answered(answerTo(rig.send(entryOf(Op::Write)), 0, kOtherVerifier));
    QVERIFY(rig.reopen(kOtherVerifier) == Resume::Same);
    QVERIFY(rig.reopen(kVerifier) == Resume::DataMayBeMissing);
}

void SessionInitiatorTest::verifierAtResume() {
    Rig rig;
    QVERIFY(rig.reopen(kOtherVerifier) == Resume::Same);
    QVERIFY(rig.initiator.known(kDevice).verifier == kOtherVerifier);
    rig.answered(answerTo(rig.send(entryOf(Op::Write)), 0, kOtherVerifier));
    QVERIFY(rig.reopen(kVerifier) == Resume::DataMayBeMissing);
    QVERIFY(!rig.initiator.isOpen(kDevice));
    QVERIFY(rig.initiator.known(kDevice).verifier == kOtherVerifier);
    // Not before the user has accepted it.
    QVERIFY(rig.reopen(kVerifier) == Resume::DataMayBeMissing);
    rig.initiator.forgiveMissingData(kDevice);
    QVERIFY(rig.reopen(kVerifier) == Resume::Same);
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 0u);
    rig.initiator.forgiveMissingData(DeviceId(99));
}

void SessionInitiatorTest::unknownUnsavedBytesCount() {
    Rig rig(true);
    QVERIFY(rig.reopen(kOtherVerifier) == Resume::DataMayBeMissing);
    QVERIFY(rig.reopen(kVerifier) == Resume::Same);
    QCOMPARE(rig.answered(answerTo(rig.send(entryOf(Op::Flush)))), 0);
    QVERIFY(rig.reopen(kOtherVerifier) == Resume::Same);
}

void SessionInitiatorTest::differentDisk_data() {
    using Change = void (*)(wire::ExportInfo&);
    QTest::addColumn<Change>("change");
    const auto row = [](const char* name, Change change) { QTest::newRow(name) << change; };
    row("uuid", [](wire::ExportInfo& e) { e.uuid.bytes[15] ^= 1; });
    row("size", [](wire::ExportInfo& e) { e.sizeBytes += kBlock; });
    row("block size", [](wire::ExportInfo& e) { e.blockSize *= 2; });
    row("read-only", [](wire::ExportInfo& e) { e.readOnly = true; });
    row("generation", [](wire::ExportInfo& e) { ++e.generation; });
}

void SessionInitiatorTest::differentDisk() {
    using Change = void (*)(wire::ExportInfo&);
    QFETCH(const Change, change);
    Rig rig;
    const auto sent = rig.send(entryOf(Op::Write));
    auto other = sampleExport();
    change(other);
    QVERIFY(rig.reopen(other) == Resume::DifferentDisk);
    QVERIFY(!rig.initiator.isOpen(kDevice));
    rig.initiator.submit(entryOf(Op::Read));
    QVERIFY(rig.initiator.nextToSend() == nullptr);
    // The right one comes back.
    QVERIFY(rig.reopen(sampleExport()) == Resume::Same);
    QVERIFY(rig.send().sequence == sent.sequence);
}

void SessionInitiatorTest::aStrangerIsADifferentDisk() {
    Rig rig;
    QVERIFY(rig.initiator.exportOffered(DeviceId(99), sampleExport()) == Resume::DifferentDisk);
    rig.initiator.removeDevice(kDevice);
    QVERIFY(!rig.initiator.isOpen(kDevice));
    QVERIFY(rig.initiator.exportOffered(kDevice, sampleExport()) == Resume::DifferentDisk);
}

void SessionInitiatorTest::twoDevicesShareASession() {
    constexpr DeviceId kSecond{4};
    Rig rig;
    auto second = sampleExport();
    second.id = ExportId(10);
    rig.initiator.addDevice(kSecond, kDepth, second, false);
    rig.initiator.submit(entryOf(Op::Write, 0, kSecond));
    rig.initiator.submit(entryOf(Op::Write, 0));
    // Only the first is offered.
    QCOMPARE(rig.send().exportId.value, 9u);
    QVERIFY(rig.initiator.nextToSend() == nullptr);
    QVERIFY(rig.initiator.exportOffered(kSecond, second) == Resume::Same);
    const auto request = rig.send();
    QCOMPARE(request.exportId.value, 10u);
    QCOMPARE(rig.answered(answerTo(request)), kBytes);
    QCOMPARE(rig.initiator.unsavedBytes(kSecond), std::uint64_t{kBytes});
    QCOMPARE(rig.initiator.unsavedBytes(kDevice), 0u);
    QCOMPARE(rig.initiator.underWay(kDevice), 1u);
}

QTEST_GUILESS_MAIN(SessionInitiatorTest)
#include "tst_session_initiator.moc"
