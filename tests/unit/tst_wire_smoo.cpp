#include "core/wire/smoo_control.h"
#include "core/wire/smoo_map.h"
#include "tests/unit/wire_bytes.h"

#include <QTest>
#include <cerrno>

using namespace belay;
using namespace belay::wire;

namespace {

using L = smoo::MessageLayout;

template <class M>
Bytes bytesOf(const M& message) {
    Bytes out(L::kBytes, std::byte{0xA5});
    encode(message, smoo::Message(out));
    return out;
}

template <class Reply>
Bytes replyOf(const Reply& reply) {
    const auto out = encode(reply);
    return Bytes(out.begin(), out.end());
}

const smoo::Request kRead{.op = smoo::Op::Read,
                          .requestId = 0x00010002,
                          .exportId = ExportId(0xA1B2C3D4),
                          .lba = Lba(0x1122334455),
                          .numBlocks = 512};
const char* const kReadHex =
    "00 00 00 00 02 00 01 00 d4 c3 b2 a1 55 44 33 22 11 00 00 00 00 02 00 00 00 00 00 00";

const smoo::Request kFlush{
    .op = smoo::Op::Flush, .requestId = 5, .exportId = ExportId(1), .lba = Lba(0x001FFFFFFFFFFFFF)};
const char* const kFlushHex =
    "02 00 00 00 05 00 00 00 01 00 00 00 ff ff ff ff ff ff 1f 00 00 00 00 00 00 00 00 00";

const smoo::Response kFailedWrite{.op = smoo::Op::Write,
                                  .status = 5,
                                  .requestId = 0xFFFF000F,
                                  .exportId = ExportId(1),
                                  .lba = Lba(8),
                                  .numBlocks = 16};
const char* const kFailedWriteHex =
    "01 05 00 00 0f 00 ff ff 01 00 00 00 08 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00";

const smoo::ExportEntry kDisk{
    .id = ExportId(0xA1B2C3D4), .blockSize = 4096, .sizeBytes = 0x40000000};
const char* const kConfigHex =
    "00 00 02 00 00 00 00 00 "
    "01 00 00 00 00 02 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "d4 c3 b2 a1 00 10 00 00 00 00 00 40 00 00 00 00 00 00 00 00 00 00 00 00";

// A config of one export with one field of its entry overwritten.
Bytes configWith(const Field& field, std::uint64_t value) {
    Bytes data = smoo::encodeConfigExports({kDisk}).value();
    for (std::size_t i = 0; i < field.size; ++i)
        data[smoo::ConfigLayout::kBytes + field.offset + i] =
            static_cast<std::byte>(value >> (8 * i) & 0xff);
    return data;
}

}  // namespace

class WireSmooTest : public QObject {
    Q_OBJECT
 private slots:
    void setUpRequests();
    void goldenMessages();
    void messagesTolerateWhatPeersTolerate();
    void badMessagesAreRefused();
    void ident();
    void config();
    void badConfigsAreRefused_data();
    void badConfigsAreRefused();
    void hostRefusesToSendBadConfigs();
    void status();
    void mapsRequests();
    void mapsResponses();
    void mappingRefusesWhatDoesNotFit();
    void mapsStatus();
};

void WireSmooTest::setUpRequests() {
    QVERIFY((smoo::kIdent == smoo::ControlRequest{0xC1, 1}));
    QVERIFY((smoo::kConfigExports == smoo::ControlRequest{0x41, 2}));
    QVERIFY((smoo::kStatus == smoo::ControlRequest{0xA1, 3}));
    QVERIFY((smoo::kTriple == InterfaceTriple{0xFF, 0x53, 0x4D}));
    QVERIFY((smoo::kFastbootTriple == InterfaceTriple{0xFF, 0x42, 0x03}));
    QCOMPARE(smoo::kMaxConfigBytes, 776u);
}

void WireSmooTest::goldenMessages() {
    QCOMPARE(toHex(bytesOf(kRead)), QByteArray(kReadHex));
    QCOMPARE(toHex(bytesOf(kFlush)), QByteArray(kFlushHex));
    QCOMPARE(toHex(bytesOf(kFailedWrite)), QByteArray(kFailedWriteHex));
    QCOMPARE(smoo::decodeRequest(fromHex(kReadHex)).value(), kRead);
    QCOMPARE(smoo::decodeRequest(fromHex(kFlushHex)).value(), kFlush);
    QCOMPARE(smoo::decodeResponse(fromHex(kFailedWriteHex)).value(), kFailedWrite);
    for (auto op : {smoo::Op::Read, smoo::Op::Write, smoo::Op::Flush, smoo::Op::Discard}) {
        smoo::Request request = kRead;
        request.op = op;
        QCOMPARE(bytesOf(request)[0], static_cast<std::byte>(op));
        QCOMPARE(smoo::decodeRequest(bytesOf(request)).value(), request);
        smoo::Response response = kFailedWrite;
        response.op = op;
        QCOMPARE(bytesOf(response)[0], static_cast<std::byte>(op));
        QCOMPARE(smoo::decodeResponse(bytesOf(response)).value(), response);
    }
}

void WireSmooTest::messagesTolerateWhatPeersTolerate() {
    Bytes request = fromHex(kReadHex);
    for (std::size_t i : {1u, 2u, 3u})
        request[i] = std::byte{0xFF};
    QCOMPARE(smoo::decodeRequest(request).value(), kRead);

    Bytes response = fromHex(kFailedWriteHex);
    response[2] = response[3] = std::byte{0xFF};
    QCOMPARE(smoo::decodeResponse(response).value(), kFailedWrite);

    smoo::Request odd = kRead;
    odd.exportId = ExportId(0);
    odd.flags = ~0u;
    odd.lba = Lba(~0ull);
    odd.numBlocks = ~0u;
    odd.requestId = ~0u;
    QCOMPARE(smoo::decodeRequest(bytesOf(odd)).value(), odd);

    smoo::Response oddResponse = kFailedWrite;
    oddResponse.status = 255;
    oddResponse.flags = ~0u;
    oddResponse.numBlocks = 0;
    QCOMPARE(smoo::decodeResponse(bytesOf(oddResponse)).value(), oddResponse);
}

void WireSmooTest::badMessagesAreRefused() {
    everyLengthCounts(fromHex(kReadHex),
                      [](const Bytes& b) { return smoo::decodeRequest(b).has_value(); });
    everyLengthCounts(fromHex(kFailedWriteHex),
                      [](const Bytes& b) { return smoo::decodeResponse(b).has_value(); });
    QVERIFY(smoo::isStray(Bytes(0)));
    QVERIFY(smoo::isStray(Bytes(27)));
    QVERIFY(!smoo::isStray(Bytes(28)));
    QVERIFY(!smoo::isStray(Bytes(29)));
    for (int op = 4; op < 256; ++op) {
        Bytes message = fromHex(kReadHex);
        message[0] = static_cast<std::byte>(op);
        QVERIFY(textOf(smoo::decodeRequest(message))
                    .startsWith(QLatin1String("smoo request refused: unknown op")));
        QVERIFY(textOf(smoo::decodeResponse(message))
                    .startsWith(QLatin1String("smoo response refused: unknown op")));
    }
    QCOMPARE(textOf(smoo::decodeRequest(Bytes(29))),
             QStringLiteral("smoo request refused: wrong length 29 bytes"));
}

void WireSmooTest::ident() {
    QCOMPARE(toHex(replyOf(smoo::Ident{})), QByteArray("53 4d 4f 4f 00 00 01 00"));
    QCOMPARE(smoo::decodeIdent(replyOf(smoo::Ident{})).value(), smoo::Ident{});
    // A real host accepts any version.
    const smoo::Ident other{.major = 7, .minor = 0xFFFE};
    QCOMPARE(smoo::decodeIdent(replyOf(other)).value(), other);
    QVERIFY(textOf(smoo::decodeIdent(fromHex("53 4d 4f 4f 00 00 01")))
                .contains(QLatin1String("wrong length")));
    QVERIFY(textOf(smoo::decodeIdent(fromHex("42 45 4c 59 00 00 01 00")))
                .contains(QLatin1String("not a smoo gadget")));
}

void WireSmooTest::config() {
    const smoo::ExportEntry small{.id = ExportId(1), .blockSize = 512, .sizeBytes = 1024};
    const auto data = smoo::encodeConfigExports({kDisk, small});
    QVERIFY2(data.has_value(), qPrintable(textOf(data)));
    QCOMPARE(toHex(*data), QByteArray(kConfigHex));
    QCOMPARE(smoo::decodeConfigExports(*data).value(), (std::vector{small, kDisk}));

    QCOMPARE(toHex(smoo::encodeConfigExports({}).value()), QByteArray("00 00 00 00 00 00 00 00"));
    QCOMPARE(smoo::decodeConfigExports(Bytes(8)).value().size(), 0u);

    // Reserved bytes are not read; block sizes at both ends are fine.
    QCOMPARE(
        smoo::decodeConfigExports(configWith(smoo::ConfigEntryLayout::kReserved, ~0ull)).value(),
        std::vector{kDisk});
    for (std::uint32_t size : {512u, 65536u})
        QVERIFY(smoo::decodeConfigExports(configWith(smoo::ConfigEntryLayout::kBlockSize, size)));

    std::vector<smoo::ExportEntry> full;
    for (std::uint32_t id = 1; id <= smoo::kMaxExports; ++id)
        full.push_back({.id = ExportId(id), .blockSize = 512, .sizeBytes = 512});
    const Bytes longest = smoo::encodeConfigExports(full).value();
    QCOMPARE(longest.size(), smoo::kMaxConfigBytes);
    QCOMPARE(smoo::decodeConfigExports(longest).value(), full);
}

void WireSmooTest::badConfigsAreRefused_data() {
    using Entry = smoo::ConfigEntryLayout;
    QTest::addColumn<QByteArray>("data");
    const auto row = [](const char* problem, const Bytes& data) {
        QTest::newRow(problem) << QByteArray::fromHex(toHex(data));
    };
    const Bytes good = smoo::encodeConfigExports({kDisk}).value();
    const auto with = [&good](std::size_t at, int value) {
        Bytes data = good;
        data[at] = static_cast<std::byte>(value);
        return data;
    };
    const Bytes cut(good.begin(), std::prev(good.end()));
    Bytes longer = good;
    longer.push_back({});
    Bytes twice = good;
    twice.insert(twice.end(), good.begin() + smoo::ConfigLayout::kBytes, good.end());
    twice[smoo::ConfigLayout::kCount.offset] = std::byte{2};
    Bytes tooMany(smoo::ConfigLayout::kBytes + 33 * Entry::kBytes);
    tooMany[smoo::ConfigLayout::kCount.offset] = std::byte{33};

    row("shorter than its header 7 bytes", Bytes(7));
    row("unknown version 1", with(smoo::ConfigLayout::kVersion.offset, 1));
    row("too many exports 33 of at most 32", tooMany);
    row("unknown flags 0x00000080", with(smoo::ConfigLayout::kFlags.offset, 0x80));
    row("length does not fit the count 31 bytes for 1 exports", cut);
    row("length does not fit the count 33 bytes for 1 exports", longer);
    row("length does not fit the count 32 bytes for 0 exports",
        with(smoo::ConfigLayout::kCount.offset, 0));
    row("export id 0 export 0x0", configWith(Entry::kExportId, 0));
    row("block size is no power of two from 512 to 65536 export 0xa1b2c3d4, block size 256",
        configWith(Entry::kBlockSize, 256));
    row("block size is no power of two from 512 to 65536 export 0xa1b2c3d4, block size 0",
        configWith(Entry::kBlockSize, 0));
    row("block size is no power of two from 512 to 65536 export 0xa1b2c3d4, block size 131072",
        configWith(Entry::kBlockSize, 131072));
    row("block size is no power of two from 512 to 65536 export 0xa1b2c3d4, block size 4095",
        configWith(Entry::kBlockSize, 4095));
    row("size 0 export", configWith(Entry::kSize, 0));
    row("size is no multiple of the block size", configWith(Entry::kSize, 4097));
    row("the same export id twice", twice);
}

void WireSmooTest::badConfigsAreRefused() {
    QFETCH(QByteArray, data);
    const auto decoded = smoo::decodeConfigExports(fromHex(data.toHex().constData()));
    const QString expected =
        QStringLiteral("CONFIG_EXPORTS refused: ") + QLatin1String(QTest::currentDataTag());
    QVERIFY2(textOf(decoded).startsWith(expected), qPrintable(textOf(decoded)));
}

void WireSmooTest::hostRefusesToSendBadConfigs() {
    QVERIFY(textOf(smoo::encodeConfigExports({kDisk, kDisk})).contains(QLatin1String("twice")));
    QVERIFY(!smoo::encodeConfigExports({{.id = ExportId(0), .blockSize = 512, .sizeBytes = 512}}));
    QVERIFY(!smoo::encodeConfigExports({{.id = ExportId(1), .blockSize = 512, .sizeBytes = 0}}));
    QVERIFY(!smoo::encodeConfigExports({{.id = ExportId(1), .blockSize = 1, .sizeBytes = 512}}));
    std::vector<smoo::ExportEntry> many;
    for (std::uint32_t id = 1; id <= smoo::kMaxExports + 1; ++id)
        many.push_back({.id = ExportId(id), .blockSize = 512, .sizeBytes = 512});
    QVERIFY(textOf(smoo::encodeConfigExports(many)).contains(QLatin1String("too many")));
}

void WireSmooTest::status() {
    const smoo::Status live{.exportCount = 2, .sessionId = 0x1122334455667788};
    QCOMPARE(toHex(replyOf(live)), QByteArray("00 00 01 00 02 00 00 00 88 77 66 55 44 33 22 11"));
    QCOMPARE(smoo::decodeStatus(replyOf(live)).value(), live);
    const smoo::Status idle{.exportCount = 0, .sessionId = 1};
    QCOMPARE(toHex(replyOf(idle)), QByteArray("00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00"));
    // Flags are ignored, whatever they say.
    Bytes flags = replyOf(live);
    flags[2] = flags[3] = std::byte{0xFF};
    QCOMPARE(smoo::decodeStatus(flags).value(), live);
    Bytes version = replyOf(live);
    version[0] = std::byte{1};
    QVERIFY(textOf(smoo::decodeStatus(version)).contains(QLatin1String("unknown version 1")));
    everyLengthCounts(replyOf(live),
                      [](const Bytes& b) { return smoo::decodeStatus(b).has_value(); });
}

void WireSmooTest::mapsRequests() {
    const Request write{.op = Op::Write,
                        .flags = kFlagReplay,
                        .exportId = ExportId(3),
                        .epoch = Epoch(9),
                        .sequence = Sequence(0x123456789),
                        .offset = 8192,
                        .length = 12288,
                        .payloadCrc = 77};
    const auto out = smoo::toSmoo(write, 0x70001, 4096);
    QVERIFY2(out.has_value(), qPrintable(textOf(out)));
    QCOMPARE(*out, (smoo::Request{.op = smoo::Op::Write,
                                  .requestId = 0x70001,
                                  .exportId = ExportId(3),
                                  .lba = Lba(2),
                                  .numBlocks = 3}));
    const auto in = smoo::fromSmoo(*out, Epoch(9), 4096);
    QVERIFY2(in.has_value(), qPrintable(textOf(in)));
    QCOMPARE(*in, (Request{.op = Op::Write,
                           .exportId = ExportId(3),
                           .epoch = Epoch(9),
                           .sequence = Sequence(0x70001),
                           .offset = 8192,
                           .length = 12288}));

    // A flush: no lba on the way out, any lba and count on the way in.
    const Request flush{.op = Op::Flush, .exportId = ExportId(3), .epoch = Epoch(9)};
    QCOMPARE(smoo::toSmoo(flush, 4, 512).value(),
             (smoo::Request{.op = smoo::Op::Flush, .requestId = 4, .exportId = ExportId(3)}));
    smoo::Request odd = kFlush;
    odd.lba = Lba(~0ull);
    odd.numBlocks = ~0u;
    const auto flushed = smoo::fromSmoo(odd, Epoch(9), 65536);
    QVERIFY2(flushed.has_value(), qPrintable(textOf(flushed)));
    QCOMPARE(flushed->op, Op::Flush);
    QCOMPARE(flushed->offset, 0u);
    QCOMPARE(flushed->length, 0u);

    for (auto op : {Op::Read, Op::Discard}) {
        Request other = write;
        other.op = op;
        QCOMPARE(smoo::fromSmoo(smoo::toSmoo(other, 1, 512).value(), Epoch(9), 512).value().op, op);
    }
}

void WireSmooTest::mapsResponses() {
    const auto in = smoo::fromSmoo(kFailedWrite, Epoch(9), 512);
    QVERIFY2(in.has_value(), qPrintable(textOf(in)));
    QCOMPARE(*in, (Response{.op = Op::Write,
                            .status = 5,
                            .exportId = ExportId(1),
                            .epoch = Epoch(9),
                            .sequence = Sequence(0xFFFF000F),
                            .offset = 4096,
                            .length = 8192}));
    const Response out{.op = Op::Write,
                       .status = EROFS,
                       .flags = kFlagDurable,
                       .exportId = ExportId(1),
                       .epoch = Epoch(9),
                       .sequence = Sequence(0xFFFF000F),
                       .offset = 4096,
                       .length = 8192,
                       .verifier = Verifier(3),
                       .stableUpTo = Sequence(4)};
    QCOMPARE(smoo::toSmoo(out, 0xFFFF000F, 512).value(), kFailedWrite);
}

void WireSmooTest::mappingRefusesWhatDoesNotFit() {
    const Request read{.op = Op::Read, .exportId = ExportId(1), .offset = 512, .length = 512};
    const auto refusedOut = [](Request request, std::uint32_t blockSize) {
        return textOf(smoo::toSmoo(request, 1, blockSize));
    };
    const auto refusedIn = [](std::uint64_t lba, std::uint32_t count, std::uint32_t blockSize) {
        smoo::Request request = kRead;
        request.lba = Lba(lba);
        request.numBlocks = count;
        return textOf(smoo::fromSmoo(request, Epoch(1), blockSize));
    };
    for (std::uint32_t size : {0u, 1u, 256u, 513u, 131072u}) {
        QVERIFY(refusedOut(read, size).contains(QLatin1String("not a block size")));
        QVERIFY(refusedIn(0, 1, size).contains(QLatin1String("not a block size")));
    }
    QVERIFY(refusedOut(read, 1024).contains(QLatin1String("offset is no multiple")));
    Request odd = read;
    odd.offset = 1024;
    QVERIFY(refusedOut(odd, 1024).contains(QLatin1String("length is no multiple")));
    odd = read;
    odd.op = Op::WriteZeroes;
    QVERIFY(refusedOut(odd, 512).contains(QLatin1String("no such operation")));
    odd = read;
    odd.flags = kFlagFua;
    QVERIFY(refusedOut(odd, 512).contains(QLatin1String("cannot say FUA")));
    QVERIFY(!smoo::toSmoo(Response{.op = Op::WriteZeroes}, 1, 512));

    QVERIFY(refusedIn(0, 0x800000, 512).contains(QLatin1String("beyond 4 GiB")));
    QCOMPARE(refusedIn(0, 0x7FFFFF, 512), QStringLiteral("accepted"));
    QVERIFY(refusedIn(0, 0x10000, 65536).contains(QLatin1String("beyond 4 GiB")));
    QCOMPARE(refusedIn(0, 0xFFFF, 65536), QStringLiteral("accepted"));
    // The last byte that can be counted is 2^64 - 2.
    QVERIFY(refusedIn(~0ull, 1, 512).contains(QLatin1String("beyond 2^64")));
    QVERIFY(refusedIn(0x007FFFFFFFFFFFFF, 1, 512).contains(QLatin1String("beyond 2^64")));
    QCOMPARE(refusedIn(0x007FFFFFFFFFFFFE, 1, 512), QStringLiteral("accepted"));
}

void WireSmooTest::mapsStatus() {
    for (int kept : {0, EIO, EINVAL, EOPNOTSUPP, ENOSPC})
        QCOMPARE(int{smoo::statusToSmoo(kept)}, kept);
    for (int other : {EROFS, EACCES, ENOMEM, EAGAIN, ETIMEDOUT, 256, -5, 255})
        QCOMPARE(int{smoo::statusToSmoo(other)}, EIO);
}

QTEST_GUILESS_MAIN(WireSmooTest)
#include "tst_wire_smoo.moc"
