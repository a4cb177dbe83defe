#include "core/usb/interface.h"
#include "core/usb/sysfs.h"

#include <QTest>
#include <algorithm>
#include <initializer_list>
#include <random>
#include <vector>

using namespace belay;
using namespace belay::usb;

namespace {

using Bytes = std::vector<std::byte>;

Bytes bytesOf(std::initializer_list<int> values) {
    Bytes bytes;
    for (const int value : values)
        bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

// 1d6b:0104, one configuration.
Bytes device() {
    return bytesOf(
        {18, 1, 0x00, 0x02, 0, 0, 0, 64, 0x6b, 0x1d, 0x04, 0x01, 0x07, 0x05, 1, 2, 3, 1});
}

Bytes configuration(int value, const Bytes& content) {
    const auto total = static_cast<int>(9 + content.size());
    return joined({bytesOf({9, 2, total & 0xff, total >> 8, 2, value, 0, 0x80, 250}), content});
}

Bytes interface(int number, int alternate, std::initializer_list<int> triple) {
    Bytes bytes = bytesOf({9, 4, number, alternate, 4});
    const Bytes kind = bytesOf(triple);
    bytes.insert(bytes.end(), kind.begin(), kind.end());
    bytes.push_back(std::byte{0});
    return bytes;
}

Bytes endpoint(int address, int attributes, int packet) {
    return bytesOf({7, 5, address, attributes, packet & 0xff, packet >> 8, 1});
}

Bytes companion() {
    return bytesOf({6, 0x30, 15, 0, 0, 0});
}

constexpr std::initializer_list<int> kLend = {0xff, 0x53, 0x4d};
constexpr std::initializer_list<int> kAttach = {0xff, 0x53, 0x4e};
constexpr std::initializer_list<int> kFastboot = {0xff, 0x42, 0x03};
constexpr int kBulk = 2;
constexpr int kInterrupt = 3;

// Both interfaces as dummy_hcd gives out addresses, at SuperSpeed.
Bytes both() {
    return joined(
        {device(),
         configuration(
             1, joined({interface(0, 0, kLend), endpoint(0x85, kInterrupt, 1024), companion(),
                        endpoint(0x07, kInterrupt, 1024), companion(), endpoint(0x81, kBulk, 1024),
                        companion(), endpoint(0x02, kBulk, 1024), companion(),
                        interface(1, 0, kAttach), endpoint(0x86, kBulk, 1024), companion(),
                        endpoint(0x0c, kBulk, 1024), companion(), endpoint(0x8b, kBulk, 1024),
                        companion(), endpoint(0x0d, kBulk, 1024), companion()}))});
}

Bytes lendOnly(std::initializer_list<int> triple = kLend) {
    return joined(
        {device(),
         configuration(1, joined({interface(3, 0, triple), endpoint(0x02, kBulk, 512),
                                  endpoint(0x83, kInterrupt, 1024), endpoint(0x81, kBulk, 512),
                                  endpoint(0x04, kInterrupt, 1024)}))});
}

Endpoint bulk(int address, int packet) {
    return {.address = static_cast<std::uint8_t>(address),
            .interrupt = false,
            .maxPacketBytes = static_cast<std::uint16_t>(packet)};
}

Endpoint interrupt(int address, int packet) {
    Endpoint endpoint = bulk(address, packet);
    endpoint.interrupt = true;
    return endpoint;
}

}  // namespace

class TestUsbInterface : public QObject {
    Q_OBJECT
 private slots:
    void findsBothRoles();
    void findsByKindWhateverTheOrder();
    void findsFastboot();
    void masksHighBandwidthBits();
    void leavesOutWhatCannotCarryALink_data();
    void leavesOutWhatCannotCarryALink();
    void takesTheFirstOfARole();
    void keepsConfigurationsApart();
    void refusesDamage_data();
    void refusesDamage();
    void everyCutIsAnErrorOrLess();
    void survivesNoise();
    void makesStringsPrintable_data();
    void makesStringsPrintable();
    void readsNoGadgetWhereThereIsNone();
};

void TestUsbInterface::findsBothRoles() {
    const auto found = parseInterfaces(both());
    QVERIFY(found.has_value());
    QCOMPARE(found->vendorId, 0x1d6b);
    QCOMPARE(found->productId, 0x0104);
    QCOMPARE(found->interfaces.size(), 2U);
    const Interface lend{.role = Role::Lend,
                         .configuration = 1,
                         .number = 0,
                         .messageIn = interrupt(0x85, 1024),
                         .messageOut = interrupt(0x07, 1024),
                         .payloadIn = bulk(0x81, 1024),
                         .payloadOut = bulk(0x02, 1024)};
    const Interface attach{.role = Role::Attach,
                           .configuration = 1,
                           .number = 1,
                           .messageIn = bulk(0x86, 1024),
                           .messageOut = bulk(0x0c, 1024),
                           .payloadIn = bulk(0x8b, 1024),
                           .payloadOut = bulk(0x0d, 1024)};
    QVERIFY(found->interfaces[0] == lend);
    QVERIFY(found->interfaces[1] == attach);
}

void TestUsbInterface::findsByKindWhateverTheOrder() {
    const auto found = parseInterfaces(lendOnly());
    QVERIFY(found.has_value());
    QCOMPARE(found->interfaces.size(), 1U);
    const Interface& lend = found->interfaces[0];
    QCOMPARE(lend.number, 3);
    QVERIFY(lend.messageIn == interrupt(0x83, 1024));
    QVERIFY(lend.messageOut == interrupt(0x04, 1024));
    QVERIFY(lend.payloadIn == bulk(0x81, 512));
    QVERIFY(lend.payloadOut == bulk(0x02, 512));
}

void TestUsbInterface::findsFastboot() {
    const auto found = parseInterfaces(lendOnly(kFastboot));
    QVERIFY(found.has_value());
    QCOMPARE(found->interfaces.size(), 1U);
    QVERIFY(found->interfaces[0].role == Role::Fastboot);
}

void TestUsbInterface::masksHighBandwidthBits() {
    const auto found = parseInterfaces(
        joined({device(),
                configuration(
                    1, joined({interface(0, 0, kLend), endpoint(0x83, kInterrupt, 1024 | 2 << 11),
                               endpoint(0x04, kInterrupt, 512), endpoint(0x81, kBulk, 512),
                               endpoint(0x02, kBulk, 512)}))}));
    QVERIFY(found.has_value());
    QCOMPARE(found->interfaces.size(), 1U);
    QCOMPARE(found->interfaces[0].messageIn.maxPacketBytes, 1024);
}

void TestUsbInterface::leavesOutWhatCannotCarryALink_data() {
    QTest::addColumn<QByteArray>("content");
    const auto row = [](const char* name, std::initializer_list<Bytes> parts) {
        const Bytes content = joined(parts);
        QTest::newRow(name) << QByteArray(reinterpret_cast<const char*>(content.data()),
                                          static_cast<qsizetype>(content.size()));
    };
    const Bytes intIn = endpoint(0x83, kInterrupt, 64);
    const Bytes intOut = endpoint(0x04, kInterrupt, 64);
    const Bytes bulkIn = endpoint(0x81, kBulk, 512);
    const Bytes bulkOut = endpoint(0x02, kBulk, 512);
    const Bytes lend = interface(0, 0, kLend);
    row("no endpoints", {lend});
    row("one missing", {lend, intIn, intOut, bulkIn});
    row("only bulk", {lend, bulkIn, bulkOut, endpoint(0x85, kBulk, 512), endpoint(6, kBulk, 512)});
    row("attach with interrupts", {interface(0, 0, kAttach), intIn, intOut, bulkIn, bulkOut});
    row("an address twice",
        {interface(0, 0, kAttach), bulkIn, bulkOut, bulkIn, endpoint(0x06, kBulk, 512)});
    row("endpoint zero", {lend, intIn, intOut, endpoint(0x80, kBulk, 512), bulkOut});
    row("packets of no bytes", {lend, endpoint(0x83, kInterrupt, 0), intOut, bulkIn, bulkOut});
    row("packets too long", {lend, intIn, intOut, endpoint(0x81, kBulk, 1025), bulkOut});
    row("isochronous", {lend, intIn, intOut, endpoint(0x81, 1, 512), bulkOut});
    row("another alternate setting", {interface(0, 1, kLend), intIn, intOut, bulkIn, bulkOut});
    row("another triple", {interface(0, 0, {0xff, 0x53, 0x4f}), intIn, intOut, bulkIn, bulkOut});
    row("endpoints split over settings",
        {lend, intIn, intOut, interface(0, 1, kLend), bulkIn, bulkOut});
    row("endpoints before the interface", {intIn, intOut, bulkIn, bulkOut, lend});
}

void TestUsbInterface::leavesOutWhatCannotCarryALink() {
    QFETCH(QByteArray, content);
    const auto* first = reinterpret_cast<const std::byte*>(content.constData());
    const auto found =
        parseInterfaces(joined({device(), configuration(1, Bytes(first, first + content.size()))}));
    QVERIFY(found.has_value());
    QVERIFY(found->interfaces.empty());
}

void TestUsbInterface::takesTheFirstOfARole() {
    const Bytes endpoints = joined({endpoint(0x83, kInterrupt, 64), endpoint(0x04, kInterrupt, 64),
                                    endpoint(0x81, kBulk, 512), endpoint(0x02, kBulk, 512),
                                    endpoint(0x87, kBulk, 512)});
    const auto found = parseInterfaces(joined(
        {device(), configuration(1, joined({interface(0, 0, kLend), interface(1, 0, kLend),
                                            endpoints, interface(2, 0, kLend), endpoints}))}));
    QVERIFY(found.has_value());
    QCOMPARE(found->interfaces.size(), 1U);
    QCOMPARE(found->interfaces[0].number, 1);
    QCOMPARE(found->interfaces[0].payloadIn.address, 0x81);
}

void TestUsbInterface::keepsConfigurationsApart() {
    const Bytes content = joined({interface(0, 0, kLend), endpoint(0x83, kInterrupt, 64),
                                  endpoint(0x04, kInterrupt, 64), endpoint(0x81, kBulk, 512),
                                  endpoint(0x02, kBulk, 512)});
    const auto found =
        parseInterfaces(joined({device(), configuration(1, content), configuration(5, content)}));
    QVERIFY(found.has_value());
    QCOMPARE(found->interfaces.size(), 2U);
    QCOMPARE(found->interfaces[0].configuration, 1);
    QCOMPARE(found->interfaces[1].configuration, 5);
}

void TestUsbInterface::refusesDamage_data() {
    QTest::addColumn<int>("offset");
    QTest::addColumn<int>("value");
    // In both(): the device descriptor at 0, the configuration at 18, the interface at 27, its
    // first endpoint at 36.
    QTest::newRow("device length") << 0 << 17;
    QTest::newRow("device type") << 1 << 2;
    QTest::newRow("configuration length") << 18 << 8;
    QTest::newRow("configuration type") << 19 << 4;
    QTest::newRow("total too long") << 21 << 0x7f;
    QTest::newRow("total too short") << 20 << 10;
    QTest::newRow("interface length 0") << 27 << 0;
    QTest::newRow("interface length 1") << 27 << 1;
    QTest::newRow("interface length 8") << 27 << 8;
    QTest::newRow("interface length 255") << 27 << 255;
    QTest::newRow("endpoint length 6") << 36 << 6;
    QTest::newRow("device inside") << 37 << 1;
    QTest::newRow("configuration inside") << 37 << 2;
}

void TestUsbInterface::refusesDamage() {
    QFETCH(int, offset);
    QFETCH(int, value);
    Bytes bytes = both();
    bytes[static_cast<std::size_t>(offset)] = static_cast<std::byte>(value);
    const auto found = parseInterfaces(bytes);
    QVERIFY(!found.has_value());
    QVERIFY(!found.error().hint.empty());
}

void TestUsbInterface::everyCutIsAnErrorOrLess() {
    const Bytes whole = both();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto found = parseInterfaces(ConstByteSpan(whole).first(length));
        // Only the cut that leaves the device descriptor alone is whole in itself.
        QCOMPARE(found.has_value(), length == 18);
        QVERIFY(!found || found->interfaces.empty());
    }
    QVERIFY(!parseInterfaces(Bytes(kMaxDescriptorBytes + 1)).has_value());
}

void TestUsbInterface::survivesNoise() {
    std::mt19937 random(20261121);
    int accepted = 0;
    for (int round = 0; round < 50'000; ++round) {
        Bytes bytes = both();
        for (unsigned i = 0; i <= random() % 6; ++i)
            bytes[random() % bytes.size()] = static_cast<std::byte>(random());
        if (const auto found = parseInterfaces(bytes)) {
            ++accepted;
            for (const Interface& interface : found->interfaces) {
                QVERIFY(interface.messageIn.address & 0x80);
                QVERIFY(interface.payloadIn.address & 0x80);
                QVERIFY(interface.messageIn.address != interface.payloadIn.address);
                QVERIFY(interface.messageOut.address != interface.payloadOut.address);
                QVERIFY(!interface.payloadOut.interrupt);
            }
        }
    }
    QVERIFY(accepted > 0);
}

void TestUsbInterface::makesStringsPrintable_data() {
    QTest::addColumn<QByteArray>("raw");
    QTest::addColumn<QByteArray>("shown");
    QTest::newRow("plain") << QByteArray("Belay\n") << QByteArray("Belay");
    QTest::newRow("empty") << QByteArray("\n") << QByteArray();
    QTest::newRow("spaces") << QByteArray("  a b  \n") << QByteArray("a b");
    QTest::newRow("escapes") << QByteArray("a\x1b[31mb\x7f") << QByteArray("a[31mb");
    QTest::newRow("c1 control") << QByteArray(
                                       "a\xc2\x9b"
                                       "b")
                                << QByteArray("ab");
    QTest::newRow("umlaut") << QByteArray("Ger\xc3\xa4t") << QByteArray("Ger\xc3\xa4t");
    QTest::newRow("cut character") << QByteArray("a\xe2\x82") << QByteArray("a");
    QTest::newRow("overlong") << QByteArray("\xc0\xaf.") << QByteArray(".");
    QTest::newRow("surrogate") << QByteArray("\xed\xa0\x80.") << QByteArray(".");
    QTest::newRow("beyond Unicode") << QByteArray("\xf4\x90\x80\x80.") << QByteArray(".");
    QTest::newRow("too long") << QByteArray(500, 'x') << QByteArray(126, 'x');
}

void TestUsbInterface::makesStringsPrintable() {
    QFETCH(QByteArray, raw);
    QFETCH(QByteArray, shown);
    const auto* first = reinterpret_cast<const std::byte*>(raw.constData());
    QCOMPARE(QByteArray::fromStdString(
                 printable(ConstByteSpan(first, static_cast<std::size_t>(raw.size())))),
             shown);
}

void TestUsbInterface::readsNoGadgetWhereThereIsNone() {
    QVERIFY(!readGadget("/nowhere/1-1").has_value());
    // Whatever is plugged in here must at least be readable without harm.
    for (const std::string& device : listUsbDevices())
        readGadget(device);
}

QTEST_GUILESS_MAIN(TestUsbInterface)
#include "tst_usb_interface.moc"
