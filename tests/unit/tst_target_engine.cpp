#include "core/engine/native_dialect.h"
#include "core/engine/target_engine.h"
#include "core/wire/native.h"
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

// The other end of the cable: what the engine sent, and what it is to receive.
struct Peer {
    wire::LinkListener* listener = nullptr;
    Bytes answers;
    bool down = false;
};

class PeerLink final : public wire::Link {
 public:
    PeerLink(Ring& ring, Peer& peer) : ring_(ring), peer_(peer) {
        arena_ = Arena::heap(2 * Arena::kChunkBytes).value();
    }

    std::size_t messagePacketBytes() const override { return 512; }
    void start(const wire::MessageFraming&, wire::LinkListener& listener) override {
        peer_.listener = &listener;
    }
    void sendMessages(ConstByteSpan messages) override {
        peer_.answers.insert(peer_.answers.end(), messages.begin(), messages.end());
    }
    void sendPayload(ConstByteSpan, std::uint64_t) override {}
    void receivePayload(ByteSpan, std::uint64_t) override {}
    void submit() override {}
    void shutDown(Error reason) override {
        ring_.callAtEndOfTurn([this, reason] {
            peer_.down = true;
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
class Rig final : private store::StoreListener {
 public:
    Rig() {
        ring_ = Ring::create(64).value();
        makeFile(path(), kDiskBytes);
        store::StoreOptions options;
        options.path = path();
        options.stateDir = dir_.path().toStdString();
        auto store = store::Store::open(*ring_, options, *this);
        if (!store)
            qFatal("%s", store.error().message().c_str());
        state_ = options.stateDir + "/" + (*store)->geometry().uuid.toString() + ".writeback";
        engine_ = std::make_unique<engine::TargetEngine>(*ring_);
        engine_->addStore(kExport, "disk", std::move(*store));
        engine_->sessionOpened(std::make_unique<PeerLink>(*ring_, peer_),
                               std::make_unique<engine::NativeDialect>(false), kEpoch, 1 << 20, 8);
    }
    ~Rig() {
        engine_->endSession({"over", {}, 0, {}});
        turnUntil([this] { return peer_.down && engine_->drained(); });
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
    std::string path() const { return (dir_.path() + "/disk").toStdString(); }

 private:
    void storeDone(std::uint64_t, int) override { qFatal("not the engine's"); }

    QTemporaryDir dir_;
    std::unique_ptr<Ring> ring_;
    std::string state_;
    Peer peer_;
    std::unique_ptr<engine::TargetEngine> engine_;
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
    Rig rig;
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

QTEST_GUILESS_MAIN(TargetEngineTest)
#include "tst_target_engine.moc"
