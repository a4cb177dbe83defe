#include "helper/supervisor/device_manager.h"

#include "core/base/log.h"
#include "core/ublk/control.h"
#include "core/ublk/holders.h"
#include "helper/protocol/export_json.h"
#include "helper/supervisor/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
using lifecycle::Problem;
using lifecycle::State;

constexpr std::uint16_t kDepth = 64;
constexpr std::uint32_t kMaxIo = 1 << 20;
constexpr std::uint32_t kMaxDiscard = 1 << 30;
// "BELAY" and a version, kept by the kernel with each device of ours.
constexpr std::uint64_t kOurs = 0x42454c4159000001;
constexpr auto kCreatePatience = 10s;
constexpr auto kTunePatience = 10s;
constexpr auto kSyncPatience = 2500ms;
// Linux before 6.16 may need its 30 s request timeout to see that a server is dead.
constexpr auto kQuiescePatience = 45s;
constexpr auto kQuiescePoll = 5ms;

ublk::DeviceSpec specOf(const wire::ExportInfo& info, std::uint32_t maxIo, bool fua) {
    ublk::DeviceSpec spec;
    spec.depth = kDepth;
    spec.maxIoBytes = maxIo;
    spec.logicalBlockBytes = info.blockSize;
    spec.physicalBlockBytes = std::max<std::uint32_t>(info.blockSize, 4096);
    spec.sizeBytes = info.sizeBytes;
    spec.readOnly = info.readOnly;
    spec.volatileCache = true;
    spec.fua = fua;
    if (info.canDiscard && !info.readOnly)
        spec.maxDiscardBytes = kMaxDiscard;
    if (info.canWriteZeroes && !info.readOnly)
        spec.maxWriteZeroesBytes = kMaxDiscard;
    spec.ownData = kOurs;
    return spec;
}

Result<ublk::DeviceInfo> infoOf(DeviceId id) {
    auto control = ublk::Control::open();
    if (!control)
        return tl::make_unexpected(control.error());
    return control->deviceInfo(id);
}

std::string holderText(const ublk::Holder& holder) {
    switch (holder.kind) {
        case ublk::Holder::Kind::Mount:
            return "mounted on " + holder.name;
        case ublk::Holder::Kind::Swap:
            return "used as swap";
        case ublk::Holder::Kind::Kernel:
            return "used by " + holder.name;
        case ublk::Holder::Kind::Process:
            break;
    }
    return "open in process " + holder.name;
}

}  // namespace

DeviceManager::DeviceManager(Ring& ring, StateFile stateFile, DeviceHooks hooks)
    : ring_(ring), stateFile_(std::move(stateFile)), hooks_(std::move(hooks)) {}

DeviceManager::~DeviceManager() = default;

DeviceManager::Device* DeviceManager::find(DeviceId id) {
    const auto found = devices_.find(id);
    return found == devices_.end() ? nullptr : found->second.get();
}

Result<void> DeviceManager::adopt() {
    const auto records = stateFile_.load();
    if (records.empty())
        return {};
    for (const DeviceRecord& record : records) {
        const auto info = infoOf(record.device);
        if (!info && info.error().code != ENODEV)
            return tl::make_unexpected(info.error());
        // A device of this number that is not ours, or that never started, is not the one we had.
        if (!info || info->ownData != kOurs)
            continue;
        auto& device = devices_[record.device];
        device = std::make_unique<Device>();
        device->record = record;
        if (info->state == ublk::DeviceState::Dead) {
            remove(record.device);
            continue;
        }
        device->started = true;
        setState(*device, State::Crashed);
        hooks_.announce(
            fmt::format("{} found again: {}", ublk::diskName(record.device), record.info.label));
    }
    save();
    return {};
}

void DeviceManager::workerReady() {
    workerReady_ = true;
    for (auto& [id, device] : devices_)
        if (device->state == State::Crashed)
            waitUntilQuiesced(id);
}

// A server may take over only when the kernel has seen that the last one is dead.
void DeviceManager::waitUntilQuiesced(DeviceId id) {
    Device* device = find(id);
    if (device == nullptr || device->state != State::Crashed || !workerReady_)
        return;
    const auto info = infoOf(id);
    if (info && info->state == ublk::DeviceState::Quiesced) {
        setState(*device, State::Recovering);
        serve(*device, true);
        return;
    }
    if (!info || info->state == ublk::DeviceState::Dead) {
        attention(*device, Problem::KernelRefused,
                  info ? "the kernel has stopped it" : info.error().message());
        return;
    }
    if (Clock::now() - device->since > kQuiescePatience) {
        attention(*device, Problem::KernelRefused,
                  "the kernel does not see that its server is dead");
        return;
    }
    device->retry = ring_.callAfter(kQuiescePoll, [this, id] { waitUntilQuiesced(id); });
}

void DeviceManager::workerDied() {
    workerReady_ = false;
    open_ = false;
    std::vector<DeviceId> unborn;
    for (auto& [id, device] : devices_) {
        device->servedByWorker = false;
        if (device->state == State::Stopping)
            continue;
        // Nobody can start a device whose first server died before START_DEV; it is made anew.
        if (!device->started)
            unborn.push_back(id);
        else if (device->state != State::NeedsAttention)
            setState(*device, State::Crashed);
    }
    for (const DeviceId id : unborn)
        remove(id);
}

void DeviceManager::workerKeepsDying() {
    for (auto& [id, device] : devices_)
        if (device->state != State::Stopping)
            attention(*device, Problem::DaemonKeepsDying, "its server keeps dying");
}

bool DeviceManager::handle(const Json& message) {
    const auto type = message.at("type").get<std::string>();
    if (type == "exports") {
        exportsOffered(message);
        return true;
    }
    if (type == "link-lost") {
        linkLost(message.at("reason").get<std::string>());
        return true;
    }
    if (type == "report") {
        for (const Json& entry : message.at("devices"))
            if (Device* device = find(DeviceId(entry.at("device").get<std::uint32_t>())))
                device->counters = entry;
        return false;  // whoever asked for it wants it too
    }
    if (!message.contains("device"))
        return false;
    Device* device = find(DeviceId(message.at("device").get<std::uint32_t>()));
    if (device == nullptr)
        return true;
    if (type == "serving")
        serving(*device);
    else if (type == "serve-failed")
        serveFailed(*device, message.at("lost").get<bool>(),
                    message.at("error").get<std::string>());
    else if (type == "offered")
        offered(*device, message);
    else if (type == "missing" && device->state != State::Stopping)
        setState(*device, State::Waiting);
    else if (type == "stopped")
        device->servedByWorker = false;
    return true;
}

void DeviceManager::exportsOffered(const Json& message) {
    open_ = true;
    const auto maxTransfer = message.at("maxTransfer").get<std::uint32_t>();
    const bool fua = message.at("fua").get<bool>();
    for (const Json& entry : message.at("list")) {
        const wire::ExportInfo info = exportFromJson(entry);
        const bool known = std::ranges::any_of(
            devices_, [&](const auto& item) { return item.second->record.info.uuid == info.uuid; });
        if (!known && !creating_.contains(info.uuid) && hooks_.wanted(info))
            create(info, maxTransfer, fua);
    }
}

void DeviceManager::create(const wire::ExportInfo& info, std::uint32_t maxTransfer, bool fua) {
    ublk::ControlRequest request;
    request.operation = ublk::ControlRequest::Operation::Create;
    request.spec = specOf(info, std::min(kMaxIo, maxTransfer), fua);
    creating_[info.uuid] = std::make_unique<ControlTask>(
        ring_, request, kCreatePatience, [this, info](const auto& answer) {
            ring_.callAtEndOfTurn([this, uuid = info.uuid] { creating_.erase(uuid); });
            created(info, answer);
        });
}

void DeviceManager::created(const wire::ExportInfo& info,
                            const Result<ublk::ControlAnswer>& answer) {
    if (!answer) {
        hooks_.announce(
            fmt::format("{}: cannot make a device: {}", info.label, answer.error().message()));
        return;
    }
    const DeviceId id = answer->info.id;
    auto& device = devices_[id];
    device = std::make_unique<Device>();
    device->record = {id, info, answer->info.maxIoBytes, answer->info.depth};
    const std::string node = ublk::serverNode(id);
    if (::chown(node.c_str(), hooks_.workerUid, hooks_.workerGid) < 0) {
        hooks_.announce(fmt::format("{}", systemError("give away", node).value().message()));
        remove(id);
        return;
    }
    save();
    if (workerReady_)
        serve(*device, false);
    else
        remove(id);
}

void DeviceManager::serve(Device& device, bool recover) {
    device.servedByWorker = true;
    hooks_.tellWorker({{"type", "serve"},
                       {"device", device.record.device.value},
                       {"export", toJson(device.record.info)},
                       {"recover", recover},
                       {"maxIo", device.record.maxIo},
                       // What the dead server had acknowledged and not flushed, nobody knows.
                       {"unsaved", recover}});
}

void DeviceManager::serving(Device& device) {
    const DeviceId id = device.record.device;
    const bool first = !device.started;
    device.started = true;
    if (device.state == State::Stopping)
        return;
    if (first)
        hooks_.announce(fmt::format("{} ready: {}, {}", ublk::diskName(id),
                                    device.record.info.label,
                                    sizeText(device.record.info.sizeBytes)));
    if (device.state != State::NeedsAttention && device.state != State::Live)
        setState(device, open_ ? State::Live : State::Waiting);
    if (first)
        device.tune = std::make_unique<ControlTask>(
            ring_,
            ublk::ControlRequest{.operation = ublk::ControlRequest::Operation::Tune, .id = id},
            kTunePatience, [id](const Result<ublk::ControlAnswer>& answer) {
                if (!answer)
                    log::warning("{}: {}", ublk::diskName(id), answer.error().message());
            });
}

void DeviceManager::serveFailed(Device& device, bool lost, const std::string& error) {
    device.servedByWorker = false;
    if (device.state == State::Stopping)
        return;
    if (!device.started) {
        hooks_.announce(
            fmt::format("{}: cannot start: {}", ublk::diskName(device.record.device), error));
        remove(device.record.device);
    } else if (lost) {
        attention(device, Problem::KernelRefused, error);
    } else {
        log::warning("{}: {}; trying again", ublk::diskName(device.record.device), error);
        setState(device, State::Crashed);
        device.retry =
            ring_.callAfter(1s, [this, id = device.record.device] { waitUntilQuiesced(id); });
    }
}

void DeviceManager::offered(Device& device, const Json& message) {
    if (device.state == State::Stopping)
        return;
    const auto verdict = message.at("verdict").get<std::string>();
    if (verdict == "same") {
        device.record.info = exportFromJson(message.at("export"));
        device.problems = {};
        device.problemText.clear();
        save();
        if (device.started && device.state != State::Recovering)
            setState(device, State::Live);
        return;
    }
    if (verdict == "different-disk")
        attention(device, Problem::DifferentDisk,
                  "another disk has taken its place; nothing was sent to it");
    else if (verdict == "data-may-be-missing")
        attention(device, Problem::DataMayBeMissing,
                  "the other side lost bytes that were not saved yet");
    else
        attention(device, Problem::Incompatible, "the other side cannot take its requests");
}

void DeviceManager::linkLost(const std::string& reason) {
    open_ = false;
    for (auto& [id, device] : devices_)
        if (device->state == State::Live || device->state == State::Resuming) {
            device->problemText = reason;
            setState(*device, State::Waiting);
        }
}

void DeviceManager::setState(Device& device, State state) {
    if (device.state == state)
        return;
    const State before = device.state;
    device.state = state;
    device.since = Clock::now();
    const std::string name = ublk::diskName(device.record.device);
    if (state == State::Waiting)
        hooks_.announce(fmt::format(
            "{} waiting: {}", name,
            device.problemText.empty() ? "the other side is not there yet" : device.problemText));
    else if (state == State::Crashed && before != State::Starting)
        hooks_.announce(fmt::format("{} waiting: its server died, another one takes over", name));
    else if (state == State::Live && before != State::Starting)
        hooks_.announce(fmt::format("{} ready again", name));
}

void DeviceManager::attention(Device& device, Problem problem, const std::string& text) {
    device.problems.add(problem);
    device.problemText = text;
    setState(device, State::NeedsAttention);
    hooks_.announce(
        fmt::format("{} needs attention: {}", ublk::diskName(device.record.device), text));
}

Result<void> DeviceManager::recover(DeviceId id, bool acceptLoss) {
    Device* device = find(id);
    if (device == nullptr)
        return failure("there is no device", ublk::diskName(id));
    if (device->problems.has(Problem::DataMayBeMissing) && !acceptLoss)
        return errorFrom(EPERM, "recover", ublk::diskName(id),
                         "Bytes were lost: add --accept-loss to go on without them");
    if (device->state != State::NeedsAttention) {
        hooks_.tellWorker({{"type", "recover"}});
        return {};
    }
    const lifecycle::Problems problems = device->problems;
    device->problems = {};
    if (acceptLoss)
        hooks_.tellWorker({{"type", "accept-loss"}, {"device", id.value}});
    if (problems.has(Problem::DaemonKeepsDying) || problems.has(Problem::KernelRefused)) {
        setState(*device, State::Crashed);
        waitUntilQuiesced(id);
    } else {
        setState(*device, open_ ? State::Resuming : State::Waiting);
        if (!acceptLoss)
            hooks_.tellWorker({{"type", "recover"}});
    }
    return {};
}

void DeviceManager::stop(DeviceId id, bool force, Done done) {
    Device* device = find(id);
    if (device == nullptr) {
        const auto info = infoOf(id);
        if (!info || info->ownData != kOurs) {
            done(failure("there is no device of ours", ublk::diskName(id)));
            return;
        }
        devices_[id] = std::make_unique<Device>();
        device = find(id);
        device->record.device = id;
    }
    if (device->state != State::Stopping && !force) {
        const auto holders = ublk::holdersOf(id);
        if (holders && !holders->empty()) {
            std::vector<std::string> texts;
            for (const ublk::Holder& holder : *holders)
                texts.push_back(holderText(holder));
            done(errorFrom(EBUSY, "stop", ublk::diskName(id),
                           fmt::format("It is {}. Close it, or use --force, which loses what is "
                                       "not saved",
                                       fmt::join(texts, ", "))));
            return;
        }
    }
    device->waitingForRemoval.push_back(std::move(done));
    if (force || device->removal || !device->started)
        remove(id);
    else
        saveAndRemove(id);
}

// Nobody has the device open, so its page cache is clean; what the target has acknowledged and not
// yet made durable is all there is to save.
void DeviceManager::saveAndRemove(DeviceId id) {
    Device* device = find(id);
    if (device->sync)
        return;
    device->sync = std::make_unique<ControlTask>(
        ring_, ublk::ControlRequest{.operation = ublk::ControlRequest::Operation::Sync, .id = id},
        kSyncPatience, [this, id](const Result<ublk::ControlAnswer>& answer) {
            Device* saved = find(id);
            ring_.destroyLater(std::move(saved->sync));
            if (answer) {
                remove(id);
                return;
            }
            for (const Done& done : std::exchange(saved->waitingForRemoval, {}))
                done(errorFrom(answer.error().code, "save what is on", ublk::diskName(id),
                               "Plug the cable in and try again, or use --force, which loses "
                               "what is not saved"));
        });
}

void DeviceManager::remove(DeviceId id) {
    Device* device = find(id);
    if (device->removal)
        return;
    setState(*device, State::Stopping);
    if (device->servedByWorker)
        hooks_.tellWorker({{"type", "fail"}, {"device", id.value}});
    device->removal = std::make_unique<Removal>(
        ring_, id,
        [this, id] {
            if (const Device* hanging = find(id); hanging != nullptr && hanging->servedByWorker)
                hooks_.killWorker();
        },
        [this, id](const Result<void>& result) { removed(id, result); });
}

void DeviceManager::removed(DeviceId id, const Result<void>& result) {
    Device* device = find(id);
    const auto waiting = std::exchange(device->waitingForRemoval, {});
    if (result) {
        if (device->started)
            hooks_.announce(fmt::format("{} gone", ublk::diskName(id)));
        ring_.destroyLater(std::move(devices_.extract(id).mapped()));
        save();
    } else {
        ring_.destroyLater(std::move(device->removal));
        attention(*device, Problem::KernelRefused, result.error().message());
    }
    for (const Done& done : waiting)
        done(result);
}

std::vector<DeviceId> DeviceManager::devices() const {
    std::vector<DeviceId> ids;
    for (const auto& [id, device] : devices_)
        ids.push_back(id);
    return ids;
}

void DeviceManager::save() {
    std::vector<DeviceRecord> records;
    for (const auto& [id, device] : devices_)
        if (device->record.depth != 0)
            records.push_back(device->record);
    if (records.empty()) {
        stateFile_.remove();
        return;
    }
    if (auto saved = stateFile_.save(records); !saved)
        log::error("{}", saved.error().message());
}

Json DeviceManager::status() const {
    Json list = Json::array();
    for (const auto& [id, device] : devices_) {
        Json problems = Json::array();
        for (std::size_t i = 0; i < lifecycle::kProblems; ++i)
            if (device->problems.has(static_cast<Problem>(i)))
                problems.push_back(std::string(lifecycle::kProblemNames[i]));
        const auto since =
            std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - device->since);
        Json entry = {{"device", id.value},
                      {"node", ublk::diskNode(id)},
                      {"label", device->record.info.label},
                      {"uuid", device->record.info.uuid.toString()},
                      {"size", device->record.info.sizeBytes},
                      {"readOnly", device->record.info.readOnly},
                      {"state", std::string(lifecycle::nameOf(device->state))},
                      {"problems", problems},
                      {"explanation", device->problemText},
                      {"sinceMs", since.count()}};
        if (device->counters.is_object())
            entry["counters"] = device->counters;
        list.push_back(std::move(entry));
    }
    return list;
}

}  // namespace belay::helper
