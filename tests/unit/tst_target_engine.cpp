#include "core/engine/native_dialect.h"
#include "core/engine/smoo_dialect.h"
#include "core/engine/target_engine.h"
#include "core/wire/native.h"
#include "core/wire/smoo.h"
#include "tests/unit/store_harness.h"

#include <QTemporaryDir>
#include <QtTest>
#include <cerrno>
#include <deque>

using namespace belay;
using wire::Op;

namespace {

constexpr std::uint64_t kDiskBytes = 8 << 20;
constexpr ExportId kExport{9};
constexpr Epoch kEpoch{0x51};

constexpr std::size_t kMemory = 2 * Arena::kChunkBytes;

// The other end of the cable: what the engine sent, and what it is to receive.
struct Peer {
    wire::LinkListener* listener = nullptr;
    Bytes answers;
    std::deque<std::pair<Bytes, std::uint64_t>> payloads;
    std::deque<std::pair<ByteSpan, std::uint64_t>> receives;
    std::optional<Error> down;
};

class PeerLink final : public wire::Link {
 public:
    PeerLink(Ring& ring, Peer& peer) : ring_(ring), peer_(peer) {
        arena_ = Arena::heap(kMemory).value();
    }

    std::size_t messagePacketBytes() const override { return 512; }
    void start(const wire::MessageFraming&, wire::LinkListener& listener) override {
        peer_.listener = &listener;
    }
    void sendMessages(ConstByteSpan messages) override {
        peer_.answers.insert(peer_.answers.end(), messages.begin(), messages.end());
    }
    void sendPayload(ConstByteSpan payload, std::uint64_t cookie) override {
        peer_.payloads.emplace_back(Bytes(payload.begin(), payload.end()), cookie);
    }
    void receivePayload(ByteSpan buffer, std::uint64_t cookie) override {
        peer_.receives.emplace_back(buffer, cookie);
    }
    void submit() override {}
    void shutDown(Error reason) override {
        ring_.callAtEndOfTurn([this, reason] {
            peer_.down = reason;
            peer_.listener->linkDown(reason);
        });
    }
    std::shared_ptr<Arena> arena() override { return arena_; }

 private:
    Ring& ring_;
    Peer& peer_;
    std::shared_ptr<Arena> arena_;
};

// A target engine with a real store on a real file.
class Rig : private store::StoreListener {
 public:
    explicit Rig(std::unique_ptr<engine::Dialect> dialect, std::uint32_t maxTransfer = 1 << 20) {
        ring_ = Ring::create(64).value();
        makeFile(path(), kDiskBytes);
        store::StoreOptions options;
        options.path = path();
        options.stateDir = dir_.path().toStdString();
        auto store = store::Store::open(*ring_, options, *this);
        if (!store)
            qFatal("%s", store.error().message().c_str());
        while (!(*store)->settled())
            turn();
        state_ = options.stateDir + "/" + (*store)->geometry().uuid.toString() + ".writeback";
        engine_ = std::make_unique<engine::TargetEngine>(*ring_);
        engine_->addStore(kExport, "disk", std::move(*store));
        engine_->prepareSession(kMemory, 8);
        engine_->sessionOpened(std::make_unique<PeerLink>(*ring_, peer_), std::move(dialect),
                               kEpoch, maxTransfer, false);
    }
    virtual ~Rig() {
        engine_->endSession({"over", {}, 0, {}});
        turnUntil([this] { return peer_.down.has_value() && engine_->drained(); });
        turn();
    }

    void send(const wire::Request& request) {
        Bytes message(wire::NativeLayout::kBytes);
        wire::encode(request, ByteSpan(message).first<wire::NativeLayout::kBytes>());
        peer_.listener->messagesReceived(message);
    }
    std::optional<wire::Response> answer() {
        if (peer_.answers.size() < wire::NativeLayout::kBytes)
            return std::nullopt;
        auto response =
            wire::decodeResponse(ConstByteSpan(peer_.answers).first(wire::NativeLayout::kBytes));
        peer_.answers.clear();
        return response.value();
    }
    // Whether a sync of the store is under way: what a process that starts after a kill reads.
    bool syncing() const {
        std::uint64_t word = 0;
        const Bytes bytes = contentOf(state_, sizeof word, sizeof word);
        std::memcpy(&word, bytes.data(), sizeof word);
        return (word & 1) != 0;
    }
    void turn() {
        if (auto turned = ring_->turn(std::chrono::milliseconds(100)); !turned)
            qFatal("%s", turned.error().message().c_str());
    }
    template <class Condition>
    bool turnUntil(Condition condition) {
        const auto end = Clock::now() + std::chrono::seconds(30);
        while (!condition()) {
            if (Clock::now() >= end)
                return false;
            turn();
        }
        return true;
    }
    // The bytes of writes, in the order of their requests, as far as the engine takes them now.
    void bringPayload(ConstByteSpan& left) {
        while (!peer_.receives.empty() && left.size() >= peer_.receives.front().first.size()) {
            const auto [buffer, cookie] = peer_.receives.front();
            peer_.receives.pop_front();
            copyBytes(left.first(buffer.size()), buffer);
            left = left.subspan(buffer.size());
            peer_.listener->payloadReceived(cookie);
        }
    }
    Peer& peer() { return peer_; }
    const Bytes& answered() const { return peer_.answers; }
    std::string path() const { return (dir_.path() + "/disk").toStdString(); }

 private:
    void storeDone(std::uint64_t, int) override { qFatal("not the engine's"); }

    QTemporaryDir dir_;
    std::unique_ptr<Ring> ring_;
    std::string state_;
    Peer peer_;
    std::unique_ptr<engine::TargetEngine> engine_;
};

// A session with a smoo gadget, and its messages.
class SmooRig final : public Rig {
 public:
    SmooRig()
        : Rig(std::make_unique<engine::SmooDialect>(
                  kEpoch, std::map<ExportId, std::uint32_t>{{kExport, 512}},
                  engine::SmooDialect::Writes::Durable),
              wire::smoo::kMostIoBytes) {}

    void ask(wire::smoo::Op op, std::uint32_t id, std::uint64_t offset, std::uint32_t length) {
        wire::smoo::Request request;
        request.op = op;
        request.requestId = id;
        request.exportId = kExport;
        request.lba = Lba(offset / 512);
        request.numBlocks = length / 512;
        Bytes message(wire::smoo::MessageLayout::kBytes);
        wire::smoo::encode(request, wire::smoo::Message(message));
        peer().listener->messagesReceived(message);
    }
    std::vector<wire::smoo::Response> answers() const {
        std::vector<wire::smoo::Response> list;
        ConstByteSpan left(answered());
        for (; !left.empty(); left = left.subspan(wire::smoo::MessageLayout::kBytes))
            list.push_back(
                wire::smoo::decodeResponse(left.first(wire::smoo::MessageLayout::kBytes)).value());
        return list;
    }
};

wire::Request requestOf(Op op, std::uint16_t flags) {
    wire::Request request;
    request.op = op;
    request.flags = flags;
    request.exportId = kExport;
    request.epoch = kEpoch;
    request.sequence = Sequence(1);
    request.offset = 1 << 20;
    request.length = 64 << 10;
    return request;
}

}  // namespace

class TargetEngineTest : public QObject {
    Q_OBJECT

 private slots:
    void durableIsDurable_data();
    void durableIsDurable();
    void longWriteIsTakenInPieces();
    void longWriteIsRefusedOnce();
    void longReadIsAnsweredInPart();
    void tooLongIsRefusedInWords();
};

void TargetEngineTest::durableIsDurable_data() {
    QTest::addColumn<int>("op");
    QTest::addColumn<int>("flags");
    QTest::addColumn<bool>("durable");
    const auto row = [](const char* name, Op op, std::uint16_t flags, bool durable) {
        QTest::newRow(name) << static_cast<int>(op) << int{flags} << durable;
    };
    row("write zeroes", Op::WriteZeroes, 0, false);
    row("write zeroes, FUA", Op::WriteZeroes, wire::kFlagFua, true);
    row("write zeroes that keep the space, FUA", Op::WriteZeroes,
        wire::kFlagFua | wire::kFlagNoUnmap, true);
    row("discard", Op::Discard, 0, false);
    row("discard, FUA", Op::Discard, wire::kFlagFua, true);
}

// An answer that says DURABLE comes after a sync of the store, and only such a one costs a sync.
void TargetEngineTest::durableIsDurable() {
    QFETCH(const int, op);
    QFETCH(const int, flags);
    QFETCH(const bool, durable);
    Rig rig(std::make_unique<engine::NativeDialect>(false));
    const auto request = requestOf(static_cast<Op>(op), static_cast<std::uint16_t>(flags));
    rig.send(request);
    bool synced = false;
    std::optional<wire::Response> response;
    QVERIFY(rig.turnUntil([&] {
        synced = synced || rig.syncing();
        response = rig.answer();
        return response.has_value();
    }));
    QCOMPARE(response->status, 0);
    QCOMPARE((response->flags & wire::kFlagDurable) != 0, durable);
    QCOMPARE(synced, durable);
    QVERIFY(!rig.syncing());
    QVERIFY(allZero(contentOf(rig.path(), request.length, static_cast<off_t>(request.offset))));
}

// Longer than all transfer memory, and another write's bytes behind it.
void TargetEngineTest::longWriteIsTakenInPieces() {
    constexpr std::uint32_t kLong = 5 * (1 << 20) + 512;
    SmooRig rig;
    rig.ask(wire::smoo::Op::Write, 1, 512, kLong);
    rig.ask(wire::smoo::Op::Write, 2, 7 << 20, 4096);
    const Bytes bytes = randomBytes(kLong + 4096, 7);
    ConstByteSpan left(bytes);
    QVERIFY(rig.turnUntil([&] {
        rig.bringPayload(left);
        return rig.answers().size() == 2;
    }));
    for (const auto& answer : rig.answers()) {
        QCOMPARE(answer.status, 0);
        QCOMPARE(answer.numBlocks, (answer.requestId == 1 ? kLong : 4096) / 512);
    }
    QVERIFY(contentOf(rig.path(), kLong, 512) == Bytes(bytes.begin(), bytes.begin() + kLong));
    QVERIFY(contentOf(rig.path(), 4096, 7 << 20) == Bytes(bytes.begin() + kLong, bytes.end()));
}

void TargetEngineTest::longWriteIsRefusedOnce() {
    constexpr std::uint32_t kLong = 4 << 20;
    SmooRig rig;
    const Bytes before = contentOf(rig.path(), kDiskBytes);
    rig.ask(wire::smoo::Op::Write, 1, kDiskBytes - kLong + 512, kLong);
    rig.ask(wire::smoo::Op::Flush, 2, 0, 0);
    const Bytes bytes = randomBytes(kLong, 7);
    ConstByteSpan left(bytes);
    QVERIFY(rig.turnUntil([&] {
        rig.bringPayload(left);
        return rig.answers().size() == 2;
    }));
    QVERIFY(left.empty());
    for (const auto& answer : rig.answers())
        QCOMPARE(answer.status, answer.requestId == 1 ? EINVAL : 0);
    QVERIFY(contentOf(rig.path(), kDiskBytes) == before);
}

// v0 allows an answer to a part of what was asked for; the kernel then asks for the rest.
void TargetEngineTest::longReadIsAnsweredInPart() {
    SmooRig rig;
    rig.ask(wire::smoo::Op::Read, 1, 512, 4 << 20);
    QVERIFY(rig.turnUntil([&] { return !rig.peer().payloads.empty(); }));
    QCOMPARE(rig.answers().size(), 1U);
    const auto answer = rig.answers().front();
    const auto [payload, cookie] = rig.peer().payloads.front();
    QCOMPARE(answer.status, 0);
    QVERIFY(answer.numBlocks > 0);
    QCOMPARE(payload.size(), std::size_t{answer.numBlocks} * 512);
    QVERIFY(payload == contentOf(rig.path(), payload.size(), 512));
    rig.peer().listener->payloadSent(cookie);
}

void TargetEngineTest::tooLongIsRefusedInWords() {
    SmooRig rig;
    rig.ask(wire::smoo::Op::Write, 1, 0, wire::smoo::kMostIoBytes + 512);
    QVERIFY(rig.turnUntil([&] { return rig.peer().down.has_value(); }));
    const std::string words = rig.peer().down->message();
    QVERIFY2(words.find("32 MiB is the maximum") != words.npos, words.c_str());
    QVERIFY2(words.find("--max-io") != words.npos, words.c_str());
}

QTEST_GUILESS_MAIN(TargetEngineTest)
#include "tst_target_engine.moc"
