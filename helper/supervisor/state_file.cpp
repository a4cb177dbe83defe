#include "helper/supervisor/state_file.h"

#include "core/base/fd.h"
#include "core/base/log.h"
#include "helper/protocol/export_json.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace belay::helper {
namespace {

constexpr int kVersion = 1;

std::int64_t toJson(TimePoint time) {
    return time.time_since_epoch() / std::chrono::microseconds(1);
}

TimePoint timeFromJson(const Json& json) {
    return TimePoint(std::chrono::microseconds(json.get<std::int64_t>()));
}

// A name that this version does not know makes the file one of another version.
template <class T>
T needKnown(const std::optional<T>& value) {
    if (!value)
        throw Json::other_error::create(501, "it has a word of another version", nullptr);
    return *value;
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

Result<void> writeAll(int fd, const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t written = ::write(fd, text.data() + done, text.size() - done);
        if (written < 0)
            return systemError("write");
        done += static_cast<std::size_t>(written);
    }
    return {};
}

}  // namespace

std::vector<DeviceRecord> StateFile::load() const {
    std::ifstream file(path_, std::ios::binary);
    if (!file)
        return {};
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const Json document = Json::parse(text, nullptr, false);
    try {
        if (document.is_discarded())
            throw Json::other_error::create(501, "it does not parse", nullptr);
        if (document.at("version").get<int>() != kVersion)
            throw Json::other_error::create(501, "it is of another version", nullptr);
        std::vector<DeviceRecord> records;
        for (const Json& entry : document.at("devices"))
            records.push_back(recordFromJson(entry));
        return records;
    } catch (const Json::exception& error) {
        setAside(error.what());
        return {};
    }
}

void StateFile::setAside(const std::string& why) const {
    std::string aside = path_ + ".bad";
    for (int i = 1; std::filesystem::exists(aside); ++i)
        aside = path_ + ".bad" + std::to_string(i);
    if (::rename(path_.c_str(), aside.c_str()) == 0)
        log::warning("the state file {} is no good ({}): it is kept as {}", path_, why, aside);
    else
        log::warning("the state file {} is no good ({}), and cannot be set aside: {}", path_, why,
                     systemError("rename").value().message());
}

Result<void> StateFile::save(const std::vector<DeviceRecord>& records) const {
    Json devices = Json::array();
    for (const DeviceRecord& record : records)
        devices.push_back(recordToJson(record));
    const std::string text = Json({{"version", kVersion}, {"devices", devices}}).dump(2) + "\n";

    const std::string temporary = path_ + ".new";
    const Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file)
        return systemError("create", temporary);
    if (auto written = writeAll(file.get(), text); !written)
        return errorFrom(written.error().code, "write", temporary);
    if (::fsync(file.get()) < 0)
        return systemError("sync", temporary);
    if (::rename(temporary.c_str(), path_.c_str()) < 0)
        return systemError("replace", path_);
    const std::string folder = std::filesystem::path(path_).parent_path().string();
    const Fd parent(
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent || ::fsync(parent.get()) < 0)
        return systemError("sync", folder);
    return {};
}

void StateFile::remove() const {
    ::unlink(path_.c_str());
}

}  // namespace belay::helper
