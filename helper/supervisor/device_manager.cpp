#include "helper/supervisor/device_manager.h"

#include "core/base/log.h"
#include "core/base/stop_point.h"
#include "core/ublk/device.h"
#include "helper/protocol/export_json.h"
#include "helper/supervisor/kernel_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
using lifecycle::State;

constexpr auto kCreatePatience = 10s;

Error noSuchDevice(DeviceId id) {
    return errorFrom(ENOENT, "find", ublk::diskName(id), "There is no such device of ours").value();
}

Json problemsOf(const lifecycle::Problems& problems) {
    Json list = Json::array();
    for (std::size_t i = 0; i < lifecycle::kProblems; ++i)
        if (problems.has(static_cast<lifecycle::Problem>(i)))
            list.push_back(std::string(lifecycle::kProblemNames[i]));
    return list;
}

}  // namespace

DeviceManager::DeviceManager(Ring& ring, StateFile stateFile, DeviceHooks hooks)
    : ring_(ring),
      stateFile_(std::move(stateFile)),
      hooks_(std::move(hooks)),
      partitions_(ring, {hooks_.workerUid, hooks_.workerGid}, hooks_.announce),
      strays_(ring) {}

DeviceManager::~DeviceManager() {
    if (tryAgain_)
        ring_.cancel(*tryAgain_);
}

ManagedDevice* DeviceManager::find(DeviceId id) {
    const auto found = devices_.find(id);
    return found == devices_.end() ? nullptr : found->second.get();
}

const ManagedDevice* DeviceManager::device(DeviceId id) const {
    const auto found = devices_.find(id);
    return found == devices_.end() ? nullptr : found->second.get();
}

const Json& DeviceManager::counters(DeviceId id) const {
    static const Json kNone;
    const auto found = counters_.find(id);
    return found == counters_.end() ? kNone : found->second;
}

// -- from an earlier life

Result<void> DeviceManager::adopt() {
    for (const DeviceRecord& record : stateFile_.load()) {
        const auto info = infoOf(record.device);
        if (!info && info.error().code != ENODEV)
            return tl::make_unexpected(info.error());
        // A device of this number that is not ours is not the one we had.
        if (info && isOurs(*info))
            take(record, *info);
    }
    strays_.removeLeft([this](DeviceId id) { return find(id) != nullptr; });
    save();
    return {};
}

void DeviceManager::take(const DeviceRecord& record, const ublk::DeviceInfo& info) {
    lifecycle::Snapshot found = record.lifecycle;
    found.served = info.state == ublk::DeviceState::Live;
    const bool ends = found.state == State::Stopping || info.state == ublk::DeviceState::Dead;
    if (ends) {
        found.state = State::Stopping;
    } else if (found.served) {
        // Its server may have died just now: that will be seen when the worker is there.
        if (found.state != State::Live && found.state != State::Failed &&
            found.state != State::NeedsAttention)
            found.state = State::Waiting;
    } else if (found.state != State::Failed && found.state != State::NeedsAttention) {
        found.state = State::Crashed;
    }
    auto& device = devices_[record.device];
    device = std::make_unique<ManagedDevice>(ring_, owner(), record,
                                             lifecycle::Device(found, record.policy, Clock::now()));
    if (ends) {
        device->stop(true, [](const Result<void>&) {});
        return;
    }
    hooks_.announce(
        fmt::format("{} found again: {}", ublk::diskName(record.device), record.info.label));
    hooks_.changed(record.device);
}

// -- the worker

void DeviceManager::workerReady(const std::vector<DeviceId>& serves) {
    workerReady_ = true;
    for (auto& [id, device] : devices_) {
        device->workerReady(std::ranges::find(serves, id) != serves.end());
        // One that was live all the time while we were away does not become it.
        followPartitions(*device);
    }
}

void DeviceManager::workerDied() {
    workerReady_ = false;
    open_ = false;
    exports_.clear();
    counters_.clear();
    for (auto& [id, device] : devices_)
        device->workerDied();
}

bool DeviceManager::handle(const Json& message, std::vector<Fd>& fds) {
    const auto type = message.at("type").get<std::string>();
    if (type == "exports") {
        exportsOffered(message);
        return true;
    }
    if (type == "link-lost") {
        open_ = false;
        exports_.clear();
        const auto reason = message.at("reason").get<std::string>();
        for (auto& [id, device] : devices_)
            device->sessionEnded(reason);
        return true;
    }
    if (type == "report") {
        for (const Json& entry : message.at("devices"))
            if (const DeviceId id(entry.at("device").get<std::uint32_t>()); find(id) != nullptr)
                counters_[id] = entry;
        return false;  // whoever asked for it wants it too
    }
    if (!message.contains("device"))
        return false;
    if (ManagedDevice* device = find(DeviceId(message.at("device").get<std::uint32_t>())))
        device->handle(type, message, fds);
    return true;
}

// -- new devices

void DeviceManager::exportsOffered(const Json& message) {
    std::vector<wire::ExportInfo> exports;
    for (const Json& entry : message.at("list"))
        exports.push_back(exportFromJson(entry));
    maxTransfer_ = message.at("maxTransfer").get<std::uint32_t>();
    fua_ = message.at("fua").get<bool>();
    exports_ = std::move(exports);
    open_ = true;
    createWanted();
}

void DeviceManager::createWanted() {
    for (const wire::ExportInfo& info : exports_)
        if (!isKnown(info.uuid) && !isInAnothersPlace(info) && hooks_.wanted(info))
            create(info, [](const Result<DeviceId>&) {});
}

// Whatever kept the kernel from making it may be over.
void DeviceManager::tryAgainSoon() {
    if (tryAgain_)
        return;
    tryAgain_ = ring_.callAfter(backoff_.next(Clock::now()), [this] {
        tryAgain_.reset();
        createWanted();
    });
}

bool DeviceManager::isKnown(const Uuid& uuid) const {
    return creating_.contains(uuid) || std::ranges::any_of(devices_, [&](const auto& item) {
               return item.second->info().uuid == uuid;
           });
}

// The device whose name it has needs attention. Until the user has decided, no second device of
// that name appears by itself.
bool DeviceManager::isInAnothersPlace(const wire::ExportInfo& info) const {
    return std::ranges::any_of(devices_, [&](const auto& item) {
        const wire::ExportInfo& known = item.second->info();
        return known.label == info.label &&
               std::ranges::find(exports_, known.uuid, &wire::ExportInfo::uuid) == exports_.end();
    });
}

void DeviceManager::attach(const Uuid& uuid, Created done) {
    const auto found = std::ranges::find(exports_, uuid, &wire::ExportInfo::uuid);
    if (!open_)
        done(errorFrom(ENOTCONN, "attach", uuid.toString(), "Plug the gadget in first"));
    else if (found == exports_.end())
        done(errorFrom(ENOENT, "attach", uuid.toString(), "The gadget does not share it"));
    else if (isKnown(uuid))
        done(errorFrom(EEXIST, "attach", found->label, "There is a device of it already"));
    else
        create(*found, std::move(done));
}

void DeviceManager::create(const wire::ExportInfo& info, Created done) {
    stopPoint("creation-begun");
    ublk::ControlRequest request;
    request.operation = ublk::ControlRequest::Operation::Create;
    request.spec = specOf(info, maxTransfer_, fua_);
    Creation& creation = creating_[info.uuid];
    creation.done = std::move(done);
    creation.task = std::make_unique<ControlTask>(
        ring_, request, kCreatePatience,
        [this, info, mark = request.spec.ownData](const auto& answer) {
            Creation over = std::move(creating_.extract(info.uuid).mapped());
            ring_.destroyLater(std::move(over.task));
            if (!answer) {
                strays_.removeMarked(mark);
                tryAgainSoon();
            }
            over.done(created(info, answer));
        });
}

Result<DeviceId> DeviceManager::created(const wire::ExportInfo& info,
                                        const Result<ublk::ControlAnswer>& answer) {
    if (!answer) {
        hooks_.announce(
            fmt::format("{}: cannot make a device: {}", info.label, answer.error().message()));
        return tl::make_unexpected(answer.error());
    }
    stopPoint("creation-done");
    DeviceRecord record;
    record.device = answer->info.id;
    record.info = info;
    record.maxIo = answer->info.maxIoBytes;
    record.depth = answer->info.depth;
    record.policy = hooks_.policy(info);
    const auto given = giveAway(record.device, hooks_.workerUid, hooks_.workerGid);
    auto& device = devices_[record.device];
    device = std::make_unique<ManagedDevice>(ring_, owner(), record);
    save();
    if (!given || !workerReady_) {
        // No server can start it any more.
        device->workerDied();
        const Error reason =
            given ? errorFrom(ENOTCONN, "start", info.label, "Its server died").value()
                  : given.error();
        hooks_.announce(reason.message());
        return tl::make_unexpected(reason);
    }
    device->start();
    hooks_.changed(record.device);
    return record.device;
}

// -- the user

void DeviceManager::stop(DeviceId id, bool force, Done done) {
    ManagedDevice* device = find(id);
    if (device == nullptr) {
        const auto info = infoOf(id);
        if (!info || !isOurs(*info)) {
            done(tl::make_unexpected(noSuchDevice(id)));
            return;
        }
        if (const auto unused = needUnused(id); !unused && !force) {
            done(unused);
            return;
        }
        // Left by an earlier life whose state file is lost.
        DeviceRecord record;
        record.device = id;
        record.info.label = ublk::diskName(id);
        lifecycle::Snapshot found;
        found.state = State::NeedsAttention;
        found.served = false;
        devices_[id] = std::make_unique<ManagedDevice>(ring_, owner(), record,
                                                       lifecycle::Device(found, {}, Clock::now()));
        device = find(id);
        force = true;  // nobody knows what it had to save
    }
    device->stop(force, std::move(done));
}

Result<void> DeviceManager::recover(DeviceId id, bool acceptLoss) {
    ManagedDevice* device = find(id);
    if (device == nullptr)
        return tl::make_unexpected(noSuchDevice(id));
    return device->recover(acceptLoss);
}

Result<void> DeviceManager::setPolicy(DeviceId id, lifecycle::Policy policy) {
    ManagedDevice* device = find(id);
    if (device == nullptr)
        return tl::make_unexpected(noSuchDevice(id));
    device->setPolicy(policy);
    return {};
}

void DeviceManager::rescan(DeviceId id, Done done) {
    if (find(id) != nullptr)
        partitions_.rescan(id, std::move(done));
    else
        done(tl::make_unexpected(noSuchDevice(id)));
}

void DeviceManager::setShutdown(bool on) {
    for (auto& [id, device] : devices_)
        device->setShutdown(on);
}

// -- bookkeeping

void DeviceManager::deviceChanged(ManagedDevice& device) {
    save();
    followPartitions(device);
    hooks_.changed(device.id());
}

void DeviceManager::followPartitions(const ManagedDevice& device) {
    partitions_.setLive(device.id(), device.machine().state() == State::Live);
}

void DeviceManager::deviceGone(ManagedDevice& device) {
    const DeviceId id = device.id();
    counters_.erase(id);
    partitions_.forget(id);
    ring_.destroyLater(std::move(devices_.extract(id).mapped()));
    save();
    hooks_.gone(device);
}

void DeviceManager::save() {
    std::vector<DeviceRecord> records;
    for (const auto& [id, device] : devices_)
        if (DeviceRecord record = device->record(); record.depth != 0)
            records.push_back(std::move(record));
    if (records.empty()) {
        stateFile_.remove();
        return;
    }
    if (auto saved = stateFile_.save(records); !saved)
        log::error("{}", saved.error().message());
}

std::vector<DeviceId> DeviceManager::devices() const {
    std::vector<DeviceId> ids;
    for (const auto& [id, device] : devices_)
        ids.push_back(id);
    return ids;
}

Json DeviceManager::status() const {
    Json list = Json::array();
    for (const auto& [id, device] : devices_) {
        const DeviceRecord record = device->record();
        const lifecycle::Snapshot& now = record.lifecycle;
        const auto since =
            std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - now.since);
        Json entry = {{"device", id.value},
                      {"node", ublk::diskNode(id)},
                      {"label", record.info.label},
                      {"uuid", record.info.uuid.toString()},
                      {"size", record.info.sizeBytes},
                      {"blockSize", record.info.blockSize},
                      {"readOnly", record.info.readOnly},
                      {"state", std::string(lifecycle::nameOf(now.state))},
                      {"problems", problemsOf(now.problems)},
                      {"explanation", record.explanation},
                      {"policy", std::string(lifecycle::nameOf(record.policy.kind))},
                      {"recoveries", record.recoveries},
                      {"sinceMs", since.count()}};
        if (const Json& last = counters(id); last.is_object())
            entry["counters"] = last;
        list.push_back(std::move(entry));
    }
    return list;
}

}  // namespace belay::helper
