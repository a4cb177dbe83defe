// The part of GadgetUnit that is about its devices: what they are, what a user does with them, and
// what the worker tells of them.

#include "core/ublk/device.h"
#include "core/ublk/holders.h"
#include "helper/supervisor/gadget_unit.h"
#include "helper/supervisor/unit_views.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace belay::helper {
namespace {

using namespace std::chrono_literals;
using lifecycle::State;

// A report that does not come in this time will not come: the worker may hang.
constexpr auto kReportPatience = 1s;
// When it is clear that a device will not be live for now.
constexpr auto kRecoverPatience = 10s;

}  // namespace

Error noSuchDevice(const std::string& id) {
    return errorFrom(ENOENT, "find the device", id).value();
}

// -- devices

std::string GadgetUnit::idOf(const Uuid& uuid) const {
    std::string hex = uuid.toString();
    std::erase(hex, '-');
    return id_ + "_" + hex.substr(0, 12);
}

const ManagedDevice* GadgetUnit::attached(const std::string& id) const {
    for (const DeviceId device : devices_.devices())
        if (const ManagedDevice* found = devices_.device(device); idOf(found->info().uuid) == id)
            return found;
    return nullptr;
}

const LentStore* GadgetUnit::lent(const std::string& id) const {
    for (const auto& [number, store] : lending_.stores())
        if (!store.uuid.isNil() && idOf(store.uuid) == id)
            return &store;
    return nullptr;
}

std::vector<std::string> GadgetUnit::devices() const {
    std::vector<std::string> ids;
    for (const DeviceId device : devices_.devices())
        ids.push_back(idOf(devices_.device(device)->info().uuid));
    for (const auto& [number, store] : lending_.stores())
        if (!store.uuid.isNil())
            ids.push_back(idOf(store.uuid));
    return ids;
}

std::optional<DeviceView> GadgetUnit::device(const std::string& id, bool withHolders) const {
    DeviceView view;
    if (const ManagedDevice* device = attached(id)) {
        view = viewOf(*device);
        view.daemonPid = initiator_.pid();
        view.counters = countersFrom(devices_.counters(device->id()));
        if (withHolders)
            view.holders = holdersOfDisk(device->id());
    } else if (const LentStore* store = lent(id)) {
        view = viewOf(*store);
        view.daemonPid = target_.pid();
    } else {
        return std::nullopt;
    }
    if (const auto earlier = earlier_.find(id); earlier != earlier_.end())
        addTotals(view.counters, earlier->second);
    view.id = id;
    view.gadget = id_;
    return view;
}

void GadgetUnit::stateSeen(const std::string& device, const Seen& now,
                           const std::string& explanation) {
    const auto found = seen_.find(device);
    const std::optional<Seen> before =
        found == seen_.end() ? std::nullopt : std::optional(found->second);
    const bool worse = !now.problems.empty() && (!before || before->problems != now.problems);
    seen_[device] = now;
    tellChanges(device, before ? &*before : nullptr, now, explanation);
    hooks_.deviceChanged(device);
    if (!before)
        hooks_.gadgetChanged();
    if (now.state == State::Live)
        settle(device, {});
    else if (worse)
        settle(device, failure(explanation, device));
}

void GadgetUnit::goneSeen(const std::string& device) {
    const auto before = seen_.extract(device);
    counted_.erase(device);
    earlier_.erase(device);
    event(
        events::StateChanged{
            .from = before ? std::string(lifecycle::nameOf(before.mapped().state)) : "",
            .to = std::string(lifecycle::nameOf(State::Gone)),
            .why = {}},
        device);
    hooks_.deviceGone(device);
    settle(device, failure("It was stopped", device));
    hooks_.gadgetChanged();  // its share is free
    restIfIdle();
    // One that kept dying was left to who had the device.
    keepWorker(WorkerRole::Initiator);
}

// `before`: null for a new device.
void GadgetUnit::tellChanges(const std::string& device, const Seen* before, const Seen& now,
                             const std::string& explanation) {
    if (before == nullptr || before->state != now.state)
        event(
            events::StateChanged{
                .from = before != nullptr ? std::string(lifecycle::nameOf(before->state)) : "",
                .to = std::string(lifecycle::nameOf(now.state)),
                .why = explanation},
            device);
    for (std::size_t i = 0; i < lifecycle::kProblems; ++i) {
        const auto problem = static_cast<lifecycle::Problem>(i);
        if (now.problems.has(problem) && (before == nullptr || !before->problems.has(problem)))
            event(events::ProblemFound{.problem = std::string(lifecycle::nameOf(problem)),
                                       .file = {},
                                       .why = explanation},
                  device);
    }
    if (before != nullptr && before->recoveries != now.recoveries)
        event(events::TakenOver{std::to_string(now.recoveries)}, device);
}

void GadgetUnit::settle(const std::string& device, const Result<void>& result) {
    const auto ready =
        std::stable_partition(recoveries_.begin(), recoveries_.end(),
                              [&](const Recovery& recovery) { return recovery.device != device; });
    const std::vector<Recovery> over(std::make_move_iterator(ready),
                                     std::make_move_iterator(recoveries_.end()));
    recoveries_.erase(ready, recoveries_.end());
    for (const Recovery& recovery : over) {
        ring_.cancel(recovery.timer);
        recovery.done(result);
    }
}

void GadgetUnit::event(events::Any what, const std::string& device) {
    hooks_.happened({.atUs = realtimeUs(Clock::now()),
                     .what = std::move(what),
                     .subject = device.empty() ? id_ : device,
                     .subjectIsDevice = !device.empty()});
}

// -- the user

bool GadgetUnit::attachesAll() const {
    return settings_.gadgets.at(id_).autoAttach;
}

void GadgetUnit::attach(const std::string& share, FleetInterface::DeviceDone done) {
    if (const auto uuid = devices_.exportCalled(share)) {
        devices_.attach(*uuid, [id = idOf(*uuid), done](const Result<DeviceId>& device) {
            done(device ? Result<std::string>(id) : tl::make_unexpected(device.error()));
        });
        return;
    }
    done(sharesKnown()
             ? errorFrom(ENOENT, "attach", share, "The gadget shares nothing of this name")
             : errorFrom(ENOTCONN, "attach", share,
                         present() ? "No session with the gadget is open: try again when one is"
                                   : "Plug the gadget in first"));
}

void GadgetUnit::setAutoAttach(bool on) {
    settings().autoAttach = on;
    settings_.save();
    hooks_.gadgetChanged();
    if (!on)
        return;
    devices_.forgetStopped();
    for (const wire::ExportInfo& info : std::vector(devices_.exports()))
        if (attached(idOf(info.uuid)) == nullptr)
            devices_.attach(info.uuid, [](const Result<DeviceId>&) {});
}

void GadgetUnit::lend(Fd file, const std::string& name, const LendTerms& terms, bool always,
                      bool patient, FleetInterface::DeviceDone done) {
    lending_.lend(std::move(file), name, terms, always, patient,
                  [this, done = std::move(done)](const Result<std::uint32_t>& store) {
                      // First: one that is lent always and cannot be lent now is remembered by who
                      // asked.
                      if (store)
                          done(idOf(lending_.find(*store)->uuid));
                      else
                          done(tl::make_unexpected(store.error()));
                      rememberLends();
                      restIfIdle();
                  });
}

void GadgetUnit::rememberLends() {
    std::vector<LendSetting> lends = alwaysLent_.missing();
    for (const auto& [id, store] : lending_.stores())
        if (store.always && !store.ending)
            lends.push_back({store.name, store.label, store.readOnly, store.askedBlockSize});
    settings().lends = std::move(lends);
    settings_.save();
}

void GadgetUnit::recover(const std::string& id, bool acceptLoss, FleetInterface::Done done) {
    if (const ManagedDevice* device = attached(id)) {
        if (auto begun = devices_.recover(device->id(), acceptLoss); !begun) {
            done(begun);
            return;
        }
    } else if (lent(id) != nullptr) {
        keepWorker(WorkerRole::Target);
        target_.tell({{"type", "recover"}});
    } else {
        done(tl::make_unexpected(noSuchDevice(id)));
        return;
    }
    const auto now = device(id, false);
    if (now && now->state == State::Live) {
        done({});
        return;
    }
    const auto timer = ring_.callAfter(kRecoverPatience, [this, id] {
        const auto view = device(id, false);
        settle(id, errorFrom(ETIMEDOUT, "recover", id,
                             view && !view->explanation.empty() ? view->explanation
                                                                : "It is still waiting"));
    });
    recoveries_.push_back({id, std::move(done), timer});
}

void GadgetUnit::stop(const std::string& id, bool force, FleetInterface::Done done) {
    if (const ManagedDevice* device = attached(id)) {
        devices_.stop(device->id(), force, std::move(done));
    } else if (const LentStore* store = lent(id)) {
        lending_.stop(store->id, force, std::move(done));
        rememberLends();
    } else {
        done(tl::make_unexpected(noSuchDevice(id)));
    }
}

Result<void> GadgetUnit::setPolicy(const std::string& id, lifecycle::Policy policy) {
    const ManagedDevice* device = attached(id);
    if (device == nullptr)
        return lent(id) != nullptr
                   ? errorFrom(EINVAL, "set the policy of", id,
                               "It is lent: the gadget has the block device and its policy")
                   : tl::make_unexpected(noSuchDevice(id));
    const Uuid uuid = device->info().uuid;
    if (auto set = devices_.setPolicy(device->id(), policy); !set)
        return set;
    settings_.policies.erase(uuid);
    if (policy != lifecycle::Policy())
        settings_.policies[uuid] = policy;
    settings_.save();
    return {};
}

void GadgetUnit::rescan(const std::string& id, FleetInterface::Done done) {
    if (const ManagedDevice* device = attached(id))
        devices_.rescan(device->id(), std::move(done));
    else if (lent(id) != nullptr)
        done(errorFrom(EINVAL, "read the partition table of", id,
                       "It is lent: the gadget has the block device and its partitions"));
    else
        done(tl::make_unexpected(noSuchDevice(id)));
}

void GadgetUnit::setShutdown(bool on) {
    devices_.setShutdown(on);
}

void GadgetUnit::setSleep(bool on) {
    devices_.setSleep(on);
}

// -- counters and requests

void GadgetUnit::askCounters() {
    if (!devices_.empty())
        initiator_.tell({{"type", "report"}, {"requests", false}});
    if (!lending_.stores().empty())
        target_.tell({{"type", "report"}, {"requests", false}});
}

void GadgetUnit::requests(const std::string& id, FleetInterface::RequestsDone done) {
    if (!device(id, false)) {
        done(tl::make_unexpected(noSuchDevice(id)));
        return;
    }
    const WorkerRole role = attached(id) != nullptr ? WorkerRole::Initiator : WorkerRole::Target;
    if (!keeperOf(role).isReady()) {
        done(errorFrom(ENOTCONN, "list the requests of", id, "Its service is starting again"));
        return;
    }
    asking_.push_back({role, id, std::move(done)});
    keeperOf(role).tell({{"type", "report"}, {"requests", true}});
    if (!askTimer_)
        askTimer_ = ring_.callAfter(kReportPatience, [this] {
            askTimer_.reset();
            for (const WorkerRole asked : kWorkerRoles)
                answerAskers(asked, false);
        });
}

void GadgetUnit::reported(WorkerRole role, const Json& message) {
    if (role == WorkerRole::Target)
        lending_.reported(message.at("stores"));
    if (message.at("requests").get<bool>())
        answerAskers(role, true);
    for (const std::string& id : devices()) {
        const auto view = device(id, false);
        if (auto& last = counted_[id]; last != view->counters) {
            last = view->counters;
            hooks_.countersChanged(id);
        }
    }
}

// The next worker begins at zero.
void GadgetUnit::keepTotals(WorkerRole role) {
    for (const std::string& id : devices())
        if ((attached(id) != nullptr) == (role == WorkerRole::Initiator))
            earlier_[id] = device(id, false)->counters;
}

void GadgetUnit::answerAskers(WorkerRole role, bool reported) {
    const auto theirs = std::stable_partition(
        asking_.begin(), asking_.end(), [&](const Asker& asker) { return asker.role != role; });
    const std::vector<Asker> answered(std::make_move_iterator(theirs),
                                      std::make_move_iterator(asking_.end()));
    asking_.erase(theirs, asking_.end());
    if (askTimer_ && asking_.empty())
        ring_.cancel(*std::exchange(askTimer_, std::nullopt));
    for (const Asker& asker : answered) {
        if (!reported) {
            asker.done(errorFrom(ETIMEDOUT, "list the requests of", asker.device));
            continue;
        }
        const ManagedDevice* device = attached(asker.device);
        const LentStore* store = lent(asker.device);
        const Json& own = device != nullptr  ? devices_.counters(device->id())
                          : store != nullptr ? store->report
                                             : Json();
        if (own.is_object())
            asker.done(requestsFrom(own));
        else
            asker.done(tl::make_unexpected(noSuchDevice(asker.device)));
    }
}

}  // namespace belay::helper
