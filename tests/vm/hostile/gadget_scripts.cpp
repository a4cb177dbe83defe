#include "tests/vm/hostile/gadget_scripts.h"

#include "core/base/crc32c.h"
#include "core/wire/control_codec.h"
#include "core/wire/export_pages.h"
#include "core/wire/native.h"

#include <cstdio>
#include <limits>
#include <random>

namespace hostile {

using namespace belay;
using wire::OpenState;

namespace {

constexpr std::uint32_t kBlock = 4096;

template <std::size_t N>
Bytes bytesOf(const std::array<std::byte, N>& data) {
    return {data.begin(), data.end()};
}

template <class Message>
Bytes encoded(const Message& message) {
    std::array<std::byte, wire::NativeLayout::kBytes> bytes;
    wire::encode(message, bytes);
    return bytesOf(bytes);
}

Bytes noise(std::size_t size) {
    static std::mt19937_64 random(1);
    Bytes bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random());
    return bytes;
}

// Another value for a field of a page, with the CRC made right again.
Bytes resealed(Bytes page) {
    using P = wire::PageLayout;
    const ConstByteSpan bytes(page);
    wire::put<P::kCrc>(page, crc32c(bytes.subspan(P::kBytes), crc32c(bytes.first(P::kCrc.offset))));
    return page;
}

// A list of one disk, after `change`.
Script listWith(std::function<void(wire::ExportInfo&)> change) {
    Script script;
    script.exports = [change](Epoch epoch, std::uint16_t page) {
        wire::ExportInfo info = disk();
        change(info);
        return wire::encodeExportsPage(epoch, std::array{info}, page);
    };
    return script;
}

// One page, after `change` of its bytes.
Script pageWith(std::function<void(Bytes&)> change) {
    Script script;
    script.exports = [change](Epoch epoch, std::uint16_t page) {
        Bytes bytes = wire::encodeExportsPage(epoch, std::array{disk()}, page);
        change(bytes);
        return bytes;
    };
    return script;
}

Script helloWith(std::function<void(wire::Hello&)> change) {
    Script script;
    script.hello = [change](wire::Hello hello) {
        change(hello);
        return bytesOf(wire::encode(hello));
    };
    return script;
}

Script helloBytes(std::function<void(Bytes&)> change) {
    Script script;
    script.hello = [change](const wire::Hello& hello) {
        Bytes bytes = bytesOf(wire::encode(hello));
        change(bytes);
        return bytes;
    };
    return script;
}

Script openedAs(std::function<std::optional<Bytes>(const wire::Open&)> opened) {
    Script script;
    script.opened = std::move(opened);
    return script;
}

Script refusing(OpenState state, wire::RefusedReason reason, std::uint64_t epochChange = 0) {
    return openedAs([=](const wire::Open& open) {
        return bytesOf(
            wire::encode(wire::Opened{Epoch(open.epoch.value + epochChange), state, reason}));
    });
}

// Answers to requests, after `change`.
Script answerWith(std::function<void(wire::Response&)> change) {
    Script script;
    script.request = [change](const Session& session, const wire::Request& request) {
        wire::Response response = session.answerTo(request);
        change(response);
        return session.send(response);
    };
    return script;
}

Script onRequest(std::function<bool(const Session&, const wire::Request&)> request) {
    Script script;
    script.request = std::move(request);
    return script;
}

Script onBegin(std::function<bool(const Session&)> begin) {
    Script script;
    script.begin = std::move(begin);
    return script;
}

// A payload of another length than the request's, after an honest answer.
Script payloadOf(std::function<std::size_t(std::size_t)> length) {
    return onRequest([length](const Session& session, const wire::Request& request) {
        return session.send(session.answerTo(request)) &&
               session.sendPayload(length(request.length));
    });
}

Script initiator(std::function<void(const Session&)> play) {
    Script script;
    script.initiator = std::move(play);
    return script;
}

// One request of an initiator, after `change`, and what comes back.
Script requestWith(std::function<void(wire::Request&)> change) {
    return initiator([change](const Session& session) {
        wire::Request request = session.read();
        change(request);
        if (!session.send(request) ||
            (request.op == wire::Op::Write && !session.sendPayload(kBlock)))
            return;
        const auto answer = session.side.read(ffs::Endpoint::MessageOut, 4096);
        if (!answer)
            return;
        if (const auto response = wire::decodeResponse(*answer)) {
            std::printf("status %u\n", response->status);
            std::fflush(stdout);
        }
    });
}

Script endless(std::function<Bytes(const Session&)> transfer, bool asInitiator) {
    const auto flood = [transfer](const Session& session) {
        while (session.send(transfer(session)) && !FakeGadget::isEnding()) {
        }
        return false;
    };
    return asInitiator ? initiator(flood) : onBegin(flood);
}

std::map<std::string, Script> openings() {
    std::map<std::string, Script> all;
    all["hello-magic"] = helloBytes([](Bytes& bytes) { bytes[0] = std::byte{'b'}; });
    all["hello-short"] = helloBytes([](Bytes& bytes) { bytes.resize(20); });
    all["hello-one-byte"] = helloBytes([](Bytes& bytes) { bytes.resize(1); });
    all["hello-crc"] = helloBytes([](Bytes& bytes) { bytes[21] ^= std::byte{1}; });
    all["hello-version"] = helloWith([](wire::Hello& hello) { hello.version = 99; });
    all["hello-no-transfer"] = helloWith([](wire::Hello& hello) { hello.maxTransfer = 0; });
    all["hello-odd-transfer"] = helloWith([](wire::Hello& hello) { hello.maxTransfer = 1000; });
    all["hello-no-requests"] = helloWith([](wire::Hello& hello) { hello.maxOutstanding = 0; });
    all["hello-many-exports"] = helloWith([](wire::Hello& hello) { hello.maxExports = 60000; });
    all["hello-absurd"] = helloWith([](wire::Hello& hello) {
        hello.maxTransfer = 0xfffffe00;
        hello.maxOutstanding = 0xffff;
        hello.features = ~wire::kFeaturePerExport;  // that is more than a bit
    });
    all["hello-stall"].hello = [](const wire::Hello&) { return std::optional<Bytes>(); };
    all["hello-silent"].hello = [](const wire::Hello&) {
        FakeGadget::sleep(60'000);
        return std::optional<Bytes>();
    };
    all["open-stall"].stallsOpen = true;
    all["opened-stall"] = openedAs([](const wire::Open&) { return std::optional<Bytes>(); });
    all["opened-garbage"] = openedAs([](const wire::Open&) { return noise(16); });
    all["opened-other-epoch"] = refusing(OpenState::Ready, wire::RefusedReason::None, 1);
    all["opened-never"] = refusing(OpenState::Draining, wire::RefusedReason::None);
    all["opened-refused"] = refusing(OpenState::Refused, wire::RefusedReason::NoStore);
    return all;
}

std::map<std::string, Script> lists() {
    using P = wire::PageLayout;
    using E = wire::ExportLayout;
    std::map<std::string, Script> all;
    all["list-stall"].exports = [](Epoch, std::uint16_t) { return std::optional<Bytes>(); };
    all["list-duplicate"].exports = [](Epoch epoch, std::uint16_t page) {
        return wire::encodeExportsPage(epoch, std::array{disk(7), disk(7)}, page);
    };
    all["list-too-many"] = pageWith([](Bytes& page) {
        wire::put<P::kTotal>(page, std::uint16_t{257});
        page = resealed(page);
    });
    all["list-count"] = pageWith([](Bytes& page) {
        wire::put<P::kCount>(page, std::uint16_t{9});
        page = resealed(page);
    });
    all["list-short"] = pageWith([](Bytes& page) { page.resize(10); });
    all["list-crc"] = pageWith([](Bytes& page) { page[P::kBytes] ^= std::byte{1}; });
    all["list-other-epoch"] = pageWith([](Bytes& page) {
        page[0] ^= std::byte{1};
        page = resealed(page);
    });
    all["list-label"] = pageWith([](Bytes& page) {
        page[P::kBytes + E::kLabel.offset] = std::byte{0xff};
        page = resealed(page);
    });
    all["list-zero-size"] = listWith([](wire::ExportInfo& info) { info.sizeBytes = 0; });
    all["list-odd-size"] = listWith([](wire::ExportInfo& info) { info.sizeBytes = 4097; });
    all["list-block-size"] = listWith([](wire::ExportInfo& info) { info.blockSize = 3000; });
    all["list-id-0"] = listWith([](wire::ExportInfo& info) { info.id = ExportId(0); });
    // Whole blocks, but more than any file or device can have.
    all["list-huge"] = listWith([](wire::ExportInfo& info) {
        info.sizeBytes = std::numeric_limits<std::uint64_t>::max() - 4095;
    });
    return all;
}

std::map<std::string, Script> answers() {
    std::map<std::string, Script> all;
    all["answer-unknown"] = answerWith([](wire::Response& r) { r.sequence.value += 1000; });
    all["answer-other-epoch"] = answerWith([](wire::Response& r) { r.epoch.value += 1; });
    all["answer-other-offset"] = answerWith([](wire::Response& r) { r.offset += kBlock; });
    all["answer-longer"] = answerWith([](wire::Response& r) { r.length += kBlock; });
    all["answer-past-end"] = answerWith([](wire::Response& r) { r.length = 0xfffff000; });
    all["answer-other-op"] = answerWith([](wire::Response& r) {
        r.op = wire::Op::Flush;
        r.offset = r.length = 0;
    });
    all["answer-other-disk"] = answerWith([](wire::Response& r) { r.exportId = ExportId(2); });
    all["answer-verifier"] = answerWith([](wire::Response& r) { r.verifier.value += 1; });
    all["answer-crc"] = onRequest([](const Session& session, const wire::Request& request) {
        Bytes bytes = encoded(session.answerTo(request));
        bytes[30] ^= std::byte{1};
        return session.send(bytes);
    });
    all["answer-twice"] = onRequest([](const Session& session, const wire::Request& request) {
        wire::Response response = session.answerTo(request);
        Bytes both = encoded(response);
        const Bytes again = both;
        both.insert(both.end(), again.begin(), again.end());
        return session.send(both);
    });
    all["answer-odd"] = onRequest([](const Session& session, const wire::Request& request) {
        Bytes bytes = encoded(session.answerTo(request));
        bytes.pop_back();
        return session.send(bytes);
    });
    all["answer-garbage"] = onRequest([](const Session& session, const wire::Request&) {
        return session.send(noise(wire::NativeLayout::kBytes));
    });
    all["answer-never"] = onRequest([](const Session&, const wire::Request&) { return true; });
    all["answer-never-nor-status"] = all["answer-never"];
    all["answer-never-nor-status"].stallsStatus = true;
    all["payload-short"] = payloadOf([](std::size_t length) { return length - 512 - 100; });
    all["payload-long"] = payloadOf([](std::size_t length) { return length + 512; });
    all["payload-wrong-crc"] = onRequest([](const Session& session, const wire::Request& request) {
        wire::Response response = session.answerTo(request);
        response.payloadCrc ^= 1;
        return session.send(response) && session.sendPayload(request.length);
    });
    all["payload-never"] = onRequest([](const Session& session, const wire::Request& request) {
        return session.send(session.answerTo(request));
    });
    all["stall-messages"] = onRequest([](const Session& session, const wire::Request&) {
        session.side.halt(ffs::Endpoint::MessageIn);
        return false;
    });
    all["stall-all"] = onBegin([](const Session& session) {
        for (const auto endpoint : ffs::kAllEndpoints)
            session.side.halt(endpoint);
        return false;
    });
    all["flood-garbage"] = endless([](const Session&) { return noise(4096); }, false);
    all["flood-answers"] = endless(
        [](const Session& session) { return encoded(session.answerTo(session.read())); }, false);
    all["unplug"] = onRequest([](const Session& session, const wire::Request&) {
        session.gadget.unplug();
        if (FakeGadget::sleep(300))
            session.gadget.plugIn();
        return false;
    });
    return all;
}

std::map<std::string, Script> requests() {
    std::map<std::string, Script> all;
    all["request-past-end"] = requestWith([](wire::Request& r) { r.offset = 1ULL << 40; });
    all["request-wraps"] = requestWith([](wire::Request& r) { r.offset = 0xfffffffffffff000; });
    all["request-odd"] = requestWith([](wire::Request& r) { r.offset = 1; });
    all["request-unknown-disk"] = requestWith([](wire::Request& r) { r.exportId = ExportId(99); });
    all["request-empty"] = requestWith([](wire::Request& r) { r.length = 0; });
    all["write-past-end"] = requestWith([](wire::Request& r) {
        r.op = wire::Op::Write;
        r.offset = 1ULL << 40;
    });
    all["write-unknown-disk"] = requestWith([](wire::Request& r) {
        r.op = wire::Op::Write;
        r.exportId = ExportId(99);
    });
    all["write-empty"] = requestWith([](wire::Request& r) {
        r.op = wire::Op::Write;
        r.length = 0;
    });
    all["request-too-long"] = requestWith([](wire::Request& r) { r.length = 0x80000000; });
    all["request-other-epoch"] = requestWith([](wire::Request& r) { r.epoch.value += 1; });
    all["request-twice"] = initiator([](const Session& session) {
        wire::Request request = session.read();
        request.op = wire::Op::Flush;
        request.offset = request.length = 0;
        Bytes both = encoded(request);
        const Bytes again = both;
        both.insert(both.end(), again.begin(), again.end());
        session.send(both);
    });
    all["request-garbage"] =
        initiator([](const Session& session) { session.send(noise(wire::NativeLayout::kBytes)); });
    all["request-is-answer"] =
        initiator([](const Session& session) { session.send(session.answerTo(session.read())); });
    all["write-short"] = initiator([](const Session& session) {
        wire::Request request = session.read();
        request.op = wire::Op::Write;
        request.offset = 1ULL << 40;
        if (session.send(request))
            session.sendPayload(1000);
    });
    // None of whose answers it ever takes.
    all["flood-requests"] = endless(
        [](const Session& session) {
            static std::uint64_t sequence = 1;
            Bytes transfer;
            for (int i = 0; i < 7; ++i) {
                wire::Request request = session.read();
                request.sequence = Sequence(++sequence);
                const Bytes one = encoded(request);
                transfer.insert(transfer.end(), one.begin(), one.end());
            }
            return transfer;
        },
        true);
    all["flood-request-garbage"] = endless([](const Session&) { return noise(448); }, true);
    return all;
}

}  // namespace

wire::ExportInfo disk(std::uint32_t id) {
    wire::ExportInfo info;
    info.id = ExportId(id);
    info.blockSize = kBlock;
    info.sizeBytes = kDiskBytes;
    info.uuid.bytes = {0xba, 0xd0, 0xba, 0xd0, 1};
    info.verifier = Verifier(5);
    info.label = "hostile";
    return info;
}

bool Session::send(const wire::Request& request) const {
    return send(encoded(request));
}
bool Session::send(const wire::Response& response) const {
    return send(encoded(response));
}
bool Session::send(const Bytes& transfer) const {
    return side.write(ffs::Endpoint::MessageIn, transfer);
}
bool Session::sendPayload(std::size_t bytes) const {
    return side.write(ffs::Endpoint::PayloadIn, Bytes(bytes));
}

wire::Response Session::answerTo(const wire::Request& request) const {
    wire::Response response;
    response.op = request.op;
    response.exportId = request.exportId;
    response.epoch = request.epoch;
    response.sequence = request.sequence;
    response.offset = request.offset;
    response.length = request.length;
    response.verifier = disk().verifier;
    if (request.op == wire::Op::Read && (terms.features & wire::kFeaturePayloadCrc) != 0)
        response.payloadCrc = crc32c(Bytes(request.length));
    return response;
}

wire::Request Session::read() const {
    wire::Request request;
    request.exportId = ExportId(1);
    request.epoch = terms.epoch;
    request.sequence = Sequence(1);
    request.length = kBlock;
    return request;
}

const std::map<std::string, Script>& scripts() {
    static const std::map<std::string, Script> all = [] {
        std::map<std::string, Script> merged = openings();
        merged.merge(lists());
        merged.merge(answers());
        merged.merge(requests());
        merged["honest"].begin = [](const Session&) { return true; };
        return merged;
    }();
    return all;
}

}  // namespace hostile
