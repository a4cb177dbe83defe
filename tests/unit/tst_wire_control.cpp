#include "core/wire/control_codec.h"
#include "core/wire/export_pages.h"
#include "core/wire/label.h"
#include "tests/unit/wire_bytes.h"

#include <QTest>

using namespace belay;
using namespace belay::wire;

namespace {

const Uuid kGadget = Uuid::parse("6ba7b810-9dad-41d1-80b4-00c04fd430c8").value();
const Uuid kBoot = Uuid::parse("00112233-4455-6677-8899-aabbccddeeff").value();
constexpr Epoch kEpoch{0x1122334455667788};
constexpr Verifier kVerifier{0xCAFEF00DD00DF00D};

const Hello kHello{.version = 1,
                   .roles = kRoleLend | kRoleAttach,
                   .features = kFeaturePayloadCrc,
                   .maxTransfer = 1 << 20,
                   .maxOutstanding = 64,
                   .maxExports = 256,
                   .gadget = kGadget,
                   .bootId = kBoot,
                   .verifier = kVerifier};
const char* const kHelloHex =
    "42 45 4c 59 01 00 03 00 01 00 00 00 00 00 10 00 "
    "40 00 00 01 6b a7 b8 10 9d ad 41 d1 80 b4 00 c0 "
    "4f d4 30 c8 00 11 22 33 44 55 66 77 88 99 aa bb "
    "cc dd ee ff 0d f0 0d d0 0d f0 fe ca 8b 99 58 dc";

const Open kOpen{.version = 1,
                 .features = kFeaturePayloadCrc,
                 .maxTransfer = 1 << 19,
                 .maxOutstanding = 32,
                 .epoch = kEpoch,
                 .host = kGadget};
const char* const kOpenHex =
    "42 45 4c 59 01 00 20 00 01 00 00 00 00 00 08 00 "
    "88 77 66 55 44 33 22 11 6b a7 b8 10 9d ad 41 d1 "
    "80 b4 00 c0 4f d4 30 c8 8a 84 cd be";

const Opened kRefused{
    .epoch = kEpoch, .state = OpenState::Refused, .reason = RefusedReason::BadExports};
const char* const kRefusedHex = "88 77 66 55 44 33 22 11 03 05 00 00 30 dd 41 9c";
const Opened kReady{.epoch = kEpoch, .state = OpenState::Ready};
const char* const kReadyHex = "88 77 66 55 44 33 22 11 01 00 00 00 d5 c8 b9 18";

const Status kStatus{
    .epoch = kEpoch, .changes = 9, .received = 1000, .sent = 999, .verifier = kVerifier};
const char* const kStatusHex =
    "88 77 66 55 44 33 22 11 09 00 00 00 00 00 00 00 "
    "e8 03 00 00 00 00 00 00 e7 03 00 00 00 00 00 00 "
    "0d f0 0d d0 0d f0 fe ca 1f 08 2b 2a";

const ExportInfo kExport{.id = ExportId(7),
                         .blockSize = 4096,
                         .sizeBytes = 0x40000000,
                         .readOnly = true,
                         .canWriteZeroes = true,
                         .uuid = kGadget,
                         .generation = 3,
                         .verifier = kVerifier,
                         .label = "B\u00fcro"};
const char* const kPageHex =
    "88 77 66 55 44 33 22 11 01 00 00 00 01 00 80 00 "
    "00 00 00 00 f1 b0 b1 e4 07 00 00 00 00 10 00 00 "
    "00 00 00 40 00 00 00 00 05 00 00 00 00 00 00 00 "
    "6b a7 b8 10 9d ad 41 d1 80 b4 00 c0 4f d4 30 c8 "
    "03 00 00 00 00 00 00 00 0d f0 0d d0 0d f0 fe ca "
    "42 c3 bc 72 6f 00 00 00 00 00 00 00 00 00 00 00 "
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "00 00 00 00 00 00 00 00";
const char* const kEmptyPageHex =
    "88 77 66 55 44 33 22 11 00 00 00 00 00 00 80 00 00 00 00 00 38 06 70 3e";

template <class T>
Bytes bytesOf(const T& message) {
    const auto out = encode(message);
    return Bytes(out.begin(), out.end());
}

// Puts a page's own CRC right.
Bytes sealPage(Bytes page) {
    const ConstByteSpan all(page);
    storeLe<std::uint32_t>(
        page, PageLayout::kCrc.offset,
        crc32c(all.subspan(PageLayout::kBytes), crc32c(all.first(PageLayout::kCrc.offset))));
    return page;
}

Bytes pageWith(Bytes page, std::size_t at, std::size_t size, std::uint64_t value) {
    for (std::size_t i = 0; i < size; ++i)
        page[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
    return sealPage(std::move(page));
}

// The one-entry page with a field of its header or of its entry overwritten.
Bytes headerWith(const Field& field, std::uint64_t value) {
    return pageWith(fromHex(kPageHex), field.offset, field.size, value);
}
Bytes entryWith(const Field& field, std::uint64_t value) {
    return pageWith(fromHex(kPageHex), PageLayout::kBytes + field.offset,
                    std::min<std::size_t>(field.size, 8), value);
}

std::vector<ExportInfo> manyExports(std::size_t count) {
    std::vector<ExportInfo> exports;
    for (std::size_t i = 0; i < count; ++i) {
        ExportInfo info = kExport;
        info.id = ExportId(static_cast<std::uint32_t>(i) + 1);
        info.label = "export " + std::to_string(i);
        exports.push_back(info);
    }
    return exports;
}

QString addTo(ExportListDecoder& decoder, const Bytes& page) {
    return textOf(decoder.add(page));
}

QString decodeOne(const Bytes& page) {
    ExportListDecoder decoder(kEpoch);
    return addTo(decoder, page);
}

const QString kAccepted = QStringLiteral("accepted");

}  // namespace

class WireControlTest : public QObject {
    Q_OBJECT
 private slots:
    void goldenMessages();
    void everyCorruptByteIsRefused();
    void everyOtherLengthIsRefused();
    void badHellosAreRefused();
    void badOpensAreRefused();
    void badOpenedsAreRefused();
    void statesAndReasonsPass();
    void versionsCanBeTold();
    void opensAreJudged();
    void goldenPages();
    void pagesOfSharedSessions();
    void pageCounts();
    void listsOfEveryLength();
    void badPagesAreRefused_data();
    void badPagesAreRefused();
    void pagesThatDoNotFitTogetherAreRefused();
    void aFailedListStaysFailed();
    void labels_data();
    void labels();
    void labelsAreCutBetweenCharacters();
    void labelsOnTheWire();
};

void WireControlTest::goldenMessages() {
    QCOMPARE(toHex(bytesOf(kHello)), QByteArray(kHelloHex));
    QCOMPARE(toHex(bytesOf(kOpen)), QByteArray(kOpenHex));
    QCOMPARE(toHex(bytesOf(kRefused)), QByteArray(kRefusedHex));
    QCOMPARE(toHex(bytesOf(kReady)), QByteArray(kReadyHex));
    QCOMPARE(toHex(bytesOf(kStatus)), QByteArray(kStatusHex));
    QCOMPARE(decodeHello(fromHex(kHelloHex)).value(), kHello);
    QCOMPARE(decodeOpen(fromHex(kOpenHex)).value(), kOpen);
    QCOMPARE(decodeOpened(fromHex(kRefusedHex)).value(), kRefused);
    QCOMPARE(decodeOpened(fromHex(kReadyHex)).value(), kReady);
    QCOMPARE(decodeStatus(fromHex(kStatusHex)).value(), kStatus);
}

void WireControlTest::everyCorruptByteIsRefused() {
    everyByteCounts(fromHex(kHelloHex), [](const Bytes& b) { return decodeHello(b).has_value(); });
    everyByteCounts(fromHex(kOpenHex), [](const Bytes& b) { return decodeOpen(b).has_value(); });
    everyByteCounts(fromHex(kReadyHex), [](const Bytes& b) { return decodeOpened(b).has_value(); });
    everyByteCounts(fromHex(kStatusHex),
                    [](const Bytes& b) { return decodeStatus(b).has_value(); });
    everyByteCounts(fromHex(kPageHex), [](const Bytes& b) { return decodeOne(b) == kAccepted; });
}

void WireControlTest::everyOtherLengthIsRefused() {
    everyLengthCounts(fromHex(kHelloHex),
                      [](const Bytes& b) { return decodeHello(b).has_value(); });
    everyLengthCounts(fromHex(kOpenHex), [](const Bytes& b) { return decodeOpen(b).has_value(); });
    everyLengthCounts(fromHex(kReadyHex),
                      [](const Bytes& b) { return decodeOpened(b).has_value(); });
    everyLengthCounts(fromHex(kStatusHex),
                      [](const Bytes& b) { return decodeStatus(b).has_value(); });
    everyLengthCounts(fromHex(kPageHex), [](const Bytes& b) { return decodeOne(b) == kAccepted; });
}

void WireControlTest::badHellosAreRefused() {
    using L = HelloLayout;
    const auto refused = [](const Field& field, std::uint64_t value) {
        return textOf(decodeHello(withField(fromHex(kHelloHex), field, value)));
    };
    QVERIFY(refused(L::kMagic, 0).startsWith(QLatin1String("HELLO refused: no Belay message")));
    QCOMPARE(refused(L::kVersion, 2),
             QStringLiteral("HELLO refused: unknown version 2 instead of 1. Install the same "
                            "version of Belay at both ends of the cable."));
    QVERIFY(refused(L::kRoles, 0).startsWith(QLatin1String("HELLO refused: no role")));
    QVERIFY(refused(L::kRoles, 4).startsWith(QLatin1String("HELLO refused: unknown roles 0x0004")));
    for (std::uint64_t length : {0, 1, 513})
        QVERIFY(refused(L::kMaxTransfer, length).contains(QLatin1String("longest transfer")));
    QVERIFY(refused(L::kMaxOutstanding, 0).contains(QLatin1String("no request may")));
    QVERIFY(refused(L::kMaxExports, 0).contains(QLatin1String("number of exports")));
    QVERIFY(refused(L::kMaxExports, 257).contains(QLatin1String("number of exports")));
    QVERIFY(refused(L::kGadget, 0).contains(QLatin1String("no gadget uuid")));
    QCOMPARE(refused(L::kFeatures, 0xFFFFFFFF), kAccepted);
    QCOMPARE(refused(L::kBootId, 0), kAccepted);
}

void WireControlTest::badOpensAreRefused() {
    using L = OpenLayout;
    const auto refused = [](const Field& field, std::uint64_t value) {
        return textOf(decodeOpen(withField(fromHex(kOpenHex), field, value)));
    };
    QVERIFY(refused(L::kMagic, 0).startsWith(QLatin1String("OPEN refused: no Belay message")));
    QVERIFY(refused(L::kVersion, 0).startsWith(QLatin1String("OPEN refused: unknown version 0")));
    QVERIFY(refused(L::kEpoch, 0).startsWith(QLatin1String("OPEN refused: no epoch")));
    QVERIFY(refused(L::kMaxTransfer, 100).contains(QLatin1String("longest transfer")));
    QVERIFY(refused(L::kMaxOutstanding, 0).contains(QLatin1String("no request may")));
    QVERIFY(refused(L::kHost, 0).contains(QLatin1String("no host uuid")));
}

void WireControlTest::badOpenedsAreRefused() {
    using L = OpenedLayout;
    const auto refused = [](const char* hex, const Field& field, std::uint64_t value) {
        return textOf(decodeOpened(withField(fromHex(hex), field, value)));
    };
    QVERIFY(refused(kReadyHex, L::kState, 4).contains(QLatin1String("unknown state 4")));
    QVERIFY(refused(kRefusedHex, L::kReason, 8).contains(QLatin1String("unknown reason 8")));
    QVERIFY(refused(kReadyHex, L::kReserved, 0x100).contains(QLatin1String("reserved")));
    QVERIFY(refused(kReadyHex, L::kReason, 1).contains(QLatin1String("reason without a refusal")));
    QVERIFY(
        refused(kRefusedHex, L::kReason, 0).contains(QLatin1String("refusal without a reason")));
    QVERIFY(refused(kReadyHex, L::kEpoch, 0).contains(QLatin1String("no epoch")));
}

void WireControlTest::statesAndReasonsPass() {
    for (auto state : {OpenState::Ready, OpenState::Draining, OpenState::None}) {
        const Opened opened{.epoch = kEpoch, .state = state};
        QCOMPARE(decodeOpened(bytesOf(opened)).value(), opened);
    }
    QCOMPARE(decodeOpened(bytesOf(Opened{})).value(), Opened{});
    for (std::uint8_t reason = 1; reason <= static_cast<int>(RefusedReason::Internal); ++reason) {
        const Opened opened{.state = OpenState::Refused, .reason = RefusedReason(reason)};
        QCOMPARE(decodeOpened(bytesOf(opened)).value(), opened);
    }
}

void WireControlTest::versionsCanBeTold() {
    QCOMPARE(peekVersion(fromHex(kHelloHex)).value(), 1);
    QCOMPARE(peekVersion(fromHex(kOpenHex)).value(), 1);
    QCOMPARE(peekVersion(fromHex("42 45 4c 59 34 12")).value(), 0x1234);
    QVERIFY(!peekVersion(fromHex("42 45 4c 59 34")));
    QVERIFY(!peekVersion(fromHex("53 4d 4f 4f 00 00 01 00")));
    QVERIFY(!peekVersion({}));
}

void WireControlTest::opensAreJudged() {
    QCOMPARE(judgeOpen(bytesOf(kOpen), kHello), RefusedReason::None);
    Open other = kOpen;
    other.version = 2;
    QCOMPARE(judgeOpen(bytesOf(other), kHello), RefusedReason::Version);
    // Another version's OPEN may have another length.
    QCOMPARE(judgeOpen(fromHex("42 45 4c 59 02 00"), kHello), RefusedReason::Version);
    QCOMPARE(judgeOpen({}, kHello), RefusedReason::BadMessage);
    QCOMPARE(judgeOpen(fromHex(kReadyHex), kHello), RefusedReason::BadMessage);
    other = kOpen;
    other.epoch = Epoch(0);
    QCOMPARE(judgeOpen(bytesOf(other), kHello), RefusedReason::BadMessage);
    other = kOpen;
    other.features = kFeaturePayloadCrc | 1 << 1;
    QCOMPARE(judgeOpen(bytesOf(other), kHello), RefusedReason::Features);
    other = kOpen;
    other.maxTransfer = kHello.maxTransfer + 512;
    QCOMPARE(judgeOpen(bytesOf(other), kHello), RefusedReason::Limits);
    other = kOpen;
    other.maxOutstanding = 65;
    QCOMPARE(judgeOpen(bytesOf(other), kHello), RefusedReason::Limits);
}

void WireControlTest::goldenPages() {
    QCOMPARE(toHex(encodeExportsPage(kEpoch, {&kExport, 1}, 0)), QByteArray(kPageHex));
    QCOMPARE(toHex(encodeExportsPage(kEpoch, {}, 0)), QByteArray(kEmptyPageHex));
    ExportListDecoder decoder(kEpoch);
    QVERIFY(!decoder.isComplete());
    QCOMPARE(decoder.nextPage(), 0);
    QCOMPARE(addTo(decoder, fromHex(kPageHex)), kAccepted);
    QVERIFY(decoder.isComplete());
    QCOMPARE(decoder.exports(), std::vector{kExport});
    ExportListDecoder empty(kEpoch);
    QCOMPARE(addTo(empty, fromHex(kEmptyPageHex)), kAccepted);
    QVERIFY(empty.isComplete());
    QVERIFY(empty.exports().empty());
}

constexpr std::uint32_t kMemory = 8 << 20;

// kFeaturePerExport: memory, parts, and what is not ready.
void WireControlTest::pagesOfSharedSessions() {
    auto exports = manyExports(40);
    for (ExportInfo& info : exports)
        info.guaranteed = 64 << 10;
    exports[3].ready = false;
    const auto pageOf = [&](std::size_t page, std::uint32_t memory = kMemory) {
        return encodeExportsPage(kEpoch, exports, page, memory);
    };
    const auto first = pageOf(0);
    QCOMPARE(loadLe<std::uint32_t>(first, 16), kMemory);
    QCOMPARE(loadLe<std::uint32_t>(first, PageLayout::kBytes + 20), 64u << 10);
    QCOMPARE(loadLe<std::uint32_t>(first, PageLayout::kBytes + 3 * ExportLayout::kBytes + 16) &
                 kExportNotReady,
             std::uint32_t{kExportNotReady});
    const auto answerTo = [](std::vector<Bytes> pages) {
        ExportListDecoder decoder(kEpoch, kFeaturePerExport);
        QString answer;
        for (const Bytes& page : pages)
            answer = addTo(decoder, page);
        return answer;
    };
    ExportListDecoder decoder(kEpoch, kFeaturePerExport);
    QCOMPARE(addTo(decoder, first), kAccepted);
    QCOMPARE(addTo(decoder, pageOf(1)), kAccepted);
    QCOMPARE(decoder.list().memory, kMemory);
    QCOMPARE(decoder.exports(), exports);

    // Who has not agreed on it understands none of it.
    ExportListDecoder without(kEpoch);
    QVERIFY(addTo(without, first).contains("reserved bytes of the page"));
    ExportListDecoder old(kEpoch);
    QVERIFY(addTo(old, pageOf(0, 0)).contains("reserved bytes of the entry"));
    QVERIFY(answerTo({pageOf(0, 0)}).contains("no memory"));
    QVERIFY(answerTo({first, pageOf(1, kMemory / 2)}).contains("memory changed"));
    QVERIFY(answerTo({pageOf(0, 31 * (64 << 10)), pageOf(1, 31 * (64 << 10))})
                .contains("more than the memory"));
    exports[0].guaranteed = exports[0].blockSize - 1;
    QVERIFY(answerTo({pageOf(0)}).contains("less than a block"));
}

void WireControlTest::pageCounts() {
    QCOMPARE(kEntriesPerPage, 31u);
    QCOMPARE(pageCount(0), 1u);
    QCOMPARE(pageCount(1), 1u);
    QCOMPARE(pageCount(31), 1u);
    QCOMPARE(pageCount(32), 2u);
    QCOMPARE(pageCount(62), 2u);
    QCOMPARE(pageCount(63), 3u);
    QCOMPARE(pageCount(256), 9u);
    const auto exports = manyExports(257);
    QVERIFY(encodeExportsPage(kEpoch, exports, 0).empty());
    QVERIFY(encodeExportsPage(kEpoch, std::span(exports).first(31), 1).empty());
    QVERIFY(encodeExportsPage(kEpoch, {}, 1).empty());
    QVERIFY(encodeExportsPage(kEpoch, {}, ~std::size_t{0}).empty());
}

void WireControlTest::listsOfEveryLength() {
    for (std::size_t count = 0; count <= kMaxExports; ++count) {
        const auto exports = manyExports(count);
        ExportListDecoder decoder(kEpoch);
        for (std::size_t page = 0; page < pageCount(count); ++page) {
            QVERIFY(!decoder.isComplete());
            QCOMPARE(decoder.nextPage(), page);
            const auto bytes = encodeExportsPage(kEpoch, exports, page);
            QVERIFY(bytes.size() <= kMaxPageBytes);
            QCOMPARE(addTo(decoder, bytes), kAccepted);
        }
        QVERIFY(decoder.isComplete());
        QCOMPARE(decoder.exports(), exports);
    }
}

void WireControlTest::badPagesAreRefused_data() {
    using P = PageLayout;
    using E = ExportLayout;
    QTest::addColumn<QByteArray>("page");
    const auto row = [](const char* problem, const Bytes& page) {
        QTest::newRow(problem) << toHex(page);
    };
    Bytes wrongCrc = fromHex(kPageHex);
    wrongCrc[60] ^= std::byte{1};
    Bytes twice = encodeExportsPage(kEpoch, manyExports(2), 0);
    twice[P::kBytes + E::kBytes] = std::byte{1};
    Bytes shorter = fromHex(kPageHex);
    shorter.pop_back();

    row("page shorter than its header 23 bytes", Bytes(23));
    row("wrong CRC", wrongCrc);
    row("another epoch 0x1 instead of 0x1122334455667788", headerWith(P::kEpoch, 1));
    row("entries of another size 127 bytes", headerWith(P::kEntryBytes, 127));
    row("reserved bytes of the page are not 0", headerWith(P::kMemory, 1));
    row("too many exports 257 of at most 256", headerWith(P::kTotal, 257));
    row("too many exports 65535 of at most 256", headerWith(P::kTotal, 0xFFFF));
    row("page out of order entry 1 instead of 0", headerWith(P::kFirst, 1));
    row("wrong number of entries 0 instead of 1", headerWith(P::kCount, 0));
    row("wrong number of entries 2 instead of 1", headerWith(P::kCount, 2));
    row("wrong number of entries 1 instead of 0", headerWith(P::kTotal, 0));
    row("wrong number of entries 1 instead of 2", headerWith(P::kTotal, 2));
    row("length does not fit the count 151 bytes for 1 entries", sealPage(shorter));
    row("export id 0 export 0x0", entryWith(E::kId, 0));
    row("the same export id twice export 0x1", sealPage(twice));
    row("block size is no power of two from 512 to 65536 export 0x7, block size 256",
        entryWith(E::kBlockSize, 256));
    row("block size is no power of two from 512 to 65536 export 0x7, block size 0",
        entryWith(E::kBlockSize, 0));
    row("block size is no power of two from 512 to 65536 export 0x7, block size 131072",
        entryWith(E::kBlockSize, 131072));
    row("size 0 export 0x7", entryWith(E::kSize, 0));
    row("size is no multiple of the block size", entryWith(E::kSize, 4097));
    row("unknown flags 0x00000008", entryWith(E::kFlags, 8));
    row("reserved bytes of the entry are not 0 export 0x7", entryWith(E::kGuaranteed, 1));
    row("reserved bytes of the entry are not 0 export 0x7, block", entryWith(E::kReserved2, 1));
    row("label is not UTF-8", entryWith(E::kLabel, 0xC0));
    row("label is not padded with 0", entryWith(E::kLabel, 0x4100'0041));
    Bytes endless = fromHex(kPageHex);
    std::ranges::fill(ByteSpan(endless).subspan(P::kBytes + E::kLabel.offset, E::kLabel.size),
                      std::byte{'a'});
    row("label does not end", sealPage(endless));
}

void WireControlTest::badPagesAreRefused() {
    QFETCH(QByteArray, page);
    const QString text = decodeOne(fromHex(page.constData()));
    const QString expected =
        QStringLiteral("export list refused: ") + QLatin1String(QTest::currentDataTag());
    QVERIFY2(text.startsWith(expected), qPrintable(text));
}

void WireControlTest::pagesThatDoNotFitTogetherAreRefused() {
    const auto exports = manyExports(40);
    const auto first = encodeExportsPage(kEpoch, exports, 0);
    const auto second = encodeExportsPage(kEpoch, exports, 1);
    {
        ExportListDecoder decoder(kEpoch);
        QVERIFY(addTo(decoder, second).contains(QLatin1String("out of order")));
    }
    {
        ExportListDecoder decoder(kEpoch);
        QCOMPARE(addTo(decoder, first), kAccepted);
        QVERIFY(addTo(decoder, first).contains(QLatin1String("out of order")));
    }
    {
        ExportListDecoder decoder(kEpoch);
        QCOMPARE(addTo(decoder, first), kAccepted);
        const auto longer = encodeExportsPage(kEpoch, manyExports(41), 1);
        QVERIFY(addTo(decoder, longer).contains(QLatin1String("total changed")));
    }
    {
        // The same id on two pages.
        auto clash = exports;
        clash[35].id = clash[2].id;
        ExportListDecoder decoder(kEpoch);
        QCOMPARE(addTo(decoder, encodeExportsPage(kEpoch, clash, 0)), kAccepted);
        QVERIFY(addTo(decoder, encodeExportsPage(kEpoch, clash, 1))
                    .contains(QLatin1String("same export id twice")));
        QCOMPARE(decoder.exports().size(), kEntriesPerPage);
    }
    {
        ExportListDecoder decoder(kEpoch);
        QCOMPARE(addTo(decoder, first), kAccepted);
        QCOMPARE(addTo(decoder, second), kAccepted);
        QVERIFY(addTo(decoder, second).contains(QLatin1String("after the last")));
    }
}

void WireControlTest::aFailedListStaysFailed() {
    const auto exports = manyExports(1);
    ExportListDecoder decoder(kEpoch);
    const QString first = addTo(decoder, Bytes(3));
    QVERIFY(first.contains(QLatin1String("shorter than its header")));
    QCOMPARE(addTo(decoder, encodeExportsPage(kEpoch, exports, 0)), first);
    QVERIFY(!decoder.isComplete());
    QVERIFY(decoder.exports().empty());
}

void WireControlTest::labels_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("shown");  // null: not UTF-8
    QTest::newRow("empty") << QByteArray("") << QByteArray("");
    QTest::newRow("ASCII") << QByteArray("my disk ~!") << QByteArray("my disk ~!");
    QTest::newRow("two bytes") << QByteArray("B\xC3\xBCro") << QByteArray("B\xC3\xBCro");
    QTest::newRow("three bytes") << QByteArray("\xE7\xA3\x81") << QByteArray("\xE7\xA3\x81");
    QTest::newRow("four bytes") << QByteArray("\xF0\x9F\x92\xBE") << QByteArray("\xF0\x9F\x92\xBE");
    QTest::newRow("last of all") << QByteArray("\xF4\x8F\xBF\xBD")
                                 << QByteArray("\xF4\x8F\xBF\xBD");
    QTest::newRow("joiner") << QByteArray("\xE2\x80\x8D") << QByteArray("\xE2\x80\x8D");
    QTest::newRow("escape") << QByteArray("\x1B[31m") << QByteArray("?[31m");
    QTest::newRow("newline, delete") << QByteArray("a\n\x7F") << QByteArray("a??");
    QTest::newRow("C1") << QByteArray("\xC2\x9B") << QByteArray("?");
    QTest::newRow("right-to-left override") << QByteArray("a\xE2\x80\xAE") << QByteArray("a?");
    QTest::newRow("isolate") << QByteArray("\xE2\x81\xA6") << QByteArray("?");
    QTest::newRow("byte order mark") << QByteArray("\xEF\xBB\xBF") << QByteArray("?");
    QTest::newRow("noncharacter") << QByteArray("\xEF\xBF\xBF") << QByteArray("?");
    QTest::newRow("plane end") << QByteArray("\xF4\x8F\xBF\xBF") << QByteArray("?");
    QTest::newRow("tag") << QByteArray("\xF3\xA0\x81\x81") << QByteArray("?");
    for (const char* bad : {"\x80",
                            "\xBF",
                            "\xC0\x80",
                            "\xC1\xBF",
                            "\xE0\x80\x80",
                            "\xE0\x9F\xBF",
                            "\xED\xA0\x80",
                            "\xED\xBF\xBF",
                            "\xF0\x80\x80\x80",
                            "\xF0\x8F\xBF\xBF",
                            "\xF4\x90\x80\x80",
                            "\xF5\x80\x80\x80",
                            "\xFF",
                            "\xFE",
                            "\xC3",
                            "\xE7",
                            "\xE7\xA3",
                            "\xF0\x9F\x92",
                            "\xC3(",
                            "\xE7\xA3(",
                            "\xF0\x9F\x92("})
        QTest::addRow("not UTF-8: %s", QByteArray(bad).toHex(' ').constData())
            << QByteArray(bad) << QByteArray();
}

void WireControlTest::labels() {
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, shown);
    const auto result = printable(text.toStdString());
    QCOMPARE(result.has_value(), !shown.isNull());
    if (result) {
        QCOMPARE(QByteArray::fromStdString(*result), shown);
        QCOMPARE(QByteArray::fromStdString(fitLabel(text.toStdString())), shown);
    }
    // Whatever we send of a label is one that we would take as it is.
    const std::string fitted = fitLabel(text.toStdString());
    QCOMPARE(printable(fitted).value(), fitted);
}

void WireControlTest::labelsAreCutBetweenCharacters() {
    QCOMPARE(fitLabel(std::string(100, 'x')), std::string(63, 'x'));
    QCOMPARE(fitLabel(std::string(62, 'x') + "\xC3\xBC"), std::string(62, 'x'));
    QCOMPARE(fitLabel(std::string(61, 'x') + "\xC3\xBC"), std::string(61, 'x') + "\xC3\xBC");
    QCOMPARE(fitLabel("a\xFF\xC3"), std::string("a??"));
    QCOMPARE(fitLabel("abc", 0), std::string());
}

void WireControlTest::labelsOnTheWire() {
    ExportInfo info = kExport;
    info.label = std::string(62, 'x') + "\xC3\xBC";
    ExportListDecoder cut(kEpoch);
    QCOMPARE(addTo(cut, encodeExportsPage(kEpoch, {&info, 1}, 0)), kAccepted);
    QCOMPARE(cut.exports().front().label, std::string(62, 'x'));
    // A peer that does not care what it sends.
    Bytes page = fromHex(kPageHex);
    page[PageLayout::kBytes + ExportLayout::kLabel.offset] = std::byte{0x1B};
    ExportListDecoder hostile(kEpoch);
    QCOMPARE(addTo(hostile, sealPage(page)), kAccepted);
    QCOMPARE(hostile.exports().front().label, std::string("?\u00fcro"));
}

QTEST_GUILESS_MAIN(WireControlTest)
#include "tst_wire_control.moc"
