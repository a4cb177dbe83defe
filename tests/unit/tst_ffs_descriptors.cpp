#include "core/ffs/descriptors.h"

#include <QTest>

using namespace belay::ffs;

namespace {

QByteArray bytes(const std::vector<std::byte>& from) {
    return {reinterpret_cast<const char*>(from.data()), static_cast<qsizetype>(from.size())};
}

QByteArray hex(const char* text) {
    return QByteArray::fromHex(text);
}

}  // namespace

// What FunctionFS is given, byte by byte as USB 2.0 chapter 9 and USB 3.2 chapter 9 lay it out.
class TestFfsDescriptors : public QObject {
    Q_OBJECT

 private slots:
    void lend();
    void attach();
    void stringTable();
    void packetSizes();
};

void TestFfsDescriptors::lend() {
    const QByteArray expected =
        hex("03000000 9f000000 07000000"  // v2, length 159, full + high + super
            "05000000 05000000 09000000"  // descriptors each
            "09 04 00 00 04 ff 53 4d 01"  // full speed
            "07 05 81 03 4000 01"         // interrupt IN 64
            "07 05 02 03 4000 01"         // interrupt OUT 64
            "07 05 83 02 4000 00"         // bulk IN 64
            "07 05 04 02 4000 00"         // bulk OUT 64
            "09 04 00 00 04 ff 53 4d 01"  // high speed
            "07 05 81 03 0002 01"         // 512
            "07 05 02 03 0002 01"         //
            "07 05 83 02 0002 00"         //
            "07 05 04 02 0002 00"         //
            "09 04 00 00 04 ff 53 4d 01"  // SuperSpeed
            "07 05 81 03 0004 01"         // 1024
            "06 30 00 00 0004"            // 1024 per interval
            "07 05 02 03 0004 01"         //
            "06 30 00 00 0004"            //
            "07 05 83 02 0004 00"         //
            "06 30 0f 00 0000"            // bursts of 16
            "07 05 04 02 0004 00"         //
            "06 30 0f 00 0000");
    QCOMPARE(bytes(descriptors(Kind::Lend)), expected);
    // The same endpoints under a boot loader's triple.
    QByteArray mimicking = expected;
    mimicking.replace(hex("ff 53 4d"), hex("ff 42 03"));
    QCOMPARE(bytes(descriptors(Kind::Lend, LendTriple::Fastboot)), mimicking);
}

void TestFfsDescriptors::attach() {
    const QByteArray expected =
        hex("03000000 9f000000 07000000"
            "05000000 05000000 09000000"
            "09 04 00 00 04 ff 53 4e 01"
            "07 05 81 02 4000 00"  // all bulk, messages first
            "07 05 02 02 4000 00"
            "07 05 83 02 4000 00"
            "07 05 04 02 4000 00"
            "09 04 00 00 04 ff 53 4e 01"
            "07 05 81 02 0002 00"
            "07 05 02 02 0002 00"
            "07 05 83 02 0002 00"
            "07 05 04 02 0002 00"
            "09 04 00 00 04 ff 53 4e 01"
            "07 05 81 02 0004 00"
            "06 30 00 00 0000"
            "07 05 02 02 0004 00"
            "06 30 00 00 0000"
            "07 05 83 02 0004 00"
            "06 30 0f 00 0000"
            "07 05 04 02 0004 00"
            "06 30 0f 00 0000");
    QCOMPARE(bytes(descriptors(Kind::Attach)), expected);
}

void TestFfsDescriptors::stringTable() {
    QCOMPARE(bytes(strings(Kind::Lend)),
             hex("02000000 1d000000 01000000 01000000 0904") + QByteArray("Belay lend", 11));
    QCOMPARE(bytes(strings(Kind::Attach)),
             hex("02000000 1f000000 01000000 01000000 0904") + QByteArray("Belay attach", 13));
}

void TestFfsDescriptors::packetSizes() {
    QCOMPARE(maxPacketBytes(Speed::Full), std::uint16_t{64});
    QCOMPARE(maxPacketBytes(Speed::High), std::uint16_t{512});
    QCOMPARE(maxPacketBytes(Speed::Super), std::uint16_t{1024});
}

QTEST_GUILESS_MAIN(TestFfsDescriptors)
#include "tst_ffs_descriptors.moc"
