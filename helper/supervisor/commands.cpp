#include "helper/supervisor/service.h"
#include "helper/supervisor/words.h"

#include <fmt/format.h>
#include <stdio.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace belay::helper {
namespace {

// "ublkb3", "/dev/ublkb3" or "3".
std::optional<std::uint32_t> deviceNumber(std::string_view name) {
    for (const std::string_view prefix : {"/dev/", "ublkb"})
        if (name.starts_with(prefix))
            name.remove_prefix(prefix.size());
    std::uint32_t number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() || name.empty())
        return std::nullopt;
    return number;
}

const char* textFor(const std::string& blockSizeReason) {
    if (blockSizeReason == "partition-table")
        return ", as its partition table has";
    return blockSizeReason == "remembered" ? ", as last time" : "";
}

void printOffered(const Json& stores) {
    for (const Json& store : stores)
        fmt::print("{}  {}  {}offered{}  {}  blocks of {} bytes{}\n",
                   store.at("path").get<std::string>(),
                   sizeText(store.at("size").get<std::uint64_t>()),
                   store.at("trouble").get<std::string>().empty() ? "" : "not ",
                   store.at("readOnly").get<bool>() ? " read-only" : "",
                   store.at("label").get<std::string>(), store.at("blockSize").get<unsigned>(),
                   textFor(store.at("blockSizeReason").get<std::string>()));
}

void printStatus(const Json& status) {
    const Json& devices = status.at("devices");
    if (devices.empty())
        fmt::print("no devices\n");
    for (const Json& device : devices) {
        fmt::print("{}  {}  {}  {}", device.at("node").get<std::string>(),
                   sizeText(device.at("size").get<std::uint64_t>()),
                   device.at("state").get<std::string>(), device.at("label").get<std::string>());
        if (device.contains("counters")) {
            const Json& counters = device.at("counters");
            fmt::print("  {} under way, {} held, {} not saved",
                       counters.at("inFlight").get<unsigned>(),
                       counters.at("parked").get<unsigned>(),
                       sizeText(counters.at("unsavedBytes").get<std::uint64_t>()));
        }
        const auto explanation = device.at("explanation").get<std::string>();
        const bool live = device.at("state").get<std::string>() == "live";
        fmt::print("{}\n", explanation.empty() || live ? "" : "\n    " + explanation);
    }
    printOffered(status.value("offered", Json::array()));
}

// What the words ask for, or what is wrong with them.
tl::expected<Json, std::string> requestFrom(const std::vector<std::string>& words) {
    const std::string& command = words.front();
    const auto has = [&](const char* option) { return std::ranges::count(words, option) > 0; };
    const auto wrong = [](std::string text) { return tl::make_unexpected(std::move(text)); };
    if (command == "attach") {
        if (words.size() > 2)
            return wrong(fmt::format("attach: unexpected \"{}\"", words[2]));
        if (words.size() < 2)
            return wrong("attach what? Give the label or the uuid of what the other side offers");
        return Json{{"command", command}, {"share", words.back()}};
    }
    Json request = {{"command", command}};
    const std::string allowed = command == "status"    ? "--json"
                                : command == "stop"    ? "--force"
                                : command == "recover" ? "--accept-loss"
                                                       : "";
    std::optional<std::uint32_t> device;
    for (auto word = words.begin() + 1; word != words.end(); ++word) {
        if (command == "policy" && device && !request.contains("policy")) {
            if (!policyFrom(*word))
                return wrong(fmt::format("\"{}\" is no policy: wait, fail-fast or seconds", *word));
            request["policy"] = *word;
            continue;
        }
        if (word->starts_with("-") ? *word != allowed : command == "status" || device)
            return wrong(fmt::format("{}: unexpected \"{}\"", command, *word));
        if (!word->starts_with("-") && !(device = deviceNumber(*word)))
            return wrong(fmt::format("\"{}\" is no device; use a name like ublkb0", *word));
    }
    if (command == "policy" && device && !request.contains("policy"))
        return wrong("policy what? Add wait, fail-fast or a number of seconds");
    if (command == "status")
        return request;
    if (!device)
        return wrong(fmt::format("{} what? Name a device, e.g. ublkb0", command));
    request["device"] = *device;
    request["force"] = has("--force");
    request["acceptLoss"] = has("--accept-loss");
    return request;
}

}  // namespace

bool isCommand(const std::string& word) {
    constexpr std::array kCommands = {"status", "attach", "stop", "recover", "policy", "rescan"};
    return std::ranges::find(kCommands, word) != kCommands.end();
}

int commandMain(const std::string& runDir, const std::vector<std::string>& words) {
    const auto request = requestFrom(words);
    if (!request) {
        fmt::print(stderr, "{}\n", request.error());
        return 2;
    }
    const auto answer = askCommand(runDir + "/control", *request);
    if (!answer) {
        fmt::print(stderr, "{}\n", answer.error().message());
        return EXIT_FAILURE;
    }
    if (!answer->value("ok", false)) {
        fmt::print(stderr, "{}\n", answer->value("error", "it failed"));
        return EXIT_FAILURE;
    }
    if (std::ranges::count(words, "--json") > 0)
        fmt::print("{}\n", answer->dump(2));
    else if (words.front() == "status")
        printStatus(*answer);
    else if (words.front() == "attach")
        fmt::print("{}\n", answer->at("node").get<std::string>());
    return EXIT_SUCCESS;
}

}  // namespace belay::helper
