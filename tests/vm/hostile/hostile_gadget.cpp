// hostile_gadget SCRIPT: a gadget on dummy_udc.0 that follows one of gadget_scripts.cpp.
#include "core/base/log.h"
#include "core/wire/control_codec.h"
#include "core/wire/export_pages.h"
#include "core/wire/native.h"
#include "tests/vm/hostile/gadget_scripts.h"

#include <signal.h>
#include <sys/prctl.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

using namespace belay;
using namespace hostile;

namespace {

constexpr std::size_t kMessages = 64 * wire::NativeLayout::kBytes;

template <std::size_t N>
Bytes bytesOf(const std::array<std::byte, N>& data) {
    return {data.begin(), data.end()};
}

// One interface: ep0 as the script says, and a thread that plays each session.
class Player {
 public:
    Player(FakeGadget& gadget, FakeInterface& side, std::uint16_t role, const Script& script)
        : gadget_(gadget), side_(side), role_(role), script_(script) {
        side_.onSetup = [this](const auto& request) { return setup(request); };
        side_.onData = [this](const auto& request, ConstByteSpan data) {
            if (request.request == static_cast<std::uint8_t>(wire::ControlRequest::Open))
                open(data);
        };
        thread_ = std::thread([this] { play(); });
    }
    ~Player() {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

 private:
    std::optional<Bytes> setup(const ffs::SetupRequest& request) {
        using wire::ControlRequest;
        switch (static_cast<ControlRequest>(request.request)) {
            case ControlRequest::Hello: {
                wire::Hello hello{.roles = role_,
                                  .features = wire::kFeaturePayloadCrc,
                                  .maxTransfer = 1 << 20,
                                  .maxOutstanding = 64,
                                  .maxExports = 256,
                                  .gadget = Uuid::random(),
                                  .bootId = Uuid::random(),
                                  .verifier = Verifier(1)};
                return script_.hello ? script_.hello(hello) : bytesOf(wire::encode(hello));
            }
            case ControlRequest::Open:
                return script_.stallsOpen ? std::nullopt : std::optional(Bytes());
            case ControlRequest::Opened:
                if (script_.opened)
                    return script_.opened(terms_);
                begin();
                return bytesOf(
                    wire::encode(wire::Opened{terms_.epoch, wire::OpenState::Ready, {}}));
            case ControlRequest::Exports:
                if (!request.isIn())
                    return Bytes();
                if (script_.exports)
                    return script_.exports(terms_.epoch, request.value);
                if (script_.request || script_.begin)
                    return wire::encodeExportsPage(terms_.epoch, std::array{disk()}, request.value);
                return wire::encodeExportsPage(terms_.epoch, {}, request.value);
            case ControlRequest::Status:
                if (script_.stallsStatus)
                    return std::nullopt;
                return bytesOf(wire::encode(wire::Status{.epoch = terms_.epoch}));
        }
        return std::nullopt;
    }

    void open(ConstByteSpan data) {
        if (const auto open = wire::decodeOpen(data)) {
            terms_ = *open;
            std::printf("open: %u bytes, %u requests\n", terms_.maxTransfer, terms_.maxOutstanding);
            std::fflush(stdout);
        }
    }

    void begin() {
        {
            const std::lock_guard lock(mutex_);
            ++sessions_;
            playing_ = terms_;
        }
        changed_.notify_all();
    }

    void play() {
        std::uint64_t played = 0;
        for (;;) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return ending_ || sessions_ != played; });
            if (ending_)
                return;
            played = sessions_;
            const Session session{gadget_, side_, playing_};
            lock.unlock();
            if (role_ == wire::kRoleLend) {
                if (script_.initiator)
                    script_.initiator(session);
            } else {
                target(session);
            }
        }
    }

    void target(const Session& session) {
        if (script_.begin && !script_.begin(session))
            return;
        for (;;) {
            const auto transfer = side_.read(ffs::Endpoint::MessageOut, kMessages);
            if (!transfer)
                return;
            for (ConstByteSpan rest = *transfer; rest.size() >= wire::NativeLayout::kBytes;
                 rest = rest.subspan(wire::NativeLayout::kBytes)) {
                const auto request = wire::decodeRequest(rest.first(wire::NativeLayout::kBytes));
                if (!request || !answer(session, *request))
                    return;
            }
        }
    }

    bool answer(const Session& session, const wire::Request& request) {
        // The first of all it answers as an honest one would: else no device is made.
        if (script_.request && std::exchange(trusted_, true))
            return script_.request(session, request);
        if (request.op == wire::Op::Write && !side_.read(ffs::Endpoint::PayloadOut, request.length))
            return false;
        return session.send(session.answerTo(request)) &&
               (request.op != wire::Op::Read || session.sendPayload(request.length));
    }

    FakeGadget& gadget_;
    FakeInterface& side_;
    const std::uint16_t role_;
    const Script& script_;
    wire::Open terms_;  // the gadget's thread
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t sessions_ = 0;
    wire::Open playing_;
    bool ending_ = false;
    bool trusted_ = false;  // the first request is answered
    std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    log::setup("hostile-gadget", log::Level::Notice);
    const auto found = scripts().find(argc == 2 ? argv[1] : "");
    if (found == scripts().end()) {
        for (const auto& [name, script] : scripts())
            std::puts(name.c_str());
        return 2;
    }
    FakeGadget gadget("HOSTILE", {ffs::Kind::Attach, ffs::Kind::Lend});
    {
        Player attach(gadget, gadget.attach(), wire::kRoleAttach, found->second);
        Player lend(gadget, gadget.lend(), wire::kRoleLend, found->second);
        gadget.plugIn();
        gadget.run();
    }
    return 0;
}
