// hostile_host ABUSE: does one thing to belay-gadget that no honest host does, and checks what the
// gadget answers. 0 if it answered as it must; otherwise says what it did instead.
#include "core/wire/control_codec.h"
#include "core/wire/export_pages.h"
#include "core/wire/native.h"
#include "tests/vm/hostile/usb_peer.h"

#include <cerrno>
#include <cstdio>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

using namespace belay;
using hostile::Bytes;
using hostile::UsbPeer;
using wire::ControlRequest;
using wire::OpenState;
using wire::RefusedReason;

namespace {

constexpr std::uint8_t kAttach = 0x4e;
constexpr std::uint8_t kLend = 0x4d;
constexpr std::uint32_t kBlock = 4096;

std::mt19937_64 random_(1);

[[noreturn]] void wrong(const std::string& text) {
    throw std::runtime_error(text);
}

void need(bool so, const std::string& text) {
    if (!so)
        wrong(text);
}

std::uint8_t number(ControlRequest request) {
    return static_cast<std::uint8_t>(request);
}

template <std::size_t N>
Bytes bytesOf(const std::array<std::byte, N>& data) {
    return {data.begin(), data.end()};
}

Bytes noise(std::size_t size) {
    Bytes bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random_());
    return bytes;
}

template <class Message>
Bytes encoded(const Message& message) {
    std::array<std::byte, wire::NativeLayout::kBytes> bytes;
    wire::encode(message, bytes);
    return bytesOf(bytes);
}

// One interface of the gadget and the session on it, if any.
class Abuser {
 public:
    explicit Abuser(std::uint8_t protocol) : usb(UsbPeer::find(protocol)), lend(protocol == kLend) {
        need(usb != nullptr, "no gadget");
        need(usb->reset(), "the interface cannot be reset");
        const auto answer =
            usb->in(wire::kControlIn, number(ControlRequest::Hello), wire::HelloLayout::kBytes);
        const auto decoded = answer ? wire::decodeHello(*answer) : failure("no answer");
        need(decoded.has_value(), "no HELLO");
        hello = *decoded;
        open = {.maxTransfer = hello.maxTransfer,
                .maxOutstanding = hello.maxOutstanding,
                .epoch = Epoch(random_()),
                .host = Uuid::random()};
    }

    bool sendOpen(const Bytes& bytes) {
        return usb->out(wire::kControlOut, number(ControlRequest::Open), bytes);
    }
    bool sendOpen() { return sendOpen(bytesOf(wire::encode(open))); }

    wire::Opened opened() {
        const auto answer =
            usb->in(wire::kControlIn, number(ControlRequest::Opened), wire::OpenedLayout::kBytes);
        const auto decoded = answer ? wire::decodeOpened(*answer) : failure("no answer");
        need(decoded.has_value(), "no OPENED");
        return *decoded;
    }
    void needRefusal(RefusedReason reason) {
        const wire::Opened is = opened();
        need(is.state == OpenState::Refused && is.reason == reason,
             "not refused for the right reason: state " +
                 std::to_string(static_cast<int>(is.state)) + ", reason " +
                 std::to_string(static_cast<int>(is.reason)));
    }

    bool sendExports(const Bytes& page, std::uint16_t number_ = 0) {
        return usb->out(wire::kControlOut, number(ControlRequest::Exports), page, number_);
    }
    static wire::ExportInfo disk(std::uint32_t id = 1) {
        wire::ExportInfo info;
        info.id = ExportId(id);
        info.blockSize = kBlock;
        info.sizeBytes = 1 << 20;
        info.uuid.bytes = {0xba, 0xd0, 1};
        info.verifier = Verifier(5);
        info.label = "hostile";
        return info;
    }

    Bytes exportsPage() const {
        wire::ExportInfo info = disk();
        const bool shared = open.features != 0;
        info.guaranteed = shared ? 64 << 10 : 0;
        return wire::encodeExportsPage(open.epoch, std::array{info}, 0, shared ? 1 << 20 : 0);
    }

    void needSession() {
        need(sendOpen(), "OPEN failed");
        if (lend)
            need(sendExports(exportsPage()), "EXPORTS failed");
        for (int i = 0; i < 200; ++i) {
            const wire::Opened is = opened();
            need(is.state != OpenState::Refused, "an honest OPEN is refused");
            if (is.state == OpenState::Ready)
                return;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        wrong("the session never opens");
    }
    bool inSession() {
        const auto answer =
            usb->in(wire::kControlIn, number(ControlRequest::Status), wire::StatusLayout::kBytes);
        const auto status = answer ? wire::decodeStatus(*answer) : failure("no answer");
        need(status.has_value(), "no STATUS");
        return status->epoch == open.epoch;
    }
    void needEnd() {
        for (int i = 0; i < 100; ++i) {
            if (!inSession())
                return;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        wrong("the gadget keeps the session");
    }

    wire::Request request(wire::Op op = wire::Op::Read, std::uint64_t offset = 0) {
        wire::Request made;
        made.op = op;
        made.exportId = ExportId(1);
        made.epoch = open.epoch;
        made.sequence = Sequence(++sequence);
        made.offset = offset;
        made.length = kBlock;
        return made;
    }
    void send(const Bytes& transfer) {
        // A pipe that fails is an answer too: the session is over.
        static_cast<void>(usb->write(UsbPeer::MessageOut, transfer));
    }
    void send(const wire::Request& message) { send(encoded(message)); }
    void sendPayload(std::size_t bytes) {
        static_cast<void>(usb->write(UsbPeer::PayloadOut, noise(bytes)));
    }
    void needStatus(int status) {
        const auto transfer = usb->read(UsbPeer::MessageIn, 4096, 3000);
        const auto answer = transfer ? wire::decodeResponse(*transfer) : failure("no answer");
        need(answer.has_value(), "no answer");
        need(answer->status == status, "status " + std::to_string(answer->status));
    }
    // A read that is honest works.
    void needService() {
        send(request());
        needStatus(0);
        const auto payload = usb->read(UsbPeer::PayloadIn, kBlock, 3000);
        need(payload && payload->size() == kBlock, "no payload");
    }

    std::unique_ptr<UsbPeer> usb;
    const bool lend;
    wire::Hello hello;
    wire::Open open;
    std::uint64_t sequence = 0;
};

using Abuse = std::function<void()>;

Abuse badOpen(RefusedReason reason, std::function<void(wire::Open&)> change) {
    return [=] {
        Abuser host(kAttach);
        change(host.open);
        host.sendOpen();
        host.needRefusal(reason);
    };
}

Abuse badExports(std::function<Bytes(Epoch)> page) {
    return [=] {
        Abuser host(kLend);
        need(host.sendOpen(), "OPEN failed");
        host.sendExports(page(host.open.epoch));
        host.needRefusal(RefusedReason::BadExports);
    };
}

Abuse endsSession(std::function<void(Abuser&)> act) {
    return [=] {
        Abuser host(kAttach);
        host.needSession();
        act(host);
        host.needEnd();
    };
}

Abuse badRequest(int status, std::function<void(wire::Request&)> change) {
    return [=] {
        Abuser host(kAttach);
        host.needSession();
        wire::Request request = host.request();
        change(request);
        host.send(request);
        if (request.op == wire::Op::Write)
            host.sendPayload(request.length);
        host.needStatus(status);
        host.needService();
    };
}

// As target: `act` answers the gadget's first request.
Abuse badTarget(std::function<void(Abuser&, const wire::Request&)> act,
                std::uint32_t features = 0) {
    return [=] {
        Abuser host(kLend);
        host.open.features = features;
        host.needSession();
        for (int i = 0; i < 20; ++i) {
            const auto transfer = host.usb->read(UsbPeer::MessageIn, 4096, 1000);
            need(transfer.has_value(), "the pipe failed");
            if (transfer->size() < wire::NativeLayout::kBytes)
                continue;
            const auto request =
                wire::decodeRequest(ConstByteSpan(*transfer).first(wire::NativeLayout::kBytes));
            need(request.has_value(), "the gadget's request does not decode");
            act(host, *request);
            host.needEnd();
            return;
        }
        wrong("the gadget sends no request");
    };
}

wire::Response answerTo(const wire::Request& request) {
    wire::Response response;
    response.op = request.op;
    response.exportId = request.exportId;
    response.epoch = request.epoch;
    response.sequence = request.sequence;
    response.offset = request.offset;
    response.length = request.length;
    response.verifier = Abuser::disk().verifier;
    return response;
}

void controlNoise() {
    for (const std::uint8_t protocol : {kAttach, kLend}) {
        Abuser host(protocol);
        for (int i = 0; i < 150; ++i) {
            const std::uint64_t dice = random_();
            // Vendor, class and (reserved) requests to the interface.
            const auto type =
                static_cast<std::uint8_t>((dice & 0x60) == 0 ? 0x41 : (dice & 0x60) | 1);
            const auto request = static_cast<std::uint8_t>(
                (dice >> 8) % 3 == 0 ? 0x40 + (dice >> 16) % 6 : dice >> 16);
            const auto value = static_cast<std::uint16_t>(dice >> 24);
            const auto length = static_cast<std::uint16_t>((dice >> 40) % 4097);
            if ((dice & 0x80) != 0)
                host.usb->in(type | 0x80, request, length, value);
            else
                host.usb->out(type, request, noise(length), value);
        }
        host.sendOpen();
        host.opened();
    }
}

void openOften() {
    Abuser host(kAttach);
    for (int i = 0; i < 100; ++i) {
        host.open.epoch = Epoch(random_());
        need(host.sendOpen(), "OPEN failed");
    }
    host.needSession();
    host.needService();
}

// Leaves in the middle of a payload.
void vanish() {
    Abuser host(kAttach);
    host.needSession();
    wire::Request request = host.request(wire::Op::Write, 1ULL << 40);
    request.length = 1 << 20;
    host.send(request);
    host.sendPayload(64 * 1024);
}

// Reads without end, of whose answers it takes none.
void floodReads() {
    Abuser host(kAttach);
    host.needSession();
    for (int i = 0; i < 3000; ++i) {
        Bytes transfer;
        for (int j = 0; j < 7; ++j) {
            const Bytes one = encoded(host.request());
            transfer.insert(transfer.end(), one.begin(), one.end());
        }
        const auto moved = host.usb->write(UsbPeer::MessageOut, transfer, 200);
        if (!moved || *moved < transfer.size())
            break;
    }
    host.needEnd();
}

// More than all of the memory that it was told of, and no byte of it.
void exceedShare() {
    Abuser host(kAttach);
    host.open.features = wire::kFeaturePerExport;
    host.needSession();
    for (int i = 0; i < 32; ++i) {
        wire::Request request = host.request(wire::Op::Write);
        request.length = 1 << 20;
        host.send(request);
    }
    host.needEnd();
}

const std::map<std::string, Abuse>& abuses() {
    static const std::map<std::string, Abuse> all = {
        {"control-noise", controlNoise},
        {"open-short",
         [] {
             Abuser host(kAttach);
             host.sendOpen(noise(7));
             host.needRefusal(RefusedReason::BadMessage);
         }},
        {"open-oversize",
         [] {
             Abuser host(kAttach);
             host.sendOpen(noise(4096));
             host.needRefusal(RefusedReason::BadMessage);
         }},
        {"open-crc",
         [] {
             Abuser host(kAttach);
             Bytes bytes = bytesOf(wire::encode(host.open));
             bytes[20] ^= std::byte{1};
             host.sendOpen(bytes);
             host.needRefusal(RefusedReason::BadMessage);
         }},
        {"open-version", badOpen(RefusedReason::Version, [](wire::Open& o) { o.version = 2; })},
        {"open-features",
         badOpen(RefusedReason::Features, [](wire::Open& o) { o.features = 0xffff; })},
        {"open-limits",
         badOpen(RefusedReason::Limits, [](wire::Open& o) { o.maxTransfer = 0xfffffe00; })},
        {"open-requests",
         badOpen(RefusedReason::Limits, [](wire::Open& o) { o.maxOutstanding = 0xffff; })},
        {"open-no-epoch",
         badOpen(RefusedReason::BadMessage, [](wire::Open& o) { o.epoch = Epoch(0); })},
        {"open-often", openOften},
        {"exports-unasked",
         [] {
             Abuser host(kLend);
             need(!host.sendExports(noise(100)), "EXPORTS without OPEN is taken");
         }},
        {"exports-garbage", badExports([](Epoch) { return noise(152); })},
        {"exports-oversize", badExports([](Epoch) { return noise(4096); })},
        {"exports-duplicate", badExports([](Epoch epoch) {
             return wire::encodeExportsPage(epoch, std::array{Abuser::disk(3), Abuser::disk(3)}, 0);
         })},
        {"exports-empty-disk", badExports([](Epoch epoch) {
             wire::ExportInfo info = Abuser::disk();
             info.sizeBytes = 0;
             return wire::encodeExportsPage(epoch, std::array{info}, 0);
         })},
        {"exports-other-epoch", badExports([](Epoch epoch) {
             return wire::encodeExportsPage(Epoch(epoch.value + 1), std::array{Abuser::disk()}, 0);
         })},
        {"exports-no-page",
         [] {
             Abuser host(kAttach);
             host.needSession();
             need(!host.usb->in(wire::kControlIn, number(ControlRequest::Exports), 4096, 9999),
                  "a page that is not there is answered");
             host.needService();
         }},
        {"message-garbage", endsSession([](Abuser& host) { host.send(noise(64)); })},
        {"message-odd", endsSession([](Abuser& host) { host.send(noise(63)); })},
        {"message-other-epoch", endsSession([](Abuser& host) {
             wire::Request request = host.request();
             request.epoch.value += 1;
             host.send(request);
         })},
        {"message-is-answer",
         endsSession([](Abuser& host) { host.send(encoded(answerTo(host.request()))); })},
        {"sequence-twice", endsSession([](Abuser& host) {
             Bytes both = encoded(host.request());
             const Bytes again = both;
             both.insert(both.end(), again.begin(), again.end());
             host.send(both);
         })},
        {"read-too-long", endsSession([](Abuser& host) {
             wire::Request request = host.request();
             request.length = 0x80000000;
             host.send(request);
         })},
        {"write-too-long", endsSession([](Abuser& host) {
             wire::Request request = host.request(wire::Op::Write);
             request.length = 0xfffff000;
             host.send(request);
         })},
        {"write-empty", endsSession([](Abuser& host) {
             wire::Request request = host.request(wire::Op::Write);
             request.length = 0;
             host.send(request);
         })},
        {"payload-short", endsSession([](Abuser& host) {
             host.send(host.request(wire::Op::Write, 1ULL << 40));
             host.sendPayload(1000);
         })},
        {"read-past-end", badRequest(EINVAL, [](wire::Request& r) { r.offset = 1ULL << 40; })},
        {"read-wraps", badRequest(EINVAL, [](wire::Request& r) { r.offset = ~0ULL - 4095; })},
        {"read-odd", badRequest(EINVAL, [](wire::Request& r) { r.offset = 3; })},
        {"read-empty", badRequest(EINVAL, [](wire::Request& r) { r.length = 0; })},
        {"read-unknown-disk",
         badRequest(ENXIO, [](wire::Request& r) { r.exportId = ExportId(9); })},
        {"write-past-end", badRequest(EINVAL,
                                      [](wire::Request& r) {
                                          r.op = wire::Op::Write;
                                          r.offset = 1ULL << 40;
                                      })},
        // Begins inside of the store of 4 MiB, ends behind it.
        {"write-over-end", badRequest(EINVAL,
                                      [](wire::Request& r) {
                                          r.op = wire::Op::Write;
                                          r.offset = (4 << 20) - kBlock;
                                          r.length = 2 * kBlock;
                                      })},
        {"write-unknown-disk", badRequest(ENXIO,
                                          [](wire::Request& r) {
                                              r.op = wire::Op::Write;
                                              r.exportId = ExportId(9);
                                          })},
        // A payload that nothing has announced, and then a message.
        {"payload-unasked", endsSession([](Abuser& host) {
             host.sendPayload(700);
             host.send(noise(13));
         })},
        {"share-exceeded", exceedShare},
        {"vanish", vanish},
        {"flood-reads", floodReads},
        {"target-garbage",
         badTarget([](Abuser& host, const wire::Request&) { host.send(noise(64)); })},
        {"target-unknown", badTarget([](Abuser& host, const wire::Request& request) {
             wire::Response response = answerTo(request);
             response.sequence.value += 1000;
             host.send(encoded(response));
         })},
        {"target-other-offset", badTarget([](Abuser& host, const wire::Request& request) {
             wire::Response response = answerTo(request);
             response.offset += kBlock;
             host.send(encoded(response));
         })},
        {"target-short-payload", badTarget([](Abuser& host, const wire::Request& request) {
             host.send(encoded(answerTo(request)));
             host.sendPayload(request.length - 100);
         })},
        {"target-exports-garbage",
         badTarget([](Abuser& host, const wire::Request&) { host.sendExports(noise(152)); },
                   wire::kFeaturePerExport)},
        {"target-exports-unasked", badTarget([](Abuser& host, const wire::Request&) {
             need(!host.sendExports(host.exportsPage()), "EXPORTS in a session is taken");
             host.send(noise(64));
         })},
        // It leaves and comes back while its request is not answered.
        {"target-exports-flap",
         badTarget(
             [](Abuser& host, const wire::Request&) {
                 for (int i = 0; i < 50; ++i) {
                     need(
                         host.sendExports(wire::encodeExportsPage(host.open.epoch, {}, 0, 1 << 20)),
                         "an empty list is not taken");
                     need(host.sendExports(host.exportsPage()), "the list is not taken");
                 }
                 need(host.inSession(), "the session has ended");
                 host.send(noise(64));
             },
             wire::kFeaturePerExport)},
        {"target-odd", badTarget([](Abuser& host, const wire::Request&) { host.send(noise(65)); })},
    };
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    const auto found = abuses().find(argc == 2 ? argv[1] : "");
    if (found == abuses().end()) {
        for (const auto& [name, abuse] : abuses())
            std::puts(name.c_str());
        return 2;
    }
    try {
        found->second();
    } catch (const std::exception& problem) {
        std::printf("%s: %s\n", argv[1], problem.what());
        return 1;
    }
    return 0;
}
