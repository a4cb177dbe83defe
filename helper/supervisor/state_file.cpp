#include "helper/supervisor/state_file.h"

#include "helper/protocol/export_json.h"

namespace belay::helper {
namespace {

constexpr int kVersion = 1;

std::int64_t toJson(TimePoint time) {
    return time.time_since_epoch() / std::chrono::microseconds(1);
}

// Of the monotonic clock, which begins at boot: what is out of reach would overflow when a policy's
// time is added to it.
TimePoint timeFromJson(const Json& json) {
    const std::chrono::microseconds time(json.get<std::int64_t>());
    constexpr std::chrono::years kLongestBoot(100);
    if (time < time.zero() || time > kLongestBoot)
        throw Json::other_error::create(501, "it has a time of no clock of ours", nullptr);
    return TimePoint(time);
}

Json lifecycleToJson(const lifecycle::Snapshot& snapshot) {
    Json problems = Json::array();
    for (std::size_t i = 0; i < lifecycle::kProblems; ++i)
        if (snapshot.problems.has(static_cast<lifecycle::Problem>(i)))
            problems.push_back(std::string(lifecycle::kProblemNames[i]));
    Json json = {{"state", std::string(lifecycle::nameOf(snapshot.state))},
                 {"problems", problems},
                 {"since", toJson(snapshot.since)}};
    if (snapshot.heldSince)
        json["heldSince"] = toJson(*snapshot.heldSince);
    return json;
}

lifecycle::Snapshot lifecycleFromJson(const Json& json) {
    lifecycle::Snapshot snapshot;
    snapshot.state = needKnown(lifecycle::stateNamed(json.at("state").get<std::string>()));
    for (const Json& problem : json.at("problems"))
        snapshot.problems.add(needKnown(lifecycle::problemNamed(problem.get<std::string>())));
    snapshot.since = timeFromJson(json.at("since"));
    if (json.contains("heldSince"))
        snapshot.heldSince = timeFromJson(json.at("heldSince"));
    return snapshot;
}

Json recordToJson(const DeviceRecord& record) {
    return {{"device", record.device.value},
            {"export", helper::toJson(record.info)},
            {"maxIo", record.maxIo},
            {"depth", record.depth},
            {"recoveries", record.recoveries},
            {"policy", std::string(lifecycle::nameOf(record.policy.kind))},
            {"policySeconds", record.policy.limit / std::chrono::seconds(1)},
            {"lifecycle", lifecycleToJson(record.lifecycle)},
            {"explanation", record.explanation}};
}

DeviceRecord recordFromJson(const Json& json) {
    DeviceRecord record;
    record.device = DeviceId(json.at("device").get<std::uint32_t>());
    record.info = exportFromJson(json.at("export"));
    record.maxIo = json.at("maxIo").get<std::uint32_t>();
    record.depth = json.at("depth").get<std::uint16_t>();
    record.recoveries = json.at("recoveries").get<std::uint32_t>();
    record.policy.kind = needKnown(lifecycle::policyNamed(json.at("policy").get<std::string>()));
    record.policy.limit = std::chrono::seconds(json.at("policySeconds").get<std::uint32_t>());
    record.lifecycle = lifecycleFromJson(json.at("lifecycle"));
    record.explanation = json.at("explanation").get<std::string>();
    return record;
}

std::vector<DeviceRecord> fromJson(const Json& document) {
    std::vector<DeviceRecord> records;
    for (const Json& entry : document.at("devices"))
        records.push_back(recordFromJson(entry));
    return records;
}

}  // namespace

StateFile::StateFile(std::string path) : file_(std::move(path), kVersion) {}

std::vector<DeviceRecord> StateFile::load() const {
    std::vector<DeviceRecord> records;
    const bool good = file_.load([&](const Json& document) { records = fromJson(document); });
    return good ? records : std::vector<DeviceRecord>();
}

std::optional<std::vector<DeviceRecord>> StateFile::parse(const std::string& text) const {
    std::vector<DeviceRecord> records;
    if (file_.parse(text, [&](const Json& document) { records = fromJson(document); }))
        return std::nullopt;
    return records;
}

Result<void> StateFile::save(const std::vector<DeviceRecord>& records) const {
    Json devices = Json::array();
    for (const DeviceRecord& record : records)
        devices.push_back(recordToJson(record));
    return file_.save({{"devices", devices}});
}

void StateFile::remove() const {
    file_.remove();
}

}  // namespace belay::helper
