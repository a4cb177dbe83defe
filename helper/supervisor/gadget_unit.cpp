#include "helper/supervisor/gadget_unit.h"

#include "core/base/log.h"
#include "helper/supervisor/child.h"
#include "helper/supervisor/unit_views.h"
#include "helper/supervisor/unix_socket.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

namespace belay::helper {

using lifecycle::State;

namespace {

constexpr auto kTakeUpAgain = std::chrono::seconds(2);
// Before a worker that keeps dying is tried again, of which there is no device to choose Recover
// of.
constexpr auto kTryAgain = std::chrono::seconds(30);

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
      presence_(ring, presenceHooks()),
      initiator_(ring, keeperHooks(WorkerRole::Initiator)),
      target_(ring, keeperHooks(WorkerRole::Target)) {}

GadgetUnit::~GadgetUnit() {
    // One that serves goes on serving; and of one that has not said yet, nobody knows.
    if (devices_.empty() && notTakenUp_.empty())
        initiator_.rest();
    if (lending_.isIdle() && target_.isReady())
        target_.rest();
    for (const auto& timer : {askTimer_, takeUpTimer_, keepTimer_})
        if (timer)
            ring_.cancel(*timer);
    for (const Recovery& recovery : recoveries_)
        ring_.cancel(recovery.timer);
}

// -- the workers

WorkerKeeper::Hooks GadgetUnit::keeperHooks(WorkerRole role) {
    WorkerKeeper::Hooks hooks;
    hooks.prepare = [this, role] { return prepareWorker(role); };
    hooks.message = [this, role](const Json& message, std::vector<Fd> fds) {
        workerMessage(role, message, std::move(fds));
    };
    hooks.ready = [this, role](const Json& message) { workerReady(role, message); };
    hooks.died = [this, role](const std::string& how) { workerDied(role, how); };
    hooks.lingers = [this, role] { workerLingers(role); };
    hooks.keepsDying = [this, role] { workerKeepsDying(role); };
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
        initiator_.tell(message, fds);
    };
    hooks.startWorker = [this] { keepWorker(WorkerRole::Initiator); };
    hooks.killWorker = [this] { initiator_.kill(); };
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
        target_.tell(message, fds);
    };
    hooks.killWorker = [this] { target_.kill(); };
    hooks.needsWorker = [this] { keepWorker(WorkerRole::Target); };
    hooks.changed = [this](const LentStore& store) {
        stateSeen(idOf(store.uuid), {store.state, viewOf(store).problems, store.recoveries},
                  store.explanation);
    };
    hooks.gone = [this](const LentStore& store) { goneSeen(idOf(store.uuid)); };
    hooks.settled = [this] { restIfIdle(); };
    return hooks;
}

AlwaysLentHooks GadgetUnit::alwaysLentHooks() {
    AlwaysLentHooks hooks;
    hooks.lend = [this](const LendSetting& setting, const auto& done) {
        lend({}, setting.path, {setting.label, setting.readOnly, setting.blockSize}, true, true,
             [done](const Result<std::string>& device) {
                 done(device ? Result<void>() : tl::make_unexpected(device.error()));
             });
    };
    hooks.keep = [this](const LendSetting& setting) {
        return lending_.keepAlways(setting.path, setting.readOnly);
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
    hooks.workerReady = [this](WorkerRole role) { return keeperOf(role).isReady(); };
    hooks.tellWorker = [this](WorkerRole role, const Json& message, const std::vector<int>& fds) {
        keeperOf(role).tell(message, fds);
    };
    hooks.changed = [this] { hooks_.gadgetChanged(); };
    return hooks;
}

std::string GadgetUnit::socketOf(WorkerRole role) const {
    return runDir_.file(std::string(nameOf(role)) + ".socket");
}

void GadgetUnit::begin() {
    endEarlierWorker();
    // One that outlived us may have lent files that only it knows of.
    target_.adopt(socketOf(WorkerRole::Target));
    alwaysLent_.lendAgain(std::vector(settings().lends));
    takeUp();
}

void GadgetUnit::endEarlierWorker() {
    const std::string path = runDir_.file("worker.socket");
    const auto connected = connectTo(path);
    const auto peer =
        connected ? peerOf(*connected) : Result<Peer>(tl::make_unexpected(connected.error()));
    ::unlink(path.c_str());
    if (!peer)
        return;
    log::notice(
        "{}: worker {} is of an earlier version. Its disks get another worker; what it "
        "lent and is not lent always has to be lent again",
        id_, peer->process);
    if (auto worker = Child::adopt(ring_, peer->process, [](int) {}))
        (*worker)->signal(SIGKILL);
}

// First the devices: a worker that outlived us tells of its own, and of each but once.
void GadgetUnit::takeUp() {
    if (terms_.canAttach) {
        const auto adopted = devices_.adopt();
        notTakenUp_ = adopted ? std::string() : adopted.error().message();
    }
    if (!notTakenUp_.empty()) {
        log::error("{}: {}", id_, notTakenUp_);
        rest(WorkerRole::Initiator);
        takeUpTimer_ = ring_.callAfter(kTakeUpAgain, [this] {
            takeUpTimer_.reset();
            takeUp();
            hooks_.gadgetChanged();
        });
        return;
    }
    if (!std::exchange(begun_, true))
        initiator_.adopt(socketOf(WorkerRole::Initiator));
    else
        // What it says of its devices was heard before they were known.
        initiator_.kill();
    keepWorkers();
}

Result<WorkerKeeper::Start> GadgetUnit::prepareWorker(WorkerRole role) {
    Json config = {{"user", terms_.user},
                   {"host", terms_.host.toString()},
                   {"payloadCrc", false},
                   {"smooWriteBack", false},
                   {"lasting", true}};
    if (role == WorkerRole::Target) {
        auto stateDir = runDir_.workerDir(terms_.identity.uid, terms_.identity.gid);
        if (!stateDir)
            return tl::make_unexpected(stateDir.error());
        lending_.prepare();
        config.update({{"mimicFastboot", false}, {"stateDir", *stateDir}});
    }
    WorkerKeeper::Start start;
    start.program = terms_.program;
    start.args = {"belay-hostd", std::string(nameOf(role)) + "-worker", config.dump()};
    start.socketPath = socketOf(role);
    return start;
}

bool GadgetUnit::isWanted(WorkerRole role) const {
    if (role == WorkerRole::Target)
        return lending_.needWorker();
    return terms_.canAttach && begun_ && notTakenUp_.empty() &&
           ((present() && present()->attach) || !devices_.empty());
}

void GadgetUnit::keepWorkers() {
    for (const WorkerRole role : kWorkerRoles)
        keepWorker(role);
}

void GadgetUnit::keepWorker(WorkerRole role) {
    if (isWanted(role) && keeperOf(role).pid() == 0)
        keeperOf(role).start();
}

// One that has not said yet what it has may have something.
void GadgetUnit::restIfIdle() {
    for (const WorkerRole role : kWorkerRoles)
        if (keeperOf(role).isReady() && !isWanted(role))
            rest(role);
}

void GadgetUnit::rest(WorkerRole role) {
    if (keeperOf(role).pid() == 0)
        return;
    keeperOf(role).rest();
    workerGone(role);
}

void GadgetUnit::ublkAppeared() {
    takeUp();
}

void GadgetUnit::workerReady(WorkerRole role, const Json& message) {
    if (role == WorkerRole::Target) {
        // One of an earlier version leaves none behind.
        lending_.workerReady(message.at("stores"), message.value("leavingStores", Json::array()));
    } else {
        std::vector<DeviceId> serves;
        for (const Json& device : message.at("devices"))
            serves.emplace_back(device.get<std::uint32_t>());
        devices_.workerReady(serves);
    }
    presence_.workerReady(role, message.at("gadget").get<std::string>());
    restIfIdle();
    hooks_.gadgetChanged();
}

void GadgetUnit::workerDied(WorkerRole role, const std::string& how) {
    event(events::WorkerEnded{.how = how, .worker = nameOf(role)});
    answerAskers(role, false);
    keepTotals(role);
    workerGone(role);
    hooks_.gadgetChanged();
}

// What it lent is as good as taken back; what it has written may still land until it is gone.
void GadgetUnit::workerLingers(WorkerRole role) {
    log::warning(
        "{}: the {}'s worker was killed, but hangs in the kernel: another one takes over "
        "when it is gone",
        id_, nameOf(role));
    answerAskers(role, false);
    if (role == WorkerRole::Target)
        workerGone(role);
}

void GadgetUnit::workerKeepsDying(WorkerRole role) {
    if (role == WorkerRole::Target)
        lending_.workerKeepsDying();
    const bool nobodyToRecover = role == WorkerRole::Initiator && devices_.empty();
    event(events::ProblemFound{
        .problem = std::string(lifecycle::nameOf(lifecycle::Problem::DaemonKeepsDying)),
        .file = {},
        .why =
            nobodyToRecover
                ? fmt::format("Its service keeps ending. See the journal. It is started again in "
                              "{} seconds",
                              kTryAgain / std::chrono::seconds(1))
                : std::string("Its service keeps ending. See the journal, then choose Recover")});
    if (nobodyToRecover && !keepTimer_)
        keepTimer_ = ring_.callAfter(kTryAgain, [this] {
            keepTimer_.reset();
            keepWorker(WorkerRole::Initiator);
        });
}

void GadgetUnit::workerGone(WorkerRole role) {
    presence_.workerDied(role);
    if (role == WorkerRole::Target)
        lending_.workerDied();
    else
        devices_.workerDied();
}

void GadgetUnit::workerMessage(WorkerRole role, const Json& message, std::vector<Fd> fds) {
    const auto type = message.at("type").get<std::string>();
    if (role == WorkerRole::Initiator && devices_.handle(message, fds)) {
        if (type == "exports" || type == "link-lost")
            hooks_.gadgetChanged();
    } else if (type == "report") {
        reported(role, message);
    } else if (presence_.handle(role, type, message)) {
        if (role == WorkerRole::Target)
            lending_.sessionChanged(presence_.isOpen(role));
    } else if (role == WorkerRole::Target) {
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
    presence_.plugged(gadget);
    keepWorkers();
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
