#include "core/wire/native.h"
#include "tests/unit/wire_bytes.h"

#include <QTest>
#include <set>

using namespace belay;
using namespace belay::wire;

namespace {

constexpr Epoch kEpoch{0x1122334455667788};
constexpr Verifier kVerifier{0xCAFEF00DD00DF00D};

using L = NativeLayout;

Bytes bytesOf(const Request& request) {
    Bytes out(L::kBytes, std::byte{0xA5});
    encode(request, NativeMessage(out));
    return out;
}

Bytes bytesOf(const Response& response) {
    Bytes out(L::kBytes, std::byte{0xA5});
    encode(response, NativeMessage(out));
    return out;
}

Request requestOf(Op op) {
    Request r{.op = op, .exportId = ExportId(7), .epoch = kEpoch};
    r.sequence = Sequence(static_cast<std::uint64_t>(op) + 1);
    if (op != Op::Flush) {
        r.offset = 0x200000;
        r.length = 0x1000;
    }
    if (carriesPayload(op))
        r.payloadCrc = 0xDEADBEEF;
    return r;
}

Response responseOf(Op op, std::uint8_t status) {
    const Request q = requestOf(op);
    return Response{.op = op,
                    .status = status,
                    .exportId = q.exportId,
                    .epoch = q.epoch,
                    .sequence = q.sequence,
                    .offset = q.offset,
                    .length = q.length,
                    .payloadCrc = returnsPayload(op) && status == 0 ? 0x12345678u : 0u,
                    .verifier = kVerifier,
                    .stableUpTo = Sequence(2)};
}

constexpr std::array kOps{Op::Read, Op::Write, Op::Flush, Op::Discard, Op::WriteZeroes};

struct GoldenRequest {
    const char* name;
    Request request;
    const char* hex;
};

struct GoldenResponse {
    const char* name;
    Response response;
    const char* hex;
};

// The bytes were put together by hand from the layout's table; the CRCs come from a bit-by-bit
// CRC32C of another program.
const GoldenRequest kRequests[] = {
    {"read",
     {.op = Op::Read,
      .exportId = ExportId(7),
      .epoch = kEpoch,
      .sequence = Sequence(1),
      .offset = 0x1000,
      .length = 0x2000},
     "00 00 00 00 07 00 00 00 88 77 66 55 44 33 22 11 "
     "01 00 00 00 00 00 00 00 00 10 00 00 00 00 00 00 "
     "00 20 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 00 00 00 00 00 00 00 00 00 00 6b 97 d8 d8"},
    {"write, FUA, replayed",
     {.op = Op::Write,
      .flags = kFlagFua | kFlagReplay,
      .exportId = ExportId(0x0A0B0C0D),
      .epoch = kEpoch,
      .sequence = Sequence(0x0102030405060708),
      .offset = 0x8000000000,
      .length = 0x100000,
      .payloadCrc = 0xDEADBEEF},
     "01 00 03 00 0d 0c 0b 0a 88 77 66 55 44 33 22 11 "
     "08 07 06 05 04 03 02 01 00 00 00 00 80 00 00 00 "
     "00 00 10 00 ef be ad de 00 00 00 00 00 00 00 00 "
     "00 00 00 00 00 00 00 00 00 00 00 00 de 9d e0 87"},
    {"flush",
     {.op = Op::Flush, .exportId = ExportId(7), .epoch = kEpoch, .sequence = Sequence(3)},
     "02 00 00 00 07 00 00 00 88 77 66 55 44 33 22 11 "
     "03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 00 00 00 00 00 00 00 00 00 00 ea 60 39 02"},
    {"discard",
     {.op = Op::Discard,
      .exportId = ExportId(7),
      .epoch = kEpoch,
      .sequence = Sequence(4),
      .offset = 0x200000,
      .length = 0x40000000},
     "03 00 00 00 07 00 00 00 88 77 66 55 44 33 22 11 "
     "04 00 00 00 00 00 00 00 00 00 20 00 00 00 00 00 "
     "00 00 00 40 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 00 00 00 00 00 00 00 00 00 00 59 08 cb 17"},
    {"write zeroes, no unmap",
     {.op = Op::WriteZeroes,
      .flags = kFlagNoUnmap,
      .exportId = ExportId(7),
      .epoch = kEpoch,
      .sequence = Sequence(5),
      .offset = 0x200000,
      .length = 0x1000},
     "04 00 04 00 07 00 00 00 88 77 66 55 44 33 22 11 "
     "05 00 00 00 00 00 00 00 00 00 20 00 00 00 00 00 "
     "00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 00 00 00 00 00 00 00 00 00 00 ca fd 8a b9"},
};

const GoldenResponse kResponses[] = {
    {"read",
     {.op = Op::Read,
      .exportId = ExportId(7),
      .epoch = kEpoch,
      .sequence = Sequence(1),
      .offset = 0x1000,
      .length = 0x2000,
      .payloadCrc = 0x12345678,
      .verifier = kVerifier},
     "80 00 00 00 07 00 00 00 88 77 66 55 44 33 22 11 "
     "01 00 00 00 00 00 00 00 00 10 00 00 00 00 00 00 "
     "00 20 00 00 78 56 34 12 0d f0 0d d0 0d f0 fe ca "
     "00 00 00 00 00 00 00 00 00 00 00 00 47 bc 7b bd"},
    {"write, durable",
     {.op = Op::Write,
      .flags = kFlagDurable,
      .exportId = ExportId(0x0A0B0C0D),
      .epoch = kEpoch,
      .sequence = Sequence(0x0102030405060708),
      .offset = 0x8000000000,
      .length = 0x100000,
      .verifier = kVerifier,
      .stableUpTo = Sequence(0x0102030405060700)},
     "81 00 08 00 0d 0c 0b 0a 88 77 66 55 44 33 22 11 "
     "08 07 06 05 04 03 02 01 00 00 00 00 80 00 00 00 "
     "00 00 10 00 00 00 00 00 0d f0 0d d0 0d f0 fe ca "
     "00 07 06 05 04 03 02 01 00 00 00 00 b3 4a 27 64"},
    {"flush, EIO",
     {.op = Op::Flush,
      .status = 5,
      .exportId = ExportId(7),
      .epoch = kEpoch,
      .sequence = Sequence(3),
      .verifier = kVerifier},
     "82 05 00 00 07 00 00 00 88 77 66 55 44 33 22 11 "
     "03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 00 00 00 00 00 00 0d f0 0d d0 0d f0 fe ca "
     "00 00 00 00 00 00 00 00 00 00 00 00 4b f4 c1 71"},
    {"discard, EOPNOTSUPP",
     {.op = Op::Discard,
      .status = 95,
      .exportId = ExportId(7),
      .epoch = kEpoch,
      .sequence = Sequence(4),
      .offset = 0x200000,
      .length = 0x40000000,
      .verifier = kVerifier,
      .stableUpTo = Sequence(2)},
     "83 5f 00 00 07 00 00 00 88 77 66 55 44 33 22 11 "
     "04 00 00 00 00 00 00 00 00 00 20 00 00 00 00 00 "
     "00 00 00 40 00 00 00 00 0d f0 0d d0 0d f0 fe ca "
     "02 00 00 00 00 00 00 00 00 00 00 00 4f 03 c2 ae"},
    {"write zeroes, ENOSPC",
     {.op = Op::WriteZeroes,
      .status = 28,
      .exportId = ExportId(7),
      .epoch = kEpoch,
      .sequence = Sequence(5),
      .offset = 0x200000,
      .length = 0x1000,
      .verifier = kVerifier,
      .stableUpTo = Sequence(2)},
     "84 1c 00 00 07 00 00 00 88 77 66 55 44 33 22 11 "
     "05 00 00 00 00 00 00 00 00 00 20 00 00 00 00 00 "
     "00 10 00 00 00 00 00 00 0d f0 0d d0 0d f0 fe ca "
     "02 00 00 00 00 00 00 00 00 00 00 00 8f 81 13 af"},
};

struct Refusal {
    const char* text;  // what the error must begin with
    Bytes message;
};

}  // namespace

class WireNativeTest : public QObject {
    Q_OBJECT
 private slots:
    void goldenRequests();
    void goldenResponses();
    void roundTrips();
    void everyCorruptByteIsRefused();
    void everyOtherLengthIsRefused();
    void badRequestsAreRefused();
    void badResponsesAreRefused();
    void valuesAtTheEndsPass();
};

void WireNativeTest::goldenRequests() {
    for (const GoldenRequest& golden : kRequests) {
        QCOMPARE(toHex(bytesOf(golden.request)), QByteArray(golden.hex));
        const auto decoded = decodeRequest(fromHex(golden.hex));
        QVERIFY2(decoded.has_value(), qPrintable(golden.name + textOf(decoded)));
        QVERIFY2(*decoded == golden.request, golden.name);
    }
}

void WireNativeTest::goldenResponses() {
    for (const GoldenResponse& golden : kResponses) {
        QCOMPARE(toHex(bytesOf(golden.response)), QByteArray(golden.hex));
        const auto decoded = decodeResponse(fromHex(golden.hex));
        QVERIFY2(decoded.has_value(), qPrintable(golden.name + textOf(decoded)));
        QVERIFY2(*decoded == golden.response, golden.name);
    }
}

void WireNativeTest::roundTrips() {
    for (Op op : kOps) {
        for (std::uint16_t flags = 0; flags <= kRequestFlags; ++flags) {
            if ((flags & ~kRequestFlags) != 0)
                continue;
            Request request = requestOf(op);
            request.flags = flags;
            const auto decoded = decodeRequest(bytesOf(request));
            QVERIFY2(decoded.has_value(), qPrintable(textOf(decoded)));
            QCOMPARE(*decoded, request);
        }
        for (int status = 0; status < 256; ++status) {
            Response response = responseOf(op, static_cast<std::uint8_t>(status));
            response.flags = status % 2 == 0 ? kFlagDurable : std::uint16_t{0};
            const auto decoded = decodeResponse(bytesOf(response));
            QVERIFY2(decoded.has_value(), qPrintable(textOf(decoded)));
            QCOMPARE(*decoded, response);
        }
    }
}

void WireNativeTest::everyCorruptByteIsRefused() {
    for (const GoldenRequest& golden : kRequests)
        everyByteCounts(fromHex(golden.hex),
                        [](const Bytes& b) { return decodeRequest(b).has_value(); });
    for (const GoldenResponse& golden : kResponses)
        everyByteCounts(fromHex(golden.hex),
                        [](const Bytes& b) { return decodeResponse(b).has_value(); });
}

void WireNativeTest::everyOtherLengthIsRefused() {
    everyLengthCounts(bytesOf(requestOf(Op::Read)),
                      [](const Bytes& b) { return decodeRequest(b).has_value(); });
    everyLengthCounts(bytesOf(responseOf(Op::Read, 0)),
                      [](const Bytes& b) { return decodeResponse(b).has_value(); });
}

void WireNativeTest::badRequestsAreRefused() {
    const Bytes read = bytesOf(requestOf(Op::Read));
    const Bytes flush = bytesOf(requestOf(Op::Flush));
    Bytes wrongCrc = read;
    wrongCrc[L::kCrc.offset] ^= std::byte{1};
    const Refusal refusals[] = {
        {"native request refused: wrong length 63 bytes", Bytes(63)},
        {"native request refused: wrong CRC", wrongCrc},
        {"native request refused: wrong direction op 0x80", withField(read, L::kOp, 0x80)},
        {"native request refused: unknown op 0x05", withField(read, L::kOp, 5)},
        {"native request refused: unknown op 0x7f", withField(read, L::kOp, 0x7F)},
        {"native request refused: unknown flags 0x0008", withField(read, L::kFlags, kFlagDurable)},
        {"native request refused: unknown flags 0x8000", withField(read, L::kFlags, 0x8000)},
        {"native request refused: status is not 0 5", withField(read, L::kStatus, 5)},
        {"native request refused: verifier is not 0", withField(read, L::kVerifier, 1)},
        {"native request refused: stable-up-to is not 0", withField(read, L::kStableUpTo, 1)},
        {"native request refused: reserved bytes are not 0", withField(read, L::kReserved, 1)},
        {"native request refused: no epoch", withField(read, L::kEpoch, 0)},
        {"native request refused: no export id", withField(read, L::kExportId, 0)},
        {"native request refused: flush with an offset 512", withField(flush, L::kOffset, 512)},
        {"native request refused: flush with a length 512", withField(flush, L::kLength, 512)},
        {"native request refused: payload CRC without a payload",
         withField(read, L::kPayloadCrc, 1)},
    };
    std::set<std::string> distinct;
    for (const Refusal& refusal : refusals) {
        const auto decoded = decodeRequest(refusal.message);
        QVERIFY2(textOf(decoded).startsWith(QLatin1String(refusal.text)),
                 qPrintable(textOf(decoded)));
        distinct.insert(decoded.error().what);
    }
    // Two pairs above show the same refusal at two values.
    QCOMPARE(distinct.size(), std::size(refusals) - 2);
}

void WireNativeTest::badResponsesAreRefused() {
    const Bytes read = bytesOf(responseOf(Op::Read, 0));
    const Bytes write = bytesOf(responseOf(Op::Write, 0));
    const Bytes flush = bytesOf(responseOf(Op::Flush, 0));
    Bytes wrongCrc = read;
    wrongCrc[L::kCrc.offset] ^= std::byte{1};
    const Refusal refusals[] = {
        {"native response refused: wrong length 0 bytes", {}},
        {"native response refused: wrong CRC", wrongCrc},
        {"native response refused: wrong direction op 0x00", withField(read, L::kOp, 0)},
        {"native response refused: unknown op 0x85", withField(read, L::kOp, 0x85)},
        {"native response refused: unknown flags 0x0001", withField(read, L::kFlags, kFlagFua)},
        {"native response refused: reserved bytes are not 0", withField(read, L::kReserved, 1)},
        {"native response refused: no epoch", withField(read, L::kEpoch, 0)},
        {"native response refused: no export id", withField(read, L::kExportId, 0)},
        {"native response refused: flush with an offset", withField(flush, L::kOffset, 512)},
        {"native response refused: flush with a length", withField(flush, L::kLength, 512)},
        {"native response refused: payload CRC without a payload",
         withField(write, L::kPayloadCrc, 1)},
        {"native response refused: payload CRC without a payload", withField(read, L::kStatus, 5)},
    };
    for (const Refusal& refusal : refusals) {
        const auto decoded = decodeResponse(refusal.message);
        QVERIFY2(textOf(decoded).startsWith(QLatin1String(refusal.text)),
                 qPrintable(textOf(decoded)));
    }
}

void WireNativeTest::valuesAtTheEndsPass() {
    Request request = requestOf(Op::Write);
    request.exportId = ExportId(~0u);
    request.epoch = Epoch(~0ull);
    request.sequence = Sequence(~0ull);
    request.offset = ~0ull;
    request.length = ~0u;
    request.payloadCrc = ~0u;
    QCOMPARE(decodeRequest(bytesOf(request)).value(), request);
    // No sequence is special to the codec, and a payload may well have the CRC 0.
    request.sequence = Sequence(0);
    request.payloadCrc = 0;
    QCOMPARE(decodeRequest(bytesOf(request)).value(), request);
}

QTEST_GUILESS_MAIN(WireNativeTest)
#include "tst_wire_native.moc"
