#include "core/base/log.h"
#include "helper/service/daemon.h"
#include "helper/supervisor/arguments.h"
#include "helper/supervisor/own_process.h"
#include "helper/supervisor/words.h"

#include <fmt/format.h>
#include <stdio.h>

#include <QtCore/QCoreApplication>
#include <charconv>

using namespace belay;

namespace {

constexpr const char* kUsage =
    R"(belayd: block devices over USB, the host's service on the system bus

belayd [OPTION...]
    --idle-exit SECONDS   end when there has been nothing to do for so long
                          (default: 0, never)
    --bus-address ADDR    this bus instead of the system bus
    --run-dir DIR         where is kept what lasts until the next boot
                          (default: /run/belay)
    --state-dir DIR       where settings are kept (default: /var/lib/belay)
    --hostd FILE          the data path's program
    --user NAME           run the data path as this user (default: belay-hostd)
    --write-log MIB       for each device, keep up to so much of what was written
                          and is not saved yet, to write it again if the gadget
                          loses it (default: 64; 0: keep nothing)
    --verbose             say more on stderr
    --help, --version

See what it does with: busctl tree org.belay.Helper1
)";

struct CommandLine {
    service::DaemonOptions options;
    bool verbose = false;
    bool done = false;  // --help or --version was answered
    std::string error;
};

bool parseSeconds(const std::string& text, std::chrono::seconds& seconds) {
    unsigned value = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    seconds = std::chrono::seconds(value);
    return parsed.ec == std::errc() && parsed.ptr == end && value <= 86'400;
}

CommandLine parse(helper::Arguments arguments) {
    CommandLine line;
    line.options.fleet.hostd = BELAY_HOSTD_PATH;
    while (!arguments.atEnd() && line.error.empty() && !line.done) {
        if (arguments.flag("--help")) {
            fmt::print("{}", kUsage);
            line.done = true;
        } else if (arguments.flag("--version")) {
            fmt::print("belayd {}\n", BELAY_VERSION);
            line.done = true;
        } else if (auto seconds = arguments.value("--idle-exit")) {
            if (!parseSeconds(*seconds, line.options.idleExit))
                line.error = "--idle-exit wants seconds, 0 to 86400";
        } else if (auto address = arguments.value("--bus-address")) {
            line.options.busAddress = QString::fromStdString(*address);
        } else if (auto runDir = arguments.value("--run-dir")) {
            line.options.fleet.runDir = *runDir;
        } else if (auto stateDir = arguments.value("--state-dir")) {
            line.options.fleet.stateDir = *stateDir;
        } else if (auto hostd = arguments.value("--hostd")) {
            line.options.fleet.hostd = *hostd;
        } else if (auto user = arguments.value("--user")) {
            line.options.fleet.user = *user;
        } else if (auto bound = arguments.value("--write-log")) {
            if (const auto bytes = helper::writeLogFrom(*bound))
                line.options.fleet.writeLogBytes = *bytes;
            else
                line.error = fmt::format("--write-log wants {}", helper::kWriteLogRange);
        } else if (arguments.flag("--verbose")) {
            line.verbose = true;
        } else if (!arguments.failed().empty()) {
            line.error = arguments.failed();
        } else {
            line.error = fmt::format("unknown option \"{}\"", arguments.peek());
        }
    }
    return line;
}

}  // namespace

int main(int argc, char** argv) {
    helper::endIfOwnProcess(argc, argv);
    const CommandLine line = parse(helper::Arguments(argc, argv));
    if (line.done)
        return EXIT_SUCCESS;
    if (!line.error.empty()) {
        fmt::print(stderr, "belayd: {}\nTry belayd --help\n", line.error);
        return 2;
    }
    log::setup("belayd", line.verbose ? log::Level::Info : log::Level::Notice);
    QCoreApplication application(argc, argv);
    return service::Daemon(line.options).run();
}
