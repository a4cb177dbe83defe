#include "core/session/target.h"
#include "tests/unit/session_samples.h"

#include <QTest>
#include <cerrno>

using namespace belay;
using namespace belay::session;
using wire::Op;

namespace {

constexpr std::uint32_t kMaxTransfer = 16 * kBlock;
constexpr Target::Limits kLimits{.maxTransfer = kMaxTransfer, .maxOutstanding = 1024, .memory = 0};

struct Rig {
    Target target;
    explicit Rig(const wire::ExportInfo& info = sampleExport()) {
        target.addExport(info);
        target.sessionOpened(kEpoch, kLimits);
    }
    // What the answer to `request` says is durable.
    std::uint64_t answer(const wire::Request& request, int error = 0,
                         Verifier verifier = kVerifier) {
        return target.answer(request, error, verifier).stableUpTo.value;
    }
    std::uint64_t run(const wire::Request& request) {
        static_cast<void>(target.requestReceived(request));
        return answer(request);
    }
};

wire::Request requestOf(Op op, std::uint64_t sequence = 1) {
    wire::Request request;
    request.op = op;
    request.exportId = sampleExport().id;
    request.epoch = kEpoch;
    request.sequence = Sequence(sequence);
    if (op != Op::Flush) {
        request.offset = 2 * kBlock;
        request.length = 4 * kBlock;
    }
    return request;
}

}  // namespace

class SessionTargetTest : public QObject {
    Q_OBJECT

 private slots:
    void acceptsEveryKind();
    void endsTheSessionOver_data();
    void endsTheSessionOver();
    void noRequestRunsTwiceAtOnce();
    void refusesWithAnErrno_data();
    void refusesWithAnErrno();
    void refusesChangesOfAReadOnlyExport();
    void echoesTheRequest();
    void tellsWhatIsDurable();
    void statusIsAnErrno();
    void saysWhatAFlushHasMadeDurable();
    void aFlushCoversNoLaterAnswer();
    void ofTwoFlushesTheFirstCounts();
    void aFailedFlushMakesNothingDurable();
    void saysNothingOnceTheVerifierHasChanged();
    void eachExportSpeaksForItself();
    void aNewSessionKnowsNothingOfTheOld();
    void exportsComeAndGo();
};

void SessionTargetTest::acceptsEveryKind() {
    Rig rig;
    std::uint64_t sequence = 0;
    for (const Op op : {Op::Read, Op::Write, Op::Flush, Op::Discard, Op::WriteZeroes}) {
        const auto accepted = rig.target.requestReceived(requestOf(op, ++sequence));
        QVERIFY(accepted.has_value());
        QVERIFY(accepted->step == (op == Op::Write ? Step::ReceivePayload : Step::Run));
        QCOMPARE(accepted->error, 0);
    }
    QCOMPARE(rig.target.running(), 5u);
}

void SessionTargetTest::endsTheSessionOver_data() {
    using Change = void (*)(wire::Request&);
    QTest::addColumn<Change>("change");
    QTest::addColumn<int>("op");
    const auto row = [](const char* name, Op op, Change change) {
        QTest::newRow(name) << change << static_cast<int>(op);
    };
    row("older epoch", Op::Read, [](wire::Request& r) { r.epoch = Epoch(kEpoch.value - 1); });
    row("no epoch", Op::Flush, [](wire::Request& r) { r.epoch = Epoch(); });
    row("write beyond the limit", Op::Write,
        [](wire::Request& r) { r.length = kMaxTransfer + kBlock; });
    row("read beyond the limit", Op::Read,
        [](wire::Request& r) { r.length = kMaxTransfer + kBlock; });
    row("write without bytes", Op::Write, [](wire::Request& r) { r.length = 0; });
}

void SessionTargetTest::endsTheSessionOver() {
    using Change = void (*)(wire::Request&);
    QFETCH(const Change, change);
    QFETCH(const int, op);
    Rig rig;
    auto request = requestOf(static_cast<Op>(op));
    change(request);
    QVERIFY(!rig.target.requestReceived(request));
    QCOMPARE(rig.target.running(), 0u);
}

void SessionTargetTest::noRequestRunsTwiceAtOnce() {
    Rig rig;
    const auto request = requestOf(Op::Write);
    QVERIFY(rig.target.requestReceived(request));
    QVERIFY(!rig.target.requestReceived(request));
    QVERIFY(!rig.target.requestReceived(requestOf(Op::Read)));  // the same sequence
    rig.target.answer(request, 0, kVerifier);
    QVERIFY(rig.target.requestReceived(request));
}

void SessionTargetTest::refusesWithAnErrno_data() {
    using Change = void (*)(wire::Request&);
    QTest::addColumn<Change>("change");
    QTest::addColumn<int>("op");
    QTest::addColumn<int>("error");
    const auto row = [](const char* name, Op op, int error, Change change) {
        QTest::newRow(name) << change << static_cast<int>(op) << error;
    };
    row("past the end", Op::Write, EINVAL, [](wire::Request& r) { r.offset = 61 * kBlock; });
    row("offset past the end", Op::Read, EINVAL, [](wire::Request& r) { r.offset = 65 * kBlock; });
    row("offset that wraps", Op::Read, EINVAL,
        [](wire::Request& r) { r.offset = ~std::uint64_t{0} - kBlock + 1; });
    row("length that wraps", Op::Discard, EINVAL,
        [](wire::Request& r) { r.length = ~std::uint32_t{0} - kBlock + 1; });
    row("odd offset", Op::Read, EINVAL, [](wire::Request& r) { ++r.offset; });
    row("odd length", Op::Write, EINVAL, [](wire::Request& r) { ++r.length; });
    row("read of nothing", Op::Read, EINVAL, [](wire::Request& r) { r.length = 0; });
    row("discard of nothing", Op::Discard, EINVAL, [](wire::Request& r) { r.length = 0; });
    row("unknown export", Op::Write, ENXIO, [](wire::Request& r) { r.exportId = ExportId(1); });
    row("flush of an unknown export", Op::Flush, ENXIO,
        [](wire::Request& r) { r.exportId = ExportId(1); });
}

void SessionTargetTest::refusesWithAnErrno() {
    using Change = void (*)(wire::Request&);
    QFETCH(const Change, change);
    QFETCH(const int, op);
    QFETCH(const int, error);
    Rig rig;
    auto request = requestOf(static_cast<Op>(op));
    change(request);
    const auto accepted = rig.target.requestReceived(request);
    QVERIFY(accepted.has_value());
    QVERIFY(accepted->step == Step::Refuse);
    QCOMPARE(accepted->error, error);
    QCOMPARE(rig.target.answer(request, error, kVerifier).status, error);
    QCOMPARE(rig.target.running(), 0u);
}

void SessionTargetTest::refusesChangesOfAReadOnlyExport() {
    auto info = sampleExport();
    info.readOnly = true;
    Rig rig(info);
    std::uint64_t sequence = 0;
    for (const Op op : {Op::Write, Op::Discard, Op::WriteZeroes})
        QCOMPARE(rig.target.requestReceived(requestOf(op, ++sequence))->error, EROFS);
    QCOMPARE(rig.target.requestReceived(requestOf(Op::Read, ++sequence))->error, 0);
    QCOMPARE(rig.target.requestReceived(requestOf(Op::Flush, ++sequence))->error, 0);

    info.readOnly = info.canDiscard = false;
    rig.target.addExport(info);
    QCOMPARE(rig.target.requestReceived(requestOf(Op::Discard, ++sequence))->error, EOPNOTSUPP);
}

void SessionTargetTest::echoesTheRequest() {
    Rig rig;
    auto request = requestOf(Op::Write, 77);
    request.flags = wire::kFlagReplay;
    QVERIFY(rig.target.requestReceived(request));
    QVERIFY(rig.target.answer(request, 0, kVerifier) == answerTo(request));
}

void SessionTargetTest::tellsWhatIsDurable() {
    Rig rig;
    const auto flagsOf = [&](Op op, std::uint16_t flags, int error) {
        auto request = requestOf(op);
        request.flags = flags;
        return rig.target.answer(request, error, kVerifier).flags;
    };
    QCOMPARE(flagsOf(Op::Flush, 0, 0), wire::kFlagDurable);
    QCOMPARE(flagsOf(Op::Write, wire::kFlagFua, 0), wire::kFlagDurable);
    QCOMPARE(flagsOf(Op::WriteZeroes, wire::kFlagFua, 0), wire::kFlagDurable);
    QCOMPARE(flagsOf(Op::Write, 0, 0), 0);
    QCOMPARE(flagsOf(Op::Write, wire::kFlagFua, EIO), 0);
    QCOMPARE(flagsOf(Op::Flush, 0, EIO), 0);
    QCOMPARE(flagsOf(Op::Read, wire::kFlagFua, 0), 0);
}

void SessionTargetTest::statusIsAnErrno() {
    Rig rig;
    const auto statusOf = [&](int error) {
        return int{rig.target.answer(requestOf(Op::Read), error, kVerifier).status};
    };
    QCOMPARE(statusOf(0), 0);
    QCOMPARE(statusOf(ENOSPC), ENOSPC);
    QCOMPARE(statusOf(255), 255);
    // What does not fit into the field must not look like success.
    QCOMPARE(statusOf(256), EIO);
    QCOMPARE(statusOf(-5), EIO);
}

void SessionTargetTest::saysWhatAFlushHasMadeDurable() {
    Rig rig;
    auto durable = requestOf(Op::Write, 1);
    durable.flags = wire::kFlagFua;
    // What an earlier session answered is not durable before the first flush.
    QCOMPARE(rig.run(durable), 0u);
    QCOMPARE(rig.run(requestOf(Op::Write, 2)), 0u);
    QCOMPARE(rig.run(requestOf(Op::Flush, 3)), 3u);
    QCOMPARE(rig.run(requestOf(Op::Read, 4)), 4u);
    durable.sequence = Sequence(5);
    QCOMPARE(rig.run(durable), 5u);
    QCOMPARE(rig.run(requestOf(Op::Discard, 7)), 6u);
    durable.sequence = Sequence(8);
    QCOMPARE(rig.run(durable), 6u);
    // One that comes late takes back what would else be said of it.
    QCOMPARE(rig.run(requestOf(Op::Write, 4)), 3u);
    QCOMPARE(rig.run(requestOf(Op::Flush, 9)), 9u);
    rig.target.sessionOpened(kEpoch, kLimits);
    QCOMPARE(rig.run(requestOf(Op::Read, 10)), 0u);
}

void SessionTargetTest::aFlushCoversNoLaterAnswer() {
    Rig rig;
    rig.run(requestOf(Op::Write, 1));
    static_cast<void>(rig.target.requestReceived(requestOf(Op::Write, 3)));
    static_cast<void>(rig.target.requestReceived(requestOf(Op::Flush, 4)));
    QCOMPARE(rig.answer(requestOf(Op::Write, 3)), 0u);
    QCOMPARE(rig.answer(requestOf(Op::Flush, 4)), 2u);
    QCOMPARE(rig.run(requestOf(Op::Flush, 5)), 5u);
    // Nor does it when the change failed, but then there is nothing to be lost.
    static_cast<void>(rig.target.requestReceived(requestOf(Op::Write, 6)));
    QCOMPARE(rig.answer(requestOf(Op::Write, 6), ENOSPC), 6u);
}

void SessionTargetTest::ofTwoFlushesTheFirstCounts() {
    Rig rig;
    static_cast<void>(rig.target.requestReceived(requestOf(Op::Flush, 1)));
    rig.run(requestOf(Op::Write, 2));
    static_cast<void>(rig.target.requestReceived(requestOf(Op::Flush, 3)));
    // The second covers the write, but says so only in its own answer.
    QCOMPARE(rig.answer(requestOf(Op::Flush, 3)), 0u);
    QCOMPARE(rig.answer(requestOf(Op::Flush, 1)), 1u);
    QCOMPARE(rig.run(requestOf(Op::Flush, 4)), 4u);
}

void SessionTargetTest::aFailedFlushMakesNothingDurable() {
    Rig rig;
    rig.run(requestOf(Op::Flush, 1));
    rig.run(requestOf(Op::Write, 2));
    static_cast<void>(rig.target.requestReceived(requestOf(Op::Flush, 3)));
    QCOMPARE(rig.answer(requestOf(Op::Flush, 3), EINTR), 1u);
    QCOMPARE(rig.run(requestOf(Op::Flush, 4)), 4u);
}

void SessionTargetTest::saysNothingOnceTheVerifierHasChanged() {
    constexpr Verifier kOther(77);
    Rig rig;
    rig.run(requestOf(Op::Flush, 1));
    rig.run(requestOf(Op::Write, 2));
    static_cast<void>(rig.target.requestReceived(requestOf(Op::Flush, 3)));
    static_cast<void>(rig.target.requestReceived(requestOf(Op::Flush, 4)));
    QCOMPARE(rig.answer(requestOf(Op::Flush, 3), EIO, kOther), 0u);
    QCOMPARE(rig.answer(requestOf(Op::Flush, 4), 0, kOther), 0u);
    static_cast<void>(rig.target.requestReceived(requestOf(Op::Flush, 5)));
    QCOMPARE(rig.answer(requestOf(Op::Flush, 5), 0, kOther), 0u);
}

void SessionTargetTest::eachExportSpeaksForItself() {
    Rig rig;
    auto other = sampleExport();
    other.id = ExportId(other.id.value + 1);
    rig.target.addExport(other);
    rig.run(requestOf(Op::Flush, 1));
    auto elsewhere = requestOf(Op::Write, 2);
    elsewhere.exportId = other.id;
    QCOMPARE(rig.run(elsewhere), 0u);
    QCOMPARE(rig.run(requestOf(Op::Read, 3)), 3u);
}

void SessionTargetTest::aNewSessionKnowsNothingOfTheOld() {
    Rig rig;
    auto request = requestOf(Op::Write);
    QVERIFY(rig.target.requestReceived(request));
    rig.target.sessionClosed();
    QVERIFY(rig.target.epoch() == Epoch());
    QVERIFY(!rig.target.requestReceived(request));
    rig.target.sessionOpened(Epoch(0x99), kLimits);
    QVERIFY(!rig.target.requestReceived(request));
    request.epoch = Epoch(0x99);
    QVERIFY(rig.target.requestReceived(request));
    QCOMPARE(rig.target.running(), 1u);
}

void SessionTargetTest::exportsComeAndGo() {
    Rig rig;
    QVERIFY(rig.target.findExport(sampleExport().id));
    rig.target.removeExport(sampleExport().id);
    QVERIFY(rig.target.findExport(sampleExport().id) == nullptr);
    QCOMPARE(rig.target.requestReceived(requestOf(Op::Read))->error, ENXIO);
}

QTEST_GUILESS_MAIN(SessionTargetTest)
#include "tst_session_target.moc"
