#include "helper/supervisor/unit_views.h"

#include "core/ublk/device.h"
#include "core/ublk/holders.h"

#include <chrono>

namespace belay::helper {

std::uint64_t realtimeUs(TimePoint time) {
    const auto when = std::chrono::system_clock::now() + (time - Clock::now());
    return static_cast<std::uint64_t>(when.time_since_epoch() / std::chrono::microseconds(1));
}

DeviceView viewOf(const ManagedDevice& device) {
    const DeviceRecord record = device.record();
    DeviceView view;
    view.direction = Direction::Attach;
    view.exportUuid = record.info.uuid;
    view.label = record.info.label;
    view.sizeBytes = record.info.sizeBytes;
    view.blockSize = record.info.blockSize;
    view.readOnly = record.info.readOnly;
    view.state = record.lifecycle.state;
    view.sinceUs = realtimeUs(record.lifecycle.since);
    view.problems = record.lifecycle.problems;
    view.explanation = record.explanation;
    if (const auto deadline = device.machine().policyDeadline())
        view.deadlineUs = realtimeUs(*deadline);
    view.node = ublk::diskNode(record.device);
    view.ublkId = static_cast<std::int32_t>(record.device.value);
    view.recoveries = record.recoveries;
    view.policy = record.policy;
    return view;
}

DeviceView viewOf(const LentStore& store) {
    DeviceView view;
    view.direction = Direction::Lend;
    view.exportUuid = store.uuid;
    view.label = store.label;
    view.sizeBytes = store.sizeBytes;
    view.blockSize = store.blockSize;
    view.readOnly = store.readOnly;
    view.state = store.state;
    view.sinceUs = store.sinceUs;
    if (store.state == lifecycle::State::NeedsAttention)
        view.problems = {lifecycle::Problem::DaemonKeepsDying};
    view.explanation = store.explanation;
    view.node = store.name;
    view.recoveries = store.recoveries;
    view.counters = countersFrom(store.report);
    return view;
}

DeviceCounters countersFrom(const Json& report) {
    DeviceCounters counters;
    if (!report.is_object())
        return counters;
    counters.readBytes = report.value("readBytes", std::uint64_t{0});
    counters.writtenBytes = report.value("writtenBytes", std::uint64_t{0});
    counters.readOps = report.value("readOps", std::uint64_t{0});
    counters.writeOps = report.value("writeOps", std::uint64_t{0});
    counters.unsavedBytes = report.value("unsavedBytes", std::uint64_t{0});
    counters.inFlight = report.value("inFlight", 0U);
    counters.parked = report.value("parked", 0U);
    counters.oldestMs = report.value("oldestMs", 0U);
    return counters;
}

void addTotals(DeviceCounters& counters, const DeviceCounters& earlier) {
    counters.readBytes += earlier.readBytes;
    counters.writtenBytes += earlier.writtenBytes;
    counters.readOps += earlier.readOps;
    counters.writeOps += earlier.writeOps;
}

std::vector<RequestView> requestsFrom(const Json& report) {
    std::vector<RequestView> requests;
    for (const Json& entry : report.at("requests")) {
        RequestView request;
        request.sequence = entry.at("sequence").get<std::uint64_t>();
        request.op = entry.at("op").get<std::string>();
        request.offset = entry.at("offset").get<std::uint64_t>();
        request.length = entry.at("length").get<std::uint32_t>();
        request.state =
            entry.value("replayed", false) ? "replayed" : entry.at("state").get<std::string>();
        request.ageMs = entry.at("ageMs").get<std::uint32_t>();
        requests.push_back(std::move(request));
    }
    return requests;
}

std::vector<HolderView> holdersOfDisk(DeviceId id) {
    std::vector<HolderView> views;
    if (const auto holders = ublk::holdersOf(id))
        for (const ublk::Holder& holder : *holders)
            views.push_back({std::string(ublk::toString(holder.kind)), holder.name});
    return views;
}

}  // namespace belay::helper
