#include "core/ffs/pipe.h"

#include <QTest>
#include <array>

using namespace belay;
using namespace belay::ffs;

// How payloads are cut into requests, and how their order is kept.
class TestFfsQueue : public QObject {
    Q_OBJECT

 private slots:
    void fifoGrowsInOrder();
    void cutsAtTheLimit();
    void takesAPieceBack();
    void emptyPayloadsWaitTheirTurn();
    void completesInOrder();
    void pipeReusesItsSlots();
};

void TestFfsQueue::fifoGrowsInOrder() {
    Fifo<int> fifo;
    int next = 0;
    int expected = 0;
    for (int round = 0; round < 50; ++round) {
        for (int i = 0; i < 5; ++i)
            fifo.push(next++);
        for (int i = 0; i < 3; ++i) {
            QCOMPARE(fifo.front(), expected++);
            fifo.pop();
        }
    }
    QCOMPARE(fifo.size(), std::size_t{100});
    for (std::size_t i = 0; i < fifo.size(); ++i)
        QCOMPARE(fifo.at(i), expected + static_cast<int>(i));
    fifo.clear();
    QVERIFY(fifo.empty());
}

void TestFfsQueue::cutsAtTheLimit() {
    std::array<std::byte, 2500> memory{};
    PayloadQueue queue;
    QVERIFY(queue.cut(1024).empty());
    queue.push(memory.data(), 2500, 1);
    queue.push(memory.data(), 1024, 2);
    QCOMPARE(queue.cut(1024).size(), std::size_t{1024});
    const ByteSpan second = queue.cut(1024);
    QCOMPARE(second.data(), memory.data() + 1024);
    QCOMPARE(second.size(), std::size_t{1024});
    // A piece never spans two payloads: the receiver's do not either.
    QCOMPARE(queue.cut(1024).size(), std::size_t{452});
    const ByteSpan next = queue.cut(1024);
    QCOMPARE(next.data(), memory.data());
    QCOMPARE(next.size(), std::size_t{1024});
    QVERIFY(queue.cut(1024).empty());
}

// A piece that could not be sent is cut again, and may be cut smaller.
void TestFfsQueue::takesAPieceBack() {
    std::array<std::byte, 2048> memory{};
    PayloadQueue queue;
    queue.push(memory.data(), 2048, 1);
    queue.push(memory.data(), 0, 2);
    queue.push(memory.data(), 512, 3);
    queue.cut(1024);
    const ByteSpan last = queue.cut(1024);
    queue.uncut(last);
    QVERIFY(queue.hasUncut());
    const ByteSpan half = queue.cut(512);
    QCOMPARE(half.data(), memory.data() + 1024);
    QCOMPARE(half.size(), std::size_t{512});
    queue.uncut(half);
    QCOMPARE(queue.cut(4096).size(), std::size_t{1024});
    const ByteSpan third = queue.cut(4096);
    QCOMPARE(third.size(), std::size_t{512});
    queue.uncut(third);
    QCOMPARE(queue.cut(4096).data(), memory.data());
    QVERIFY(!queue.hasUncut());
}

void TestFfsQueue::emptyPayloadsWaitTheirTurn() {
    std::array<std::byte, 100> memory{};
    PayloadQueue queue;
    queue.push(memory.data(), 100, 1);
    queue.push(memory.data(), 0, 2);
    QCOMPARE(queue.cut(1024).size(), std::size_t{100});
    QVERIFY(queue.cut(1024).empty());
    QVERIFY(!queue.hasComplete());
    queue.advance(100);
    QVERIFY(queue.hasComplete());
    QCOMPARE(queue.popComplete(), std::uint64_t{1});
    QVERIFY(queue.hasComplete());
    QCOMPARE(queue.popComplete(), std::uint64_t{2});
    QVERIFY(!queue.hasComplete());
}

void TestFfsQueue::completesInOrder() {
    std::array<std::byte, 300> memory{};
    PayloadQueue queue;
    for (std::uint64_t cookie = 0; cookie < 40; ++cookie)
        queue.push(memory.data(), 300, cookie);
    for (std::uint64_t cookie = 0; cookie < 40; ++cookie) {
        for (int i = 0; i < 3; ++i) {
            QVERIFY(!queue.hasComplete());
            QCOMPARE(queue.cut(100).size(), std::size_t{100});
            queue.advance(100);
        }
        QVERIFY(queue.hasComplete());
        QCOMPARE(queue.popComplete(), cookie);
    }
}

void TestFfsQueue::pipeReusesItsSlots() {
    Pipe pipe(-1, 4);
    QVERIFY(pipe.empty());
    Request* first = &pipe.push(10);
    for (std::size_t i = 1; i < 4; ++i)
        pipe.push(10 + i);
    QVERIFY(pipe.full());
    QCOMPARE(pipe.bytes(), std::size_t{46});
    first->done = true;
    int pending = 0;
    pipe.forEachPending([&](Request&) { ++pending; });
    QCOMPARE(pending, 3);
    pipe.pop();
    QCOMPARE(pipe.bytes(), std::size_t{36});
    QCOMPARE(&pipe.push(1), first);
    QVERIFY(!first->done);
    QCOMPARE(pipe.front().length, std::size_t{11});
}

QTEST_GUILESS_MAIN(TestFfsQueue)
#include "tst_ffs_queue.moc"
