// smoo_gadget [duplicate | new-session | silent | too-long | unflushed | long | fastboot]: a gadget
// as smoo's, on dummy_udc.0.
//
// Refuses all of ep0 but IDENT, CONFIG_EXPORTS and STATUS. Once configured and asked for STATUS it
// plays an initiator on the first export: writes patterns, several at once, reads them back, and
// says "verified" or what went wrong. What the first session does instead, if asked to:
//   duplicate    sends a request whose id is outstanding, as a gadget does that has reset itself
//   new-session  has another session id from its second STATUS on
//   silent       refuses STATUS after the first; says how long the host took to begin anew
//   too-long     asks for more than 32 MiB at once
// The sessions after that are honest.
//
// A reset takes its link down; STATUS brings it up again, but not before a back-off of a second is
// over, and does not tell. A new export's device is started as soon as it is configured: if the
// link is down then, the partition scan's reads are parked, nobody sends them again, and the device
// never comes. One that is there already stays, and its requests wait for the link. In every
// session:
//   unflushed    fills the first 8 MiB with A5, says so and how long it took, and does no more: a
//                smoo gadget's kernel flushes nothing, because it was told of no cache
//   long         before it does as the others: requests of 4 MiB, as with --max-io 4M, two at once
//   fastboot     its interface looks like a boot loader's, as with --mimic-fastboot
#include "core/base/log.h"
#include "tests/vm/hostile/fake_gadget.h"
#include "tests/vm/hostile/smoo_wire.h"

#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>

using namespace belay;
using namespace smoo;
using hostile::FakeGadget;
using hostile::FakeInterface;

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kFillBytes = 8 << 20;
constexpr auto kBackoff = std::chrono::seconds(1);
constexpr std::size_t kTransferBytes = 256 << 10;

void say(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

class Gadget {
 public:
    Gadget(FakeInterface& side, std::string trick) : side_(side), trick_(std::move(trick)) {
        side_.onSetup = [this](const auto& request) { return setup(request); };
        side_.onData = [this](const auto&, ConstByteSpan data) { configured(data); };
        side_.onEnabled = [this](bool on) { enabled(on); };
        thread_ = std::thread([this] { play(); });
    }
    ~Gadget() {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

 private:
    std::optional<Bytes> setup(const ffs::SetupRequest& request) {
        const auto is = [&](std::uint8_t type, std::uint8_t number) {
            return request.requestType == type && request.request == number && request.value == 0;
        };
        if (is(kVendorIn, kIdent))
            return bytesOf(Ident());
        if (is(kVendorOut, kConfigExports))
            return Bytes();
        if (is(kClassIn, kStatus))
            return status();
        return std::nullopt;
    }

    std::optional<Bytes> status() {
        const std::lock_guard lock(mutex_);
        if (SteadyClock::now() - offline_ >= kBackoff)
            online_ = true;
        if (export_.id == 0 || !online_ || !sameAs(device_))
            return bytesOf(statusNow());
        if (trick_ == "silent" && polls_ > 0 && sessions_ == 1)
            return std::nullopt;
        if (trick_ == "new-session" && polls_ == 2 && sessions_ == 1) {
            say("another session id");
            ++session_;
            device_ = {};
        }
        if (++polls_ == 1) {
            ++sessions_;
            changed_.notify_all();
        }
        alive_ = SteadyClock::now();
        return bytesOf(statusNow());
    }

    Status statusNow() const {
        const bool active = device_.id != 0;
        return {
            .flags = static_cast<std::uint16_t>(active), .exports = active, .session = session_};
    }

    bool sameAs(const Export& device) const {
        return export_.id == device.id && export_.blockSize == device.blockSize &&
               export_.size == device.size;
    }

    void configured(ConstByteSpan data) {
        if (data.size() < sizeof(Config) + sizeof(Export) ||
            from<Config>(data).count * sizeof(Export) + sizeof(Config) != data.size()) {
            say("CONFIG_EXPORTS of a wrong length");
            return;
        }
        const std::lock_guard lock(mutex_);
        export_ = from<Export>(data.subspan(sizeof(Config)));
        polls_ = 0;
        const auto after = SteadyClock::now() - offline_;
        say("configured: export " + std::to_string(export_.id) + ", " +
            std::to_string(export_.size) + " bytes in blocks of " +
            std::to_string(export_.blockSize) + ", " +
            std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(after).count()) +
            " ms after the reset");
        if (sameAs(device_))
            return;
        if (online_)
            device_ = export_;
        else
            say("WRONG: its device starts while the link is down, and never comes");
    }

    void enabled(bool on) {
        if (on)
            return;
        const std::lock_guard lock(mutex_);
        if (sessions_ > 0 && export_.id != 0)
            say("reset " +
                std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   SteadyClock::now() - alive_)
                                   .count()) +
                " ms after its last sign of life");
        export_ = {};
        online_ = false;
        offline_ = SteadyClock::now();
    }

    void play() {
        int played = 0;
        for (;;) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return ending_ || sessions_ != played; });
            if (ending_)
                return;
            played = sessions_;
            disk_ = export_;
            lock.unlock();
            if (trick_ == "duplicate" && played == 1)
                sendTwice();
            else if (trick_ == "too-long" && played == 1)
                askTooMuch();
            else if (trick_ == "unflushed")
                fill();
            else
                say((trick_ != "long" || longRequests()) && work() ? "verified" : "session ended");
        }
    }

    bool send(const Message& message) {
        return side_.write(ffs::Endpoint::MessageIn, bytesOf(message));
    }

    // The payload of the first stays away, so that it is outstanding for certain.
    void sendTwice() {
        const Message write{.op = kWrite, .id = 5, .exportId = disk_.id, .lba = 0, .blocks = 8};
        if (send(write))
            send(write);
        say("sent the same id twice");
    }

    void askTooMuch() {
        const std::uint32_t blocks = (32U << 20) / disk_.blockSize + 1;
        send({.op = kRead, .id = 6, .exportId = disk_.id, .lba = 0, .blocks = blocks});
        say("asked for too much");
    }

    bool longRequests() {
        const std::uint32_t count = (4U << 20) / disk_.blockSize;
        std::map<std::uint32_t, Message> batch;
        for (std::uint32_t id = 0; id < 2; ++id)
            batch[id] = {
                .op = kWrite, .id = id, .exportId = disk_.id, .lba = id * count, .blocks = count};
        std::map<std::uint32_t, Bytes> data;
        if (!writeAll(batch, data))
            return false;
        for (auto& [id, message] : batch)
            message.op = kRead;
        if (!readAll(batch, data))
            return false;
        say("long requests verified");
        return true;
    }

    bool answer(std::map<std::uint32_t, Message>& outstanding, std::uint8_t status = 0) {
        const auto transfer = side_.read(ffs::Endpoint::MessageOut, sizeof(Message));
        if (!transfer)
            return false;
        if (transfer->size() != sizeof(Message)) {
            say("WRONG: a response of " + std::to_string(transfer->size()) + " bytes");
            return false;
        }
        const Message response = from<Message>(*transfer);
        const auto found = outstanding.find(response.id);
        if (found == outstanding.end() || response.exportId != disk_.id ||
            response.op != found->second.op || !answersBlocks(response, found->second) ||
            (response.op != kFlush && response.lba != found->second.lba)) {
            say("WRONG: a response that echoes no request");
            return false;
        }
        if (response.status != status) {
            say("WRONG: status " + std::to_string(response.status));
            return false;
        }
        answeredId_ = response.id;
        answeredBlocks_ = response.blocks;
        const std::lock_guard lock(mutex_);
        alive_ = SteadyClock::now();
        return true;
    }

    // Of a read that is longer than most, the beginning will do: ublk_drv then asks for the rest.
    bool answersBlocks(const Message& response, const Message& request) const {
        if (request.op == kRead && std::uint64_t{request.blocks} * disk_.blockSize > (1 << 20))
            return response.blocks > 0 && response.blocks <= request.blocks;
        return response.blocks == request.blocks;
    }

    std::uint64_t contentOf() { return trick_ == "unflushed" ? 0xa5a5'a5a5'a5a5'a5a5 : random_(); }

    void fill() {
        const auto begun = SteadyClock::now();
        const std::uint32_t count = (256U << 10) / disk_.blockSize;
        std::uint64_t at = 0;
        while (at * disk_.blockSize < kFillBytes) {
            std::map<std::uint32_t, Message> batch;
            for (std::uint32_t id = 0; id < 8; ++id, at += count)
                batch[id] = {
                    .op = kWrite, .id = id, .exportId = disk_.id, .lba = at, .blocks = count};
            std::map<std::uint32_t, Bytes> data;
            if (!writeAll(std::move(batch), data)) {
                say("session ended");
                return;
            }
        }
        const auto taken =
            std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - begun);
        say("filled in " + std::to_string(taken.count()) + " ms");
    }

    // In transfers that FunctionFS has memory for.
    bool sendPayload(ConstByteSpan left) {
        for (; !left.empty(); left = left.subspan(std::min(left.size(), kTransferBytes)))
            if (!side_.write(ffs::Endpoint::PayloadIn,
                             left.first(std::min(left.size(), kTransferBytes))))
                return false;
        return true;
    }

    bool writeAll(std::map<std::uint32_t, Message> batch, std::map<std::uint32_t, Bytes>& data) {
        for (const auto& [id, message] : batch) {
            Bytes& payload = data[id];
            payload.resize(std::size_t{message.blocks} * disk_.blockSize);
            for (std::size_t i = 0; i < payload.size(); i += 8)
                storeLe<std::uint64_t>(payload, i, contentOf());
            if (!send(message) || !sendPayload(payload))
                return false;
        }
        while (!batch.empty()) {
            if (!answer(batch))
                return false;
            batch.erase(answeredId_);
        }
        return true;
    }

    bool readAll(std::map<std::uint32_t, Message> batch,
                 const std::map<std::uint32_t, Bytes>& data) {
        std::map<std::uint32_t, std::uint64_t> firstLba;
        for (const auto& [id, message] : batch) {
            firstLba[id] = message.lba;
            if (!send(message))
                return false;
        }
        while (!batch.empty()) {
            if (!answer(batch))
                return false;
            Message& read = batch.at(answeredId_);
            const std::size_t from = (read.lba - firstLba.at(answeredId_)) * disk_.blockSize;
            const ConstByteSpan expected = ConstByteSpan(data.at(answeredId_))
                                               .subspan(from, answeredBlocks_ * disk_.blockSize);
            Bytes got;
            while (got.size() < expected.size()) {
                const auto part =
                    side_.read(ffs::Endpoint::PayloadOut,
                               std::min(expected.size() - got.size(), kTransferBytes));
                if (!part)
                    return false;
                got.insert(got.end(), part->begin(), part->end());
            }
            if (!std::ranges::equal(got, expected)) {
                say("WRONG: other bytes than were written");
                return false;
            }
            read.lba += answeredBlocks_;
            read.blocks -= answeredBlocks_;
            if (read.blocks > 0) {
                if (!send(read))
                    return false;
                continue;
            }
            batch.erase(answeredId_);
        }
        return true;
    }

    // Ids from 0 on, in every round again; sizes from one block to 256 KiB.
    bool work() {
        const std::uint64_t blocks = disk_.size / disk_.blockSize;
        for (int round = 0; round < 6; ++round) {
            std::map<std::uint32_t, Message> batch;
            std::uint64_t at = random_() % (blocks / 2);
            for (std::uint32_t id = 0; id < 8; ++id) {
                const std::uint32_t most = (round == 5 ? 256U << 10 : 32U << 10) / disk_.blockSize;
                const auto count = static_cast<std::uint32_t>(
                    round == 0 ? 1
                               : std::min<std::uint64_t>(1 + random_() % most, (blocks - at) / 8));
                batch[id] = {
                    .op = kWrite, .id = id, .exportId = disk_.id, .lba = at, .blocks = count};
                at += count;
            }
            std::map<std::uint32_t, Bytes> data;
            if (!writeAll(batch, data))
                return false;
            for (auto& [id, message] : batch)
                message.op = kRead;
            if (!readAll(batch, data))
                return false;
        }
        return checkRest(blocks);
    }

    bool checkRest(std::uint64_t blocks) {
        // The kernel's flush requests begin nowhere.
        std::map<std::uint32_t, Message> flush;
        flush[1] = {.op = kFlush, .id = 1, .exportId = disk_.id, .lba = ~0ULL, .blocks = 0};
        if (!send(flush[1]) || !answer(flush))
            return false;
        std::map<std::uint32_t, Message> beyond;
        beyond[2] = {.op = kRead, .id = 2, .exportId = disk_.id, .lba = blocks, .blocks = 1};
        // No payload comes with an error, or the next read would show it.
        if (!send(beyond[2]) || !answer(beyond, 22))
            return false;
        std::map<std::uint32_t, Message> write;
        write[3] = {.op = kWrite, .id = 3, .exportId = disk_.id, .lba = 0, .blocks = 8};
        std::map<std::uint32_t, Bytes> data;
        if (!writeAll(write, data))
            return false;
        write[3].op = kRead;
        return readAll(write, data);
    }

    FakeInterface& side_;
    const std::string trick_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Export export_;  // as configured in this session
    Export device_;  // what there is a device of
    bool online_ = false;
    SteadyClock::time_point offline_;
    std::uint64_t session_ = std::random_device{}() + 1ULL;
    int polls_ = 0;
    int sessions_ = 0;
    // When it last answered STATUS, or took a response.
    SteadyClock::time_point alive_;
    bool ending_ = false;
    // The player's.
    Export disk_;
    std::uint32_t answeredId_ = 0;
    std::uint32_t answeredBlocks_ = 0;
    std::mt19937_64 random_{std::random_device{}()};
    std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    log::setup("smoo-gadget", log::Level::Notice);
    const std::string trick = argc > 1 ? argv[1] : "";
    FakeGadget gadget("SMOO", {ffs::Kind::Lend},
                      trick == "fastboot" ? ffs::LendTriple::Fastboot : ffs::LendTriple::Own);
    Gadget smoo(gadget.lend(), trick);
    gadget.plugIn();
    gadget.run();
}
