#include "helper/worker/device_server.h"

#include "core/base/log.h"
#include "helper/protocol/export_json.h"
#include "helper/protocol/request_words.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

namespace belay::helper {
namespace {

constexpr auto kBringupDeadline = std::chrono::seconds(10);
// How often it is looked whether what was held is answered.
constexpr auto kCatchUpPoll = std::chrono::milliseconds(5);
// How long after all was saved the memory of a write log is given back, if it is empty again then.
// Much longer than a busy file system leaves between two flushes.
constexpr auto kTrimDelay = std::chrono::seconds(5);
// When more memory for a write log is asked for again that the system did not have.
constexpr auto kGrowAgain = std::chrono::milliseconds(100);

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // since Linux 5.14
#endif

const char* stateText(session::EntryState state) {
    switch (state) {
        case session::EntryState::Parked:
            return "parked";
        case session::EntryState::Sent:
            return "sent";
        case session::EntryState::Filling:
            break;
    }
    return "answered";
}

const char* verdictText(session::Resume resume) {
    switch (resume) {
        case session::Resume::Same:
            return "same";
        case session::Resume::DifferentDisk:
            return "different-disk";
        case session::Resume::DataMayBeMissing:
            break;
    }
    return "data-may-be-missing";
}

std::int64_t ageMs(TimePoint since) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since).count();
}

}  // namespace

// Has the memory of a write log there, page tables and all, so that nobody waits who writes to it:
// whom it takes long, because the system has none to spare, is a worker of the ring.
class DeviceServer::LogGrowth final : public Operation {
 public:
    LogGrowth(DeviceServer& server, DeviceId device, std::shared_ptr<SharedMemory> memory,
              ByteSpan part, std::size_t bytes)
        : server_(&server), device_(device), memory_(std::move(memory)), bytes_(bytes) {
        io_uring_prep_madvise(server.ring_.prepare(this), part.data(),
                              static_cast<off_t>(part.size()), MADV_POPULATE_WRITE);
    }

    // The device goes. Its memory stays mapped until the kernel is done.
    void orphan() { server_ = nullptr; }

    void complete(int result, std::uint32_t) override {
        const std::unique_ptr<LogGrowth> self(this);
        if (server_ != nullptr)
            server_->logHasGrown(device_, bytes_, result);
    }

 private:
    DeviceServer* server_;
    DeviceId device_;
    std::shared_ptr<SharedMemory> memory_;
    std::size_t bytes_;
};

DeviceServer::DeviceServer(Ring& ring, ublk::ServerControl& control, SupervisorLink& supervisor,
                           FatalHandler onFatal)
    : ring_(ring),
      control_(control),
      supervisor_(supervisor),
      onFatal_(std::move(onFatal)),
      engine_(ring, *this) {}

DeviceServer::~DeviceServer() {
    for (const auto& [device, served] : devices_)
        if (served.growth != nullptr)
            served.growth->orphan();
}

bool DeviceServer::handle(const Json& message, std::vector<Fd>& fds) {
    const auto type = message.at("type").get<std::string>();
    if (type == "serve") {
        serve(message, fds);
        return true;
    }
    if (type != "fail" && type != "resume" && type != "accept-loss")
        return false;
    const DeviceId device(message.at("device").get<std::uint32_t>());
    if (!has(device))
        return true;
    if (type == "fail") {
        engine_.failDevice(device);
        // It will not become live, whatever the target says.
        Served& served = devices_.at(device);
        served.isNew = false;
        if (std::exchange(served.probing, false))
            tellServing(device);
    } else if (type == "resume") {
        engine_.resumeDevice(device);
        // It may have left the session when it was failed.
        if (open_ && !engine_.isIn(device))
            offer(device);
    } else {
        engine_.forgiveMissingData(device);
        offer(device);
    }
    return true;
}

void DeviceServer::serve(const Json& message, std::vector<Fd>& fds) {
    const DeviceId device(message.at("device").get<std::uint32_t>());
    if (const auto found = devices_.find(device); found != devices_.end()) {
        // A supervisor that came while its predecessor's word was being carried out: what becomes
        // of that is the answer.
        if (found->second.serving)
            supervisor_.send({{"type", "serving"}, {"device", device.value}});
        return;
    }
    Served& served = devices_[device];
    served.known = exportFromJson(message.at("export"));
    served.maxIo = message.at("maxIo").get<std::uint32_t>();
    const bool unsavedUnknown = message.at("unsaved").get<bool>();
    if (fds.size() == 1)
        openLog(device, served, unsavedUnknown, std::move(fds.front()));
    ublk::Queue& queue =
        engine_.addDevice(device, message.at("depth").get<std::uint16_t>(), served.known,
                          unsavedUnknown, served.log ? &*served.log : nullptr);
    served.isNew = !message.at("recover").get<bool>();
    // Requests arrive before the bring-up is over, and END_USER_RECOVERY or START_DEV may wait
    // for their answers: the export is joined first.
    offer(device);
    if (served.isNew && served.verdict != "same") {
        refuse(device, false,
               errorFrom(ENOTCONN, "start", served.known.label,
                         "The session in which it was offered has ended")
                   .value());
        engine_.removeDevice(device);
        devices_.erase(device);
        return;
    }
    const auto kind = served.isNew ? ublk::Bringup::Kind::Start : ublk::Bringup::Kind::Recover;
    served.bringup = std::make_unique<ublk::Bringup>(ring_, control_, queue, device, kind);
    served.bringup->begin(kBringupDeadline, [this, device](auto outcome, const Error& error) {
        broughtUp(device, outcome, error);
    });
}

void DeviceServer::refuse(DeviceId device, bool lost, const Error& error) {
    supervisor_.send({{"type", "serve-failed"},
                      {"device", device.value},
                      {"lost", lost},
                      {"error", toJson(error)}});
}

// Without a log all goes as it does when a log is incomplete.
void DeviceServer::openLog(DeviceId device, Served& served, bool unsavedUnknown, Fd memory) {
    auto mapped = SharedMemory::map(std::move(memory), session::WriteLog::kLeastBytes,
                                    session::WriteLog::kMostBytes);
    if (!mapped) {
        log::warning("{}: its write log: {}", ublk::diskName(device), mapped.error().message());
        return;
    }
    served.logMemory = std::make_shared<SharedMemory>(std::move(*mapped));
    served.log.emplace(served.logMemory->bytes(), served.known.uuid, served.known.verifier,
                       unsavedUnknown);
    // The user has accepted that what is not in it may be missing.
    if (!unsavedUnknown && !served.log->complete())
        served.log->restart(served.known.verifier);
    served.log->useFirst(0);
    growLog(device, served, std::max(served.log->usable(), session::WriteLog::kKeptBytes));
}

void DeviceServer::growLog(DeviceId device, Served& served, std::size_t bytes) {
    if (served.growth == nullptr)
        served.growth =
            new LogGrowth(*this, device, served.logMemory, served.log->first(bytes), bytes);
}

void DeviceServer::logHasGrown(DeviceId device, std::size_t bytes, int result) {
    Served& served = devices_.at(device);
    served.growth = nullptr;
    if (result == 0) {
        served.log->useFirst(bytes);
        engine_.logHasGrown(device);
        return;
    }
    log::debug("{}: no memory for {} KiB of write log: {}", ublk::diskName(device), bytes >> 10,
               errorFrom(result, "populate").value().message());
    served.growingAgain = ring_.callAfter(kGrowAgain, [this, device, bytes] {
        Served& waiting = devices_.at(device);
        waiting.growingAgain.reset();
        growLog(device, waiting,
                std::min(bytes, std::max(waiting.log->wanted(), session::WriteLog::kKeptBytes)));
    });
}

void DeviceServer::logIsShort(DeviceId device) {
    Served& served = devices_.at(device);
    if (!served.growingAgain)
        growLog(device, served, served.log->wanted());
}

void DeviceServer::broughtUp(DeviceId device, ublk::Bringup::Outcome outcome, const Error& error) {
    Served& served = devices_.at(device);
    if (outcome == ublk::Bringup::Outcome::Serving) {
        served.serving = true;
        served.probing = served.isNew && served.verdict == "same";
        if (served.probing)
            engine_.probe(device);
        else
            tellServing(device);
        return;
    }
    refuse(device, outcome == ublk::Bringup::Outcome::Lost, error);
    // Another process may succeed where this one cannot, and one that has begun to fetch is the
    // device's server until it is gone.
    if (outcome == ublk::Bringup::Outcome::NotThisProcess ||
        served.bringup->step() >= ublk::Bringup::Step::Fetching) {
        onFatal_(error);
        return;
    }
    forget(device);
}

// As long as nothing has come back, a session is open only as far as we know.
void DeviceServer::probed(DeviceId device) {
    if (std::exchange(devices_.at(device).probing, false))
        tellServing(device);
}

void DeviceServer::tellServing(DeviceId device) {
    supervisor_.send({{"type", "serving"}, {"device", device.value}});
    devices_.at(device).offeredAt = Clock::now();
    watchCatchingUp(device, Duration::zero());
}

void DeviceServer::exportsOffered(const std::vector<wire::ExportInfo>& exports,
                                  const engine::TargetTraits& traits) {
    open_ = true;
    exports_ = exports;
    traits_ = traits;
    tellExports();
    for (const auto& [device, served] : devices_)
        if (has(device))
            offer(device);
}

// Whoever is in the session as before notices nothing.
void DeviceServer::exportsChanged(const std::vector<wire::ExportInfo>& exports) {
    exports_ = exports;
    tellExports();
    for (auto& [device, served] : devices_) {
        if (!has(device))
            continue;
        const wire::ExportInfo* counterpart = counterpartOf(served.known);
        const bool goesOn = counterpart != nullptr && counterpart->ready &&
                            counterpart->uuid == served.known.uuid &&
                            counterpart->id == served.offered.id;
        if (engine_.isIn(device) && goesOn)
            continue;
        if (engine_.isIn(device))
            engine_.exportLeft(device);
        // Who is being failed comes back when it is resumed.
        if (!goesOn || !engine_.isFailing(device))
            offer(device);
        if (served.verdict != "same" && std::exchange(served.probing, false))
            tellServing(device);
    }
}

void DeviceServer::tellExports() {
    Json list = Json::array();
    for (const wire::ExportInfo& info : exports_)
        list.push_back(toJson(info));
    supervisor_.send({{"type", "exports"},
                      {"list", list},
                      {"fua", traits_.fua},
                      {"maxTransfer", traits_.maxTransfer}});
}

void DeviceServer::exportsLost(const Error& reason) {
    open_ = false;
    exports_.clear();
    supervisor_.send({{"type", "link-lost"}, {"reason", reason.message()}});
    for (auto& [device, served] : devices_) {
        served.verdict.clear();
        if (has(device) && std::exchange(served.probing, false))
            tellServing(device);
    }
}

// Joins a device with its export in the present session, if it is there and still the same.
void DeviceServer::offer(DeviceId device) {
    if (!open_)
        return;
    Served& served = devices_.at(device);
    served.caughtUp = false;
    const wire::ExportInfo* found = counterpartOf(served.known);
    if (found == nullptr || !found->ready) {
        served.verdict = "missing";
    } else if (found->uuid == served.known.uuid && traits_.maxTransfer < served.maxIo) {
        served.verdict = "incompatible";
    } else {
        const auto resume = engine_.exportOffered(device, *found);
        served.verdict = verdictText(resume);
        if (resume == session::Resume::Same) {
            served.known = engine_.known(device);
            served.offeredAt = Clock::now();
            if (served.probing)
                engine_.probe(device);
            if (served.serving)
                watchCatchingUp(device, Duration::zero());
        }
    }
    if (found != nullptr)
        served.offered = *found;
    // As long as the write log is sent again, the verifier to remember is the old one.
    if (served.verdict == "same")
        served.offered = served.known;
    tellVerdict(device);
}

// The export itself, or the one of its name that has taken its place: of that the user must know,
// who would otherwise wait for a disk that does not come.
const wire::ExportInfo* DeviceServer::counterpartOf(const wire::ExportInfo& known) const {
    auto found = std::ranges::find(exports_, known.uuid, &wire::ExportInfo::uuid);
    if (found == exports_.end())
        found = std::ranges::find_if(exports_, [&](const wire::ExportInfo& offered) {
            return offered.label == known.label &&
                   std::ranges::none_of(devices_, [&](const auto& item) {
                       return item.second.known.uuid == offered.uuid;
                   });
        });
    return found == exports_.end() ? nullptr : &*found;
}

void DeviceServer::tellVerdict(DeviceId device) {
    const Served& served = devices_.at(device);
    if (served.verdict == "missing")
        supervisor_.send({{"type", "missing"},
                          {"device", device.value},
                          {"offered", counterpartOf(served.known) != nullptr}});
    else
        supervisor_.send({{"type", "offered"},
                          {"device", device.value},
                          {"verdict", served.verdict},
                          {"export", toJson(served.offered)}});
}

Json DeviceServer::served() const {
    Json list = Json::array();
    for (const auto& [device, served] : devices_)
        if (has(device) && served.serving)
            list.push_back(device.value);
    return list;
}

void DeviceServer::tellAll() {
    if (open_)
        tellExports();
    else
        supervisor_.send({{"type", "link-lost"}, {"reason", "the other side is not there yet"}});
    for (const auto& [device, served] : devices_) {
        if (!has(device))
            continue;
        if (served.serving)
            supervisor_.send({{"type", "serving"}, {"device", device.value}});
        if (open_)
            tellVerdict(device);
        if (served.logMemory)
            supervisor_.send({{"type", "write-log"}, {"device", device.value}},
                             {served.logMemory->fd().get()});
        if (open_ && served.caughtUp)
            supervisor_.send({{"type", "caught-up"}, {"device", device.value}});
    }
}

void DeviceServer::watchCatchingUp(DeviceId device, Duration delay) {
    Served& served = devices_.at(device);
    if (served.catchingUp)
        ring_.cancel(*served.catchingUp);
    served.catchingUp = ring_.callAfter(delay, [this, device] {
        Served& waiting = devices_.at(device);
        waiting.catchingUp.reset();
        const auto oldest = engine_.counters(device).oldest;
        if (!open_ || waiting.verdict != "same")
            return;  // the next session's offer looks again
        if (engine_.isReplaying(device) || (oldest && *oldest < waiting.offeredAt)) {
            watchCatchingUp(device, kCatchUpPoll);
            return;
        }
        waiting.caughtUp = true;
        supervisor_.send({{"type", "caught-up"}, {"device", device.value}});
    });
}

void DeviceServer::forget(DeviceId device) {
    engine_.removeDevice(device);
    Served& served = devices_.at(device);
    for (auto* timer : {&served.catchingUp, &served.trimming, &served.growingAgain})
        if (*timer)
            ring_.cancel(*std::exchange(*timer, std::nullopt));
    if (served.growth != nullptr)
        std::exchange(served.growth, nullptr)->orphan();
    ring_.callAtEndOfTurn([this, device] { devices_.erase(device); });
}

// One that is forgotten stays in the list until the end of the turn, for who is going through it.
bool DeviceServer::has(DeviceId device) const {
    return devices_.contains(device) && engine_.hasDevice(device);
}

void DeviceServer::deviceStopped(DeviceId device, const Error& reason) {
    if (reason.code != ENODEV) {
        onFatal_(reason);
        return;
    }
    supervisor_.send({{"type", "stopped"}, {"device", device.value}});
    forget(device);
}

void DeviceServer::verifierTaken(DeviceId device) {
    Served& served = devices_.at(device);
    served.known = served.offered = engine_.known(device);
    supervisor_.send(
        {{"type", "known"}, {"device", device.value}, {"export", toJson(served.known)}});
}

void DeviceServer::replayEnded(DeviceId device, bool saved) {
    Served& served = devices_.at(device);
    if (saved) {
        log::notice("{}: what the other side had lost is saved again", ublk::diskName(device));
        verifierTaken(device);
    } else {
        if (served.catchingUp)
            ring_.cancel(*std::exchange(served.catchingUp, std::nullopt));
        served.verdict = verdictText(session::Resume::DataMayBeMissing);
        tellVerdict(device);
    }
}

void DeviceServer::allSaved(DeviceId device) {
    Served& saved = devices_.at(device);
    if (!saved.log || saved.trimming)
        return;
    saved.trimming = ring_.callAfter(kTrimDelay, [this, device] {
        Served& served = devices_.at(device);
        served.trimming.reset();
        if (served.growth != nullptr)
            return;  // it is in use, and this is asked again
        if (auto given = served.logMemory->giveBack(served.log->takeSpare()); !given)
            log::warning("{}: {}", ublk::diskName(device), given.error().message());
    });
}

Json DeviceServer::report(bool withRequests) {
    Json devices = Json::array();
    for (const auto& [device, served] : devices_) {
        if (!has(device))
            continue;
        const auto counters = engine_.counters(device);
        Json entry = {{"device", device.value},
                      {"readBytes", counters.readBytes},
                      {"writtenBytes", counters.writtenBytes},
                      {"readOps", counters.readOps},
                      {"writeOps", counters.writeOps},
                      {"unsavedBytes", counters.unsavedBytes},
                      {"inFlight", counters.inFlight},
                      {"parked", counters.parked},
                      {"oldestMs", counters.oldest ? ageMs(*counters.oldest) : 0}};
        if (withRequests) {
            Json requests = Json::array();
            for (const session::Entry& request : engine_.inFlight(device))
                requests.push_back({{"sequence", request.sequence.value},
                                    {"op", opText(request.op)},
                                    {"offset", request.offset},
                                    {"length", request.length},
                                    {"state", stateText(request.state)},
                                    {"replayed", request.sentBefore &&
                                                     request.state == session::EntryState::Parked},
                                    {"ageMs", ageMs(request.arrived)}});
            entry["requests"] = std::move(requests);
        }
        devices.push_back(std::move(entry));
    }
    return devices;
}

}  // namespace belay::helper
