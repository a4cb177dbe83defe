#include "core/wire/link.h"

#include <QTest>

using belay::wire::MessageFraming;

class FramingTest : public QObject {
    Q_OBJECT
 private slots:
    void smooIsOneMessagePerTransfer();
    void nativeSizes();
    void batches_data();
    void batches();
    void everyBatchEndsItsReceive();
};

void FramingTest::smooIsOneMessagePerTransfer() {
    const auto framing = MessageFraming::smoo();
    QCOMPARE(framing.messageBytes, 28u);
    QCOMPARE(framing.transferBytes, 28u);
    for (std::size_t packet : {8u, 64u, 512u, 1024u}) {
        QCOMPARE(framing.batch(0, packet), 0u);
        QCOMPARE(framing.batch(1, packet), 1u);
        QCOMPARE(framing.batch(100, packet), 1u);
    }
}

void FramingTest::nativeSizes() {
    for (std::size_t packet : {0u, 8u, 16u, 32u, 64u}) {
        QCOMPARE(MessageFraming::native(packet).messageBytes, 64u);
        QCOMPARE(MessageFraming::native(packet).transferBytes, 64u);
    }
    for (std::size_t packet : {65u, 512u, 1024u}) {
        QCOMPARE(MessageFraming::native(packet).messageBytes, 64u);
        QCOMPARE(MessageFraming::native(packet).transferBytes, 4096u);
    }
}

void FramingTest::batches_data() {
    QTest::addColumn<std::size_t>("packet");
    QTest::addColumn<std::size_t>("waiting");
    QTest::addColumn<std::size_t>("batch");
    const auto row = [](std::size_t packet, std::size_t waiting, std::size_t batch) {
        QTest::addRow("%zu waiting, packets of %zu", waiting, packet) << packet << waiting << batch;
    };
    row(64, 0, 0);
    row(64, 1, 1);
    row(64, 9, 1);
    row(512, 0, 0);
    row(512, 1, 1);
    row(512, 7, 7);
    row(512, 8, 7);  // 8 x 64 would fill a packet
    row(512, 9, 9);
    row(512, 16, 15);
    row(512, 56, 55);
    row(512, 63, 63);
    row(512, 64, 64);  // fills the whole receive, which ends it
    row(512, 65, 64);
    row(512, 1000, 64);
    row(1024, 8, 8);
    row(1024, 16, 15);
    row(1024, 17, 17);
    row(1024, 48, 47);
    row(1024, 64, 64);
}

void FramingTest::batches() {
    QFETCH(std::size_t, packet);
    QFETCH(std::size_t, waiting);
    QFETCH(std::size_t, batch);
    QCOMPARE(MessageFraming::native(packet).batch(waiting, packet), batch);
}

void FramingTest::everyBatchEndsItsReceive() {
    for (std::size_t packet : {8u, 16u, 32u, 64u, 512u, 1024u}) {
        const auto framing = MessageFraming::native(packet);
        for (std::size_t waiting = 1; waiting < 300; ++waiting) {
            const std::size_t count = framing.batch(waiting, packet);
            QVERIFY(count >= 1 && count <= waiting);
            const std::size_t length = count * framing.messageBytes;
            QVERIFY(length <= framing.transferBytes);
            QVERIFY(length == framing.transferBytes || length % packet != 0);
        }
    }
}

QTEST_GUILESS_MAIN(FramingTest)
#include "tst_framing.moc"
