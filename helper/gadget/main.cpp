#include "core/base/log.h"
#include "helper/gadget/gadget_service.h"
#include "helper/gadget/initiator_worker.h"
#include "helper/gadget/target_worker.h"
#include "helper/supervisor/arguments.h"
#include "helper/supervisor/own_process.h"
#include "helper/supervisor/words.h"
#include "helper/worker/worker_main.h"

#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <array>
#include <charconv>

using namespace belay;
using namespace belay::helper;

namespace {

constexpr const char* kUsage =
    R"(belay-gadget: block devices over USB, the gadget's end

belay-gadget --share FILE... --lend-ready
    --share FILE     offer a file or block device to the host, which makes a block
                     device of it there; may be repeated
      --label TEXT     what the last --share is called (default: the file's name)
      --read-only      the last --share must not be written to
      --block-size N   the last --share has blocks of 512, 1024, 2048 or 4096 bytes
                       (default: of a file as last time, else 4096 if it has a
                       partition table for these and none for 512, else 512; of a
                       block device its own)
    --lend-ready     make block devices here of whatever the host lends
    --mimic-fastboot let --lend-ready look like a phone's boot loader, for hosts that
                     let programs use these and nothing else; belay-hostd finds it
                     with its own --mimic-fastboot
    --udc NAME       the USB device controller (default: the first free one)
    --name NAME      the gadget's folder in configfs (default: belay)
    --serial TEXT    the serial number the host sees (default: this host's name)
    --vendor ID, --product ID   USB ids, e.g. 0x1d6b and 0x0104
    --policy POLICY  what devices here do while the other side is gone: wait (the
                     default), fail-fast, or a number of seconds to wait before
                     their requests fail
    --write-log MIB  for each device, keep up to so much of what was written and is
                     not saved yet, to write it again if the host loses it
                     (default: 8; 0: keep nothing)
    --state-dir DIR  where is kept what has to outlive reboots
                     (default: /var/lib/belay-gadget)
    --user NAME      run the data path as this user (default: belay-gadget)

belay-gadget status [--json]
belay-gadget attach NAME
belay-gadget stop DEVICE [--force]
belay-gadget recover DEVICE [--accept-loss]
belay-gadget policy DEVICE POLICY
belay-gadget rescan DEVICE
    commands to the one that is running. attach makes a block device of what the
    other side offers under this label or uuid: of a disk that was stopped, too.
    rescan reads the device's partition table again; that it was written is
    noticed without it

    --run-dir DIR    where state is kept, before any command
                     (default: /run/belay-gadget/NAME)
    --verbose        say more on stderr
    --help, --version
)";

struct CommandLine {
    GadgetOptions options;
    std::string runDir;
    std::vector<std::string> command;
    bool verbose = false;
    std::string error;
    bool done = false;  // --help or --version was answered
};

std::optional<std::uint16_t> usbId(std::string_view text) {
    if (text.starts_with("0x"))
        text.remove_prefix(2);
    std::uint16_t id = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id, 16);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
        return std::nullopt;
    return id;
}

bool isFolderName(const std::string& name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos;
}

std::string hostName() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "belay";
}

CommandLine parse(Arguments arguments) {
    CommandLine line;
    auto& options = line.options;
    const auto takeId = [&](const std::string& text, std::uint16_t& id) {
        if (const auto parsed = usbId(text))
            id = *parsed;
        else
            line.error = fmt::format("\"{}\" is no USB id; write it like 0x1d6b", text);
    };
    while (!arguments.atEnd() && line.error.empty()) {
        if (arguments.flag("--help")) {
            fmt::print("{}", kUsage);
            line.done = true;
        } else if (arguments.flag("--version")) {
            fmt::print("belay-gadget {}\n", BELAY_VERSION);
            line.done = true;
        } else if (auto file = arguments.value("--share")) {
            options.shares.push_back({.path = *file, .label = {}});
        } else if (takeStoreOption(arguments, options.shares, line.error)) {
            continue;
        } else if (arguments.flag("--lend-ready")) {
            options.lendReady = true;
        } else if (arguments.flag("--mimic-fastboot")) {
            options.mimicFastboot = true;
        } else if (auto udc = arguments.value("--udc")) {
            options.udc = *udc;
        } else if (auto name = arguments.value("--name")) {
            options.name = *name;
            if (!isFolderName(*name))
                line.error = fmt::format("\"{}\" is no name for a folder", *name);
        } else if (auto serial = arguments.value("--serial")) {
            options.serial = *serial;
        } else if (auto vendor = arguments.value("--vendor")) {
            takeId(*vendor, options.vendorId);
        } else if (auto product = arguments.value("--product")) {
            takeId(*product, options.productId);
        } else if (auto policy = arguments.value("--policy")) {
            if (const auto known = policyFrom(*policy))
                options.policy = *known;
            else
                line.error =
                    fmt::format("\"{}\" is no policy: wait, fail-fast or seconds", *policy);
        } else if (auto bound = arguments.value("--write-log")) {
            if (const auto bytes = writeLogFrom(*bound))
                options.writeLogBytes = *bytes;
            else
                line.error = fmt::format("--write-log wants {}", kWriteLogRange);
        } else if (auto user = arguments.value("--user")) {
            options.user = *user;
        } else if (auto stateDir = arguments.value("--state-dir")) {
            options.stateDir = *stateDir;
        } else if (auto dir = arguments.value("--run-dir")) {
            line.runDir = *dir;
        } else if (arguments.flag("--verbose")) {
            line.verbose = true;
        } else if (!arguments.failed().empty()) {
            line.error = arguments.failed();
        } else if (const auto& word = arguments.peek(); isCommand(word)) {
            line.command = arguments.rest();
            break;
        } else {
            line.error = fmt::format("unknown or misplaced option \"{}\"", word);
        }
    }
    if (options.serial.empty())
        options.serial = hostName();
    if (line.runDir.empty())
        line.runDir = "/run/belay-gadget/" + options.name;
    if (line.error.empty() && !line.done && line.command.empty() && options.shares.empty() &&
        !options.lendReady)
        line.error = "nothing to do: give --share or --lend-ready";
    return line;
}

Result<int> serve(const CommandLine& line) {
    const auto identity = identityOf(line.options.user);
    if (!identity)
        return tl::make_unexpected(identity.error());
    auto runDir = RunDir::open(line.runDir);
    if (!runDir)
        return tl::make_unexpected(runDir.error());
    auto ring = Ring::create(256);
    if (!ring)
        return tl::make_unexpected(ring.error());
    GadgetService service(**ring, std::move(*runDir), *identity, line.options);
    return service.run();
}

}  // namespace

int main(int argc, char** argv) {
    endIfOwnProcess(argc, argv);
    if (const auto role = workerRoleFrom(argc, argv))
        return *role == WorkerRole::Initiator ? gadgetInitiatorMain(argv[2])
                                              : gadgetTargetMain(argv[2]);
    const CommandLine line = parse(Arguments(argc, argv));
    if (line.done)
        return EXIT_SUCCESS;
    if (!line.error.empty()) {
        fmt::print(stderr, "belay-gadget: {}\nTry belay-gadget --help\n", line.error);
        return 2;
    }
    if (!line.command.empty())
        return commandMain(line.runDir, line.command);
    log::setup("belay-gadget", line.verbose ? log::Level::Info : log::Level::Notice);
    const auto served = serve(line);
    if (served)
        return *served;
    fmt::print(stderr, "belay-gadget: {}\n", served.error().message());
    return EXIT_FAILURE;
}
