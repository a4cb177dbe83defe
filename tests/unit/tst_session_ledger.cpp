#include "core/session/ledger.h"

#include <QTest>

using namespace belay;
using namespace belay::session;

class SessionLedgerTest : public QObject {
    Q_OBJECT

 private slots:
    void capacityIsAPowerOfTwo();
    void numbersGoUpFromTheFirst();
    void fullTakesNoMore();
    void takenSlotsAreSkipped();
    void aSlotIsUsedAgainUnderAnotherNumber();
    void removingAStrangerChangesNothing();
    void foundByLowBits();
    void inOrderOfSequence();
};

void SessionLedgerTest::capacityIsAPowerOfTwo() {
    QCOMPARE(Ledger(0, Sequence(1)).capacity(), 2u);
    QCOMPARE(Ledger(4, Sequence(1)).capacity(), 4u);
    QCOMPARE(Ledger(5, Sequence(1)).capacity(), 8u);
    Ledger ledger(2, Sequence(7));
    const Sequence first = ledger.add({})->sequence;
    const Sequence second = ledger.add({})->sequence;
    QVERIFY(ledger.add({}) == nullptr);
    ledger.grow(5);
    QCOMPARE(ledger.capacity(), 8u);
    ledger.grow(1);
    QCOMPARE(ledger.capacity(), 8u);
    QVERIFY(ledger.find(first) != nullptr && ledger.find(second) != nullptr);
    QVERIFY(ledger.findByLowBits(7) == ledger.find(first));
    QVERIFY(ledger.add({})->sequence > second);
}

void SessionLedgerTest::numbersGoUpFromTheFirst() {
    Ledger ledger(4, Sequence(100));
    Entry request;
    request.tag = Tag(7);
    const Entry* first = ledger.add(request);
    QCOMPARE(first->sequence.value, 100u);
    QCOMPARE(first->tag.value, 7u);
    QCOMPARE(ledger.add({})->sequence.value, 101u);
    QCOMPARE(ledger.size(), 2u);
    QCOMPARE(ledger.find(Sequence(100))->tag.value, 7u);
    QVERIFY(ledger.find(Sequence(102)) == nullptr);
    // The same slot, but not the same number.
    QVERIFY(ledger.find(Sequence(104)) == nullptr);
}

void SessionLedgerTest::fullTakesNoMore() {
    Ledger ledger(2, Sequence(1));
    QVERIFY(ledger.add({}));
    QVERIFY(ledger.add({}));
    QVERIFY(ledger.add({}) == nullptr);
    QCOMPARE(ledger.size(), 2u);
    ledger.remove(Sequence(2));
    QCOMPARE(ledger.add({})->sequence.value, 4u);
}

void SessionLedgerTest::takenSlotsAreSkipped() {
    Ledger ledger(4, Sequence(0));
    ledger.add({});  // 0 stays
    for (const std::uint64_t expected : {1u, 2u, 3u, 5u, 6u, 7u, 9u}) {
        const Sequence next = ledger.add({})->sequence;
        QCOMPARE(next.value, expected);
        ledger.remove(next);
    }
    QCOMPARE(ledger.add({})->sequence.value, 10u);
    QVERIFY(ledger.find(Sequence(0)));
}

void SessionLedgerTest::aSlotIsUsedAgainUnderAnotherNumber() {
    Ledger ledger(2, Sequence(10));
    ledger.remove(ledger.add({})->sequence);
    ledger.add({});
    QCOMPARE(ledger.add({})->sequence.value, 12u);
    QVERIFY(ledger.find(Sequence(10)) == nullptr);
    QVERIFY(ledger.find(Sequence(12)));
}

void SessionLedgerTest::removingAStrangerChangesNothing() {
    Ledger ledger(2, Sequence(10));
    ledger.add({});
    ledger.remove(Sequence(12));
    ledger.remove(Sequence(11));
    QCOMPARE(ledger.size(), 1u);
    QVERIFY(ledger.find(Sequence(10)));
}

void SessionLedgerTest::foundByLowBits() {
    Ledger ledger(4, Sequence(0x7'ffff'fffe));
    ledger.add({});
    ledger.add({});
    ledger.add({});
    QCOMPARE(ledger.findByLowBits(0xffff'fffe)->sequence.value, 0x7'ffff'fffeu);
    QCOMPARE(ledger.findByLowBits(0)->sequence.value, 0x8'0000'0000u);
    // Their slots are taken, by others.
    QVERIFY(ledger.findByLowBits(4) == nullptr);
    QVERIFY(ledger.findByLowBits(0xffff'fffa) == nullptr);
}

void SessionLedgerTest::inOrderOfSequence() {
    Ledger ledger(4, Sequence(2));
    for (int i = 0; i < 4; ++i)
        ledger.add({});
    const auto entries = ledger.inOrder();
    QCOMPARE(entries.size(), 4u);
    for (std::size_t i = 0; i < entries.size(); ++i)
        QCOMPARE(entries[i]->sequence.value, 2 + i);
}

QTEST_GUILESS_MAIN(SessionLedgerTest)
#include "tst_session_ledger.moc"
