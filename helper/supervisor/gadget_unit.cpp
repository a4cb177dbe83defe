#include "helper/supervisor/gadget_unit.h"

#include "core/base/log.h"
#include "helper/supervisor/unit_views.h"

#include <utility>

namespace belay::helper {

using lifecycle::State;

namespace {

constexpr auto kTakeUpAgain = std::chrono::seconds(2);

}  // namespace

GadgetUnit::GadgetUnit(Ring& ring, std::string id, RunDir runDir, const UnitTerms& terms,
                       Settings& settings, UnitHooks hooks)
    : ring_(ring),
      id_(std::move(id)),
      runDir_(std::move(runDir)),
      terms_(terms),
      settings_(settings),
      hooks_(std::move(hooks)),
      devices_(ring, StateFile(runDir_.file("devices.json")), deviceHooks()),
      lending_(ring, *terms.records, lendingHooks()),
      alwaysLent_(ring, alwaysLentHooks()),
      presence_(ring, presenceHooks()) {
    keeper_ = std::make_unique<WorkerKeeper>(ring_, keeperHooks());
}

GadgetUnit::~GadgetUnit() {
    // One that serves goes on serving.
    if (empty())
        keeper_->rest();
    for (const auto& timer : {askTimer_, takeUpTimer_})
        if (timer)
            ring_.cancel(*timer);
    for (const Recovery& recovery : recoveries_)
        ring_.cancel(recovery.timer);
}

// -- the worker

WorkerKeeper::Hooks GadgetUnit::keeperHooks() {
    WorkerKeeper::Hooks hooks;
    hooks.prepare = [this] { return prepareWorker(); };
    hooks.message = [this](const Json& message, std::vector<Fd> fds) {
        workerMessage(message, std::move(fds));
    };
    hooks.ready = [this](const Json& message) { workerReady(message); };
    hooks.died = [this](const std::string& how) { workerDied(how); };
    hooks.keepsDying = [this] {
        lending_.workerKeepsDying();
        event(events::ProblemFound{
            .problem = std::string(lifecycle::nameOf(lifecycle::Problem::DaemonKeepsDying)),
            .file = {},
            .why = "Its service keeps ending. See the journal, then choose Recover"});
    };
    return hooks;
}

DeviceHooks GadgetUnit::deviceHooks() {
    DeviceHooks hooks;
    hooks.wanted = [this](const wire::ExportInfo&) { return attachesAll(); };
    hooks.policy = [this](const wire::ExportInfo& info) {
        const auto found = settings_.policies.find(info.uuid);
        return found == settings_.policies.end() ? lifecycle::Policy() : found->second;
    };
    hooks.tellWorker = [this](const Json& message, const std::vector<int>& fds) {
        keeper_->tell(message, fds);
    };
    hooks.startWorker = [this] { keepWorker(); };
    hooks.killWorker = [this] { keeper_->kill(); };
    hooks.announce = [this](const std::string& line) { log::notice("{}: {}", id_, line); };
    hooks.changed = [this](DeviceId id) {
        const ManagedDevice* device = devices_.device(id);
        if (device != nullptr && device->machine().state() != State::Gone)
            stateSeen(idOf(device->info().uuid),
                      {device->machine().state(), device->machine().problems(),
                       device->record().recoveries},
                      device->explanation());
    };
    hooks.gone = [this](const ManagedDevice& device) { goneSeen(idOf(device.info().uuid)); };
    hooks.workerUid = terms_.identity.uid;
    hooks.workerGid = terms_.identity.gid;
    hooks.writeLogBytes = terms_.writeLogBytes;
    return hooks;
}

LendingHooks GadgetUnit::lendingHooks() {
    LendingHooks hooks;
    hooks.tellWorker = [this](const Json& message, const std::vector<int>& fds) {
        keeper_->tell(message, fds);
    };
    hooks.killWorker = [this] { keeper_->kill(); };
    hooks.changed = [this](const LentStore& store) {
        stateSeen(idOf(store.uuid), {store.state, viewOf(store).problems, store.recoveries},
                  store.explanation);
    };
    hooks.gone = [this](const LentStore& store) { goneSeen(idOf(store.uuid)); };
    return hooks;
}

AlwaysLentHooks GadgetUnit::alwaysLentHooks() {
    AlwaysLentHooks hooks;
    hooks.lend = [this](const LendSetting& setting, const Fd& file, const auto& done) {
        lend(file, setting.path, {setting.label, setting.readOnly, setting.blockSize}, true,
             [done](const Result<std::string>& device) {
                 done(device ? Result<void>() : tl::make_unexpected(device.error()));
             });
    };
    hooks.changed = [this] { rememberLends(); };
    hooks.cannotLend = [this](const std::string& file, const std::string& why) {
        event(events::ProblemFound{
            .problem = std::string(events::ProblemFound::kCannotLend), .file = file, .why = why});
    };
    return hooks;
}

PresenceHooks GadgetUnit::presenceHooks() {
    PresenceHooks hooks;
    hooks.workerReady = [this] { return keeper_->isReady(); };
    hooks.tellWorker = [this](const Json& message, const std::vector<int>& fds) {
        keeper_->tell(message, fds);
    };
    hooks.changed = [this] { hooks_.gadgetChanged(); };
    return hooks;
}

void GadgetUnit::begin() {
    takeUp();
}

// First the devices: a worker that outlived us tells of its own, and of each but once.
void GadgetUnit::takeUp() {
    if (terms_.canAttach) {
        const auto adopted = devices_.adopt();
        notTakenUp_ = adopted ? std::string() : adopted.error().message();
    }
    if (!notTakenUp_.empty()) {
        log::error("{}: {}", id_, notTakenUp_);
        rest();
        takeUpTimer_ = ring_.callAfter(kTakeUpAgain, [this] {
            takeUpTimer_.reset();
            takeUp();
            hooks_.gadgetChanged();
        });
        return;
    }
    if (!std::exchange(begun_, true)) {
        // One that outlived us may have lent files that only it knows of.
        keeper_->adopt(runDir_.file("worker.socket"));
        alwaysLent_.lendAgain(std::vector(settings().lends));
    } else {
        // One that was started without ublk cannot get at it any more.
        keeper_->kill();
    }
    if (present() || !empty())
        keepWorker();
}

Result<WorkerKeeper::Start> GadgetUnit::prepareWorker() {
    auto stateDir = runDir_.workerDir(terms_.identity.uid, terms_.identity.gid);
    if (!stateDir)
        return tl::make_unexpected(stateDir.error());
    const Json config = {
        {"user", terms_.user},  {"host", terms_.host.toString()}, {"attach", terms_.canAttach},
        {"payloadCrc", false},  {"smooWriteBack", false},         {"mimicFastboot", false},
        {"lasting", true},      {"stores", Json::array()},        {"mayLack", false},
        {"stateDir", *stateDir}};
    WorkerKeeper::Start start;
    start.program = terms_.program;
    start.args = {"belay-hostd", "worker", config.dump()};
    start.socketPath = runDir_.file("worker.socket");
    return start;
}

void GadgetUnit::keepWorker() {
    if (begun_ && notTakenUp_.empty() && keeper_->pid() == 0)
        keeper_->start();
}

void GadgetUnit::restIfIdle() {
    if (!present() && empty())
        rest();
}

void GadgetUnit::rest() {
    if (keeper_->pid() == 0)
        return;
    keeper_->rest();
    devices_.workerDied();
    lending_.workerDied();
}

void GadgetUnit::ublkAppeared() {
    takeUp();
}

void GadgetUnit::workerReady(const Json& message) {
    if (terms_.canAttach && !message.at("attach").get<bool>()) {
        keeper_->kill();
        return;
    }
    std::vector<DeviceId> serves;
    for (const Json& device : message.at("devices"))
        serves.emplace_back(device.get<std::uint32_t>());
    devices_.workerReady(serves);
    lending_.workerReady(message.at("stores"));
    presence_.workerReady(message.at("gadget").get<std::string>());
    hooks_.gadgetChanged();
}

void GadgetUnit::workerDied(const std::string& how) {
    event(events::WorkerEnded{how});
    presence_.workerDied();
    answerAskers(nullptr);
    keepTotals();
    devices_.workerDied();
    lending_.workerDied();
    hooks_.gadgetChanged();
}

void GadgetUnit::workerMessage(const Json& message, std::vector<Fd> fds) {
    const auto type = message.at("type").get<std::string>();
    if (devices_.handle(message, fds)) {
        if (type == "exports" || type == "link-lost")
            hooks_.gadgetChanged();
    } else if (type == "report") {
        reported(message);
    } else if (presence_.handle(type, message)) {
        lending_.sessionChanged(presence_.isOpen("lend"));
    } else {
        lending_.handle(type, message, fds);
    }
}

// -- the gadget

void GadgetUnit::plugged(const usb::Gadget& gadget) {
    GadgetSettings& known = settings();
    known.name = gadget.product.empty() ? gadget.manufacturer : gadget.product;
    known.manufacturer = gadget.manufacturer;
    known.serial = gadget.serial;
    known.port = gadget.port;
    known.vendorId = gadget.vendorId;
    known.productId = gadget.productId;
    devices_.forgetStopped();
    settings_.save();
    event(events::GadgetSeen{std::string(events::GadgetSeen::kPluggedIn), gadget.port});
    keepWorker();
    presence_.plugged(gadget);
    alwaysLent_.look();
    hooks_.gadgetChanged();
}

void GadgetUnit::unplugged() {
    presence_.unplugged();
    lending_.sessionChanged(false);
    event(events::GadgetSeen{std::string(events::GadgetSeen::kUnplugged), settings().port});
    restIfIdle();
    hooks_.gadgetChanged();
}

GadgetView GadgetUnit::view() const {
    const GadgetSettings& known = settings_.gadgets.at(id_);
    GadgetView view;
    view.id = id_;
    view.name = known.name;
    view.manufacturer = known.manufacturer;
    view.serial = known.serial;
    view.vendorId = known.vendorId;
    view.productId = known.productId;
    view.port = known.port;
    view.autoAttach = known.autoAttach;
    presence_.fill(view);
    if (view.present && !notTakenUp_.empty()) {
        view.link = "trouble";
        view.trouble = notTakenUp_;
    }
    view.sharesKnown = sharesKnown();
    for (const wire::ExportInfo& info : devices_.exports())
        view.shares.push_back({info.label, info.uuid, info.sizeBytes, info.blockSize, info.readOnly,
                               attached(idOf(info.uuid)) != nullptr});
    return view;
}

}  // namespace belay::helper
