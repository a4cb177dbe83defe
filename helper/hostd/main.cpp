#include "core/base/log.h"
#include "helper/hostd/host_service.h"
#include "helper/hostd/initiator_worker.h"
#include "helper/hostd/target_worker.h"
#include "helper/supervisor/arguments.h"
#include "helper/supervisor/own_process.h"
#include "helper/supervisor/words.h"
#include "helper/worker/worker_main.h"

#include <fmt/format.h>
#include <stdio.h>

using namespace belay;
using namespace belay::helper;

namespace {

constexpr const char* kUsage =
    R"(belay-hostd: block devices over USB, the host's end

belay-hostd [--gadget SERIAL] --attach SHARE... --lend FILE...
    --attach SHARE   make a block device here of what the gadget shares under this
                     label or uuid ("all": of everything); may be repeated
    --lend FILE      offer a file or block device to the gadget, which makes a
                     block device of it there; may be repeated
      --label TEXT     what the last --lend is called (default: the file's name)
      --read-only      the last --lend must not be written to
      --block-size N   the last --lend has blocks of 512, 1024, 2048 or 4096 bytes
                       (default: of a file as last time, else 4096 if it has a
                       partition table for these and none for 512, else 512; of a
                       block device its own)
    --gadget SERIAL  serve this gadget only (default: the first that is found, and
                     no other one while a device of it is here or after it was
                     lent something)
    --payload-crc    have every byte checked end to end
    --mimic-fastboot lend also to a gadget that looks like a phone's boot loader
                     (smoo-gadget or belay-gadget with --mimic-fastboot); a phone that
                     really is in its boot loader is then asked, too: better give
                     --gadget as well
    --smoo-write-back
                     answer what a smoo gadget writes before it is durable: faster,
                     but fsync on the gadget then saves nothing, and what this
                     machine has not written to its disk is lost with its power
    --policy POLICY  what devices here do while the other side is gone: wait (the
                     default), fail-fast, or a number of seconds to wait before
                     their requests fail
    --write-log MIB  for each device, keep up to so much of what was written and is
                     not saved yet, to write it again if the gadget loses it
                     (default: 64; 0: keep nothing)
    --state-dir DIR  where is kept what has to outlive reboots
                     (default: /var/lib/belay)
    --user NAME      run the data path as this user (default: belay-hostd)

belay-hostd status [--json]
belay-hostd attach NAME
belay-hostd stop DEVICE [--force]
belay-hostd recover DEVICE [--accept-loss]
belay-hostd policy DEVICE POLICY
belay-hostd rescan DEVICE
    commands to the one that is running. attach makes a block device of what the
    other side offers under this label or uuid: of a disk that was stopped, too.
    rescan reads the device's partition table again; that it was written is
    noticed without it

    --run-dir DIR    where state is kept, before any command
                     (default: /run/belay-hostd/SERIAL, with %2F for "/" and the
                     like, or .../default)
    --verbose        say more on stderr
    --help, --version
)";

struct CommandLine {
    HostOptions options;
    std::string runDir;
    std::vector<std::string> command;
    bool verbose = false;
    std::string error;
    bool done = false;  // --help or --version was answered
};

bool takeSmooOption(Arguments& arguments, HostOptions& options) {
    for (const auto& [name, option] : {std::pair("--mimic-fastboot", &HostOptions::mimicFastboot),
                                       std::pair("--smoo-write-back", &HostOptions::smooWriteBack)})
        if (arguments.flag(name))
            return options.*option = true;
    return false;
}

CommandLine parse(Arguments arguments) {
    CommandLine line;
    auto& options = line.options;
    while (!arguments.atEnd() && line.error.empty()) {
        if (arguments.flag("--help")) {
            fmt::print("{}", kUsage);
            line.done = true;
        } else if (arguments.flag("--version")) {
            fmt::print("belay-hostd {}\n", BELAY_VERSION);
            line.done = true;
        } else if (auto serial = arguments.value("--gadget")) {
            options.gadgetSerial = *serial;
        } else if (auto share = arguments.value("--attach")) {
            options.attach.push_back(*share);
        } else if (auto file = arguments.value("--lend")) {
            options.lend.push_back({.path = *file, .label = {}});
        } else if (takeStoreOption(arguments, options.lend, line.error)) {
            continue;
        } else if (arguments.flag("--payload-crc")) {
            options.payloadCrc = true;
        } else if (takeSmooOption(arguments, options)) {
            continue;
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
    if (line.runDir.empty())
        line.runDir = "/run/belay-hostd/" +
                      (options.gadgetSerial.empty() ? "default" : folderFor(options.gadgetSerial));
    if (line.error.empty() && !line.done && line.command.empty() && options.attach.empty() &&
        options.lend.empty())
        line.error = "nothing to do: give --attach or --lend";
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
    HostService service(**ring, std::move(*runDir), *identity, line.options);
    return service.run();
}

}  // namespace

int main(int argc, char** argv) {
    endIfOwnProcess(argc, argv);
    if (const auto role = workerRoleFrom(argc, argv))
        return *role == WorkerRole::Initiator ? hostInitiatorMain(argv[2])
                                              : hostTargetMain(argv[2]);
    const CommandLine line = parse(Arguments(argc, argv));
    if (line.done)
        return EXIT_SUCCESS;
    if (!line.error.empty()) {
        fmt::print(stderr, "belay-hostd: {}\nTry belay-hostd --help\n", line.error);
        return 2;
    }
    if (!line.command.empty())
        return commandMain(line.runDir, line.command);
    log::setup("belay-hostd", line.verbose ? log::Level::Info : log::Level::Notice);
    const auto served = serve(line);
    if (served)
        return *served;
    fmt::print(stderr, "belay-hostd: {}\n", served.error().message());
    return EXIT_FAILURE;
}
