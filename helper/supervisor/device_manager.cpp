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

// The answer to whoever waits for the device to start.
ManagedDevice::Done answerWith(DeviceId device, DeviceManager::Attached done) {
    return [device, done = std::move(done)](const Result<void>& started) {
        done(started ? Result<DeviceId>(device) : tl::make_unexpected(started.error()));
    };
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
    // Whatever is saved takes the place of what was left, so first it has to be known of all.
    std::vector<std::pair<DeviceRecord, ublk::DeviceInfo>> left;
    for (DeviceRecord& record : stateFile_.load()) {
        const auto info = infoOf(record.device);
        if (!info && info.error().code != ENODEV)
            return tl::make_unexpected(info.error());
        // A device of this number that is not ours is not the one we had.
        if (info && isOurs(*info))
            left.emplace_back(std::move(record), *info);
    }
    for (const auto& [record, info] : left)
        take(record, info);
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
        // What offers it may have been there before it was gone.
        device->stop(true, [this](const Result<void>& stopped) {
            if (stopped)
                createWanted();
        });
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
    sessionEnded("Its service ended. Try again");
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
        sessionEnded(kWentAway);
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
    std::erase_if(stopped_, [&](const Uuid& uuid) { return exportOf(uuid) == exports_.end(); });
    createWanted();
}

void DeviceManager::sessionEnded(const std::string& hint) {
    open_ = false;
    exports_.clear();
    for (auto& [uuid, creation] : creating_)
        creation.undone = cannotMake(creation.info, ENOTCONN, hint);
}

void DeviceManager::createWanted() {
    for (const wire::ExportInfo& info : exports_)
        if (info.ready && !isKnown(info.uuid) && !stopped_.contains(info.uuid) &&
            !isInAnothersPlace(info) && hooks_.wanted(info))
            create(info, [](const Result<DeviceId>&) {});
}

// What is offered now was left alone as long as there was something of it.
void DeviceManager::notAttached(const Error& why) {
    if (why.code == ENOTCONN)
        createWanted();  // in a session that was opened meanwhile; the next one does it by itself
    else if (why.code != ECANCELED)
        tryAgainSoon();
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

std::optional<Uuid> DeviceManager::exportCalled(const std::string& labelOrUuid) const {
    const auto found = std::ranges::find_if(exports_, [&](const wire::ExportInfo& info) {
        return info.label == labelOrUuid || info.uuid.toString() == labelOrUuid;
    });
    return found == exports_.end() ? std::nullopt : std::optional(found->uuid);
}

std::vector<wire::ExportInfo>::const_iterator DeviceManager::exportOf(const Uuid& uuid) const {
    return std::ranges::find(exports_, uuid, &wire::ExportInfo::uuid);
}

ManagedDevice* DeviceManager::deviceOf(const Uuid& uuid) const {
    const auto found = std::ranges::find_if(
        devices_, [&](const auto& item) { return item.second->info().uuid == uuid; });
    return found == devices_.end() ? nullptr : found->second.get();
}

std::optional<DeviceId> DeviceManager::liveDeviceOf(const Uuid& uuid) const {
    const ManagedDevice* device = deviceOf(uuid);
    return device != nullptr && device->machine().state() == State::Live
               ? std::optional(device->id())
               : std::nullopt;
}

bool DeviceManager::isKnown(const Uuid& uuid) const {
    return creating_.contains(uuid) || deviceOf(uuid) != nullptr;
}

// The device whose name it has needs attention. Until the user has decided, no second device of
// that name appears by itself.
bool DeviceManager::isInAnothersPlace(const wire::ExportInfo& info) const {
    return std::ranges::any_of(devices_, [&](const auto& item) {
        const wire::ExportInfo& known = item.second->info();
        return known.label == info.label && exportOf(known.uuid) == exports_.end();
    });
}

void DeviceManager::attach(const Uuid& uuid, Attached done) {
    const auto found = exportOf(uuid);
    ManagedDevice* known = deviceOf(uuid);
    if (!open_)
        done(errorFrom(ENOTCONN, "attach", uuid.toString(),
                       "The other side is not there: try again when it is"));
    else if (found == exports_.end())
        done(errorFrom(ENOENT, "attach", uuid.toString(), "The gadget does not share it"));
    else if (known == nullptr && !found->ready)
        done(errorFrom(EBUSY, "attach", found->label,
                       "Its store has not answered earlier requests yet: try again when it has"));
    else if (const auto creation = creating_.find(uuid); creation != creating_.end())
        creation->second.waiting.push_back(std::move(done));
    else if (known == nullptr)
        create(*found, std::move(done));
    else if (known->machine().state() == State::Starting)
        known->whenStarted(answerWith(known->id(), std::move(done)));
    else if (known->machine().state() == State::Stopping)
        done(errorFrom(EBUSY, "attach", found->label, "It is being stopped: try again soon"));
    else
        done(errorFrom(EEXIST, "attach", found->label, "There is a device of it already"));
}

// Once one of them is gone it is tried again.
void DeviceManager::refuseMore(const wire::ExportInfo& info, const Attached& done) {
    const Error full = cannotMake(
        info, EMFILE,
        fmt::format("There are {} devices, which is the most: stop one first", kMostDevices));
    if (!std::exchange(full_, true))
        hooks_.announce(full.message());
    done(tl::make_unexpected(full));
}

void DeviceManager::create(const wire::ExportInfo& info, Attached done) {
    if (devices_.size() + creating_.size() >= kMostDevices) {
        refuseMore(info, done);
        return;
    }
    stopPoint("creation-begun");
    stopped_.erase(info.uuid);
    ublk::ControlRequest request;
    request.operation = ublk::ControlRequest::Operation::Create;
    request.spec = specOf(info, maxTransfer_, fua_);
    Creation& creation = creating_[info.uuid];
    creation.info = info;
    creation.waiting.push_back(std::move(done));
    creation.task = std::make_unique<ControlTask>(
        ring_, request, kCreatePatience,
        [this, uuid = info.uuid, mark = request.spec.ownData](const auto& answer) {
            Creation over = std::move(creating_.extract(uuid).mapped());
            ring_.destroyLater(std::move(over.task));
            if (answer) {
                created(over, answer->info);
                return;
            }
            strays_.removeMarked(mark);
            const Error why = over.undone.value_or(
                cannotMake(over.info, answer.error().code, answer.error().message()));
            if (why.code != ECANCELED)
                hooks_.announce(why.message());
            for (const Attached& waiting : over.waiting)
                waiting(tl::make_unexpected(why));
            notAttached(why);
        });
}

void DeviceManager::undoCreations(const std::function<void()>& done) {
    for (auto& [uuid, creation] : creating_) {
        creation.undone = cannotMake(creation.info, ECANCELED, "It is not wanted any more");
        creation.waiting.push_back([done](const Result<DeviceId>&) { done(); });
    }
}

// The kernel has it now, and it is started or taken away again.
void DeviceManager::created(const Creation& creation, const ublk::DeviceInfo& made) {
    stopPoint("creation-done");
    const wire::ExportInfo& info = creation.info;
    DeviceRecord record;
    record.device = made.id;
    record.info = info;
    record.maxIo = made.maxIoBytes;
    record.depth = made.depth;
    record.policy = hooks_.policy(info);
    const auto given = giveAway(record.device, hooks_.workerUid, hooks_.workerGid);
    auto& device = devices_[record.device];
    device = std::make_unique<ManagedDevice>(ring_, owner(), record);
    save();
    for (const Attached& waiting : creation.waiting)
        device->whenStarted(answerWith(record.device, waiting));
    device->whenStarted([this](const Result<void>& started) {
        if (!started)
            notAttached(started.error());
    });
    if (!given)
        device->giveUp(given.error());
    else if (creation.undone)
        device->giveUp(*creation.undone);
    else
        device->start();
    hooks_.changed(record.device);
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
    stopped_.insert(device->info().uuid);
    device->stop(force, [this, uuid = device->info().uuid, done](const Result<void>& stopped) {
        if (!stopped)
            stopped_.erase(uuid);
        done(stopped);
    });
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

void DeviceManager::setSleep(bool on) {
    for (auto& [id, device] : devices_)
        device->setSleep(on);
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
    if (std::exchange(full_, false))
        createWanted();
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
