#include "core/ublk/device.h"
#include "core/ublk/holders.h"
#include "core/ublk/queue.h"
#include "core/ublk/uapi.h"

#include <QTest>

using namespace belay;
using namespace belay::ublk;

// The numbers and layouts that the kernel fixes, and what we make of them.
class TestUblkUapi : public QObject {
    Q_OBJECT

 private slots:
    void encodesCommandsAsIoctls();
    void findsBytesOfRequests();
    void decodesRequests_data();
    void decodesRequests();
    void refusesUnknownRequests();
    void writesParameters();
    void writesParametersWithoutDiscard();
    void refusesImpossibleDevices_data();
    void refusesImpossibleDevices();
    void readsMountLines_data();
    void readsMountLines();
};

void TestUblkUapi::encodesCommandsAsIoctls() {
#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv)
    QCOMPARE(uapi::kGetDevInfo, 0x80207502U);
    QCOMPARE(uapi::kAddDev, 0xC0207504U);
    QCOMPARE(uapi::kDelDev, 0xC0207505U);
    QCOMPARE(uapi::kStartDev, 0xC0207506U);
    QCOMPARE(uapi::kStopDev, 0xC0207507U);
    QCOMPARE(uapi::kTryStopDev, 0xC0207517U);
    QCOMPARE(uapi::kSetParams, 0xC0207508U);
    QCOMPARE(uapi::kStartUserRecovery, 0xC0207510U);
    QCOMPARE(uapi::kEndUserRecovery, 0xC0207511U);
    QCOMPARE(uapi::kGetFeatures, 0x80207513U);
    QCOMPARE(uapi::kDelDevAsync, 0x80207514U);
    QCOMPARE(uapi::kFetchReq, 0xC0107520U);
    QCOMPARE(uapi::kCommitAndFetchReq, 0xC0107521U);
#else
    QSKIP("ioctl numbers are encoded otherwise here");
#endif
}

void TestUblkUapi::findsBytesOfRequests() {
    QCOMPARE(uapi::userCopyOffset(0, 0, 0), std::uint64_t{0x80000000});
    QCOMPARE(uapi::userCopyOffset(0, 1, 0), std::uint64_t{0x82000000});
    QCOMPARE(uapi::userCopyOffset(0, 4095, 0x1ffffff), std::uint64_t{0x207fffffff});
    QCOMPARE(uapi::userCopyOffset(1, 0, 512), std::uint64_t{0x20080000200});
}

void TestUblkUapi::decodesRequests_data() {
    QTest::addColumn<quint32>("opFlags");
    QTest::addColumn<quint32>("sectors");
    QTest::addColumn<int>("op");
    QTest::addColumn<bool>("fua");
    QTest::addColumn<bool>("noUnmap");
    QTest::addColumn<quint64>("length");
    const auto row = [](const char* name, quint32 flags, quint32 sectors, Request::Op op, bool fua,
                        bool noUnmap, quint64 length) {
        QTest::newRow(name) << flags << sectors << static_cast<int>(op) << fua << noUnmap << length;
    };
    row("read", 0, 8, Request::Op::Read, false, false, 4096);
    // Bits 8 to 10 tell of fail-fast, which is the upper layer's affair.
    row("read, fail fast", 0x700, 1, Request::Op::Read, false, false, 512);
    row("write", 1, 8, Request::Op::Write, false, false, 4096);
    row("write, FUA", 1 | 1 << 13, 8, Request::Op::Write, true, false, 4096);
    row("flush", 2, 0, Request::Op::Flush, false, false, 0);
    row("discard beyond 4 GiB", 3, 0xffffffff, Request::Op::Discard, false, false,
        0xffffffffULL * 512);
    row("write zeroes", 5, 16, Request::Op::WriteZeroes, false, false, 8192);
    row("write zeroes, no unmap", 5 | 1 << 15, 16, Request::Op::WriteZeroes, false, true, 8192);
}

void TestUblkUapi::decodesRequests() {
    QFETCH(const quint32, opFlags);
    QFETCH(const quint32, sectors);
    QFETCH(const int, op);
    QFETCH(const bool, fua);
    QFETCH(const bool, noUnmap);
    QFETCH(const quint64, length);
    const std::uint64_t start = op == static_cast<int>(Request::Op::Flush) ? 0 : 0x123456789;
    const auto request = Request::decode({opFlags, sectors, start, 0});
    QVERIFY(request);
    QCOMPARE(static_cast<int>(request->op), op);
    QCOMPARE(request->fua, fua);
    QCOMPARE(request->noUnmap, noUnmap);
    QCOMPARE(request->length, std::uint64_t{length});
    QCOMPARE(request->offset, start * 512);
}

void TestUblkUapi::refusesUnknownRequests() {
    for (const std::uint32_t op : {4U, 6U, 10U, 11U, 15U, 18U, 255U})
        QVERIFY(!Request::decode({op, 8, 0, 0}));
}

void TestUblkUapi::writesParameters() {
    const DeviceSpec spec{.depth = 128,
                          .maxIoBytes = 1 << 20,
                          .logicalBlockBytes = 512,
                          .physicalBlockBytes = 4096,
                          .sizeBytes = 3ULL << 40,
                          .readOnly = true,
                          .maxDiscardBytes = 1 << 30,
                          .maxWriteZeroesBytes = 1 << 20};
    QVERIFY(spec.check());
    const uapi::Params params = spec.parameters();
    QCOMPARE(params.length, 60U);
    QCOMPARE(params.types, 3U);
    QCOMPARE(params.basic.attributes, 1U | 4U | 8U);
    QCOMPARE(int{params.basic.logicalBlockShift}, 9);
    QCOMPARE(int{params.basic.physicalBlockShift}, 12);
    QCOMPARE(params.basic.maxSectors, 2048U);
    QCOMPARE(params.basic.deviceSectors, std::uint64_t{3ULL << 31});
    QCOMPARE(params.discard.granularity, 4096U);
    QCOMPARE(params.discard.maxDiscardSectors, 2U << 20);
    QCOMPARE(params.discard.maxWriteZeroesSectors, 2048U);
    QCOMPARE(int{params.discard.maxDiscardSegments}, 1);
}

void TestUblkUapi::writesParametersWithoutDiscard() {
    const DeviceSpec spec{.sizeBytes = 1 << 20, .volatileCache = false};
    const uapi::Params params = spec.parameters();
    QCOMPARE(params.types, 1U);
    QCOMPARE(params.basic.attributes, 0U);
    QCOMPARE(params.discard.granularity, 0U);
}

void TestUblkUapi::refusesImpossibleDevices_data() {
    QTest::addColumn<quint32>("depth");
    QTest::addColumn<quint32>("maxIo");
    QTest::addColumn<quint32>("logical");
    QTest::addColumn<quint32>("physical");
    QTest::addColumn<quint64>("size");
    QTest::addColumn<quint32>("discard");
    QTest::newRow("no depth") << 0U << 65536U << 512U << 512U << quint64{4096} << 0U;
    QTest::newRow("too deep") << 4097U << 65536U << 512U << 512U << quint64{4096} << 0U;
    QTest::newRow("short requests") << 8U << 2048U << 512U << 512U << quint64{4096} << 0U;
    QTest::newRow("long requests") << 8U << (64U << 20) << 512U << 512U << quint64{4096} << 0U;
    QTest::newRow("odd block") << 8U << 65536U << 1000U << 4096U << quint64{8000} << 0U;
    QTest::newRow("large block") << 8U << 65536U << (1U << 20) << (1U << 20) << quint64{1 << 20}
                                 << 0U;
    QTest::newRow("physical below logical") << 8U << 65536U << 4096U << 512U << quint64{4096} << 0U;
    QTest::newRow("no size") << 8U << 65536U << 512U << 512U << quint64{0} << 0U;
    QTest::newRow("odd size") << 8U << 65536U << 4096U << 4096U << quint64{4608} << 0U;
    QTest::newRow("odd discard") << 8U << 65536U << 4096U << 4096U << quint64{4096} << 512U;
}

void TestUblkUapi::refusesImpossibleDevices() {
    QFETCH(const quint32, depth);
    QFETCH(const quint32, maxIo);
    QFETCH(const quint32, logical);
    QFETCH(const quint32, physical);
    QFETCH(const quint64, size);
    QFETCH(const quint32, discard);
    const DeviceSpec spec{.depth = static_cast<std::uint16_t>(depth),
                          .maxIoBytes = maxIo,
                          .logicalBlockBytes = logical,
                          .physicalBlockBytes = physical,
                          .sizeBytes = size,
                          .maxDiscardBytes = discard};
    const auto checked = spec.check();
    QVERIFY(!checked);
    QVERIFY(!checked.error().hint.empty());
}

void TestUblkUapi::readsMountLines_data() {
    QTest::addColumn<QString>("line");
    QTest::addColumn<QString>("device");
    QTest::addColumn<QString>("source");
    QTest::addColumn<QString>("point");
    QTest::newRow("plain") << "36 35 98:0 / /mnt rw,noatime - ext4 /dev/ublkb0 rw"
                           << "98:0"
                           << "/dev/ublkb0"
                           << "/mnt";
    QTest::newRow("optional fields, escapes")
        << "36 35 259:3 /a /mnt/my\\040disk\\134x rw shared:1 master:2 - xfs /dev/my\\040disk rw"
        << "259:3"
        << "/dev/my disk"
        << "/mnt/my disk\\x";
    QTest::newRow("escape at the end") << "36 35 98:0 / /mnt\\04 rw - ext4 /dev/a\\040 rw"
                                       << "98:0"
                                       << "/dev/a "
                                       << "/mnt\\04";
    QTest::newRow("no separator") << "36 35 98:0 / /mnt rw,noatime ext4 /dev/x rw"
                                  << ""
                                  << ""
                                  << "";
    QTest::newRow("empty") << ""
                           << ""
                           << ""
                           << "";
}

void TestUblkUapi::readsMountLines() {
    QFETCH(const QString, line);
    QFETCH(const QString, device);
    QFETCH(const QString, source);
    QFETCH(const QString, point);
    const MountLine parsed = MountLine::parse(line.toStdString());
    QCOMPARE(QString::fromStdString(parsed.device), device);
    QCOMPARE(QString::fromStdString(parsed.source), source);
    QCOMPARE(QString::fromStdString(parsed.point), point);
}

QTEST_GUILESS_MAIN(TestUblkUapi)
#include "tst_ublk_uapi.moc"
