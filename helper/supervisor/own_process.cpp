#include "helper/supervisor/own_process.h"

#include "core/ublk/control_process.h"
#include "helper/supervisor/content_records.h"
#include "helper/supervisor/file_opener.h"
#include "helper/supervisor/partition_process.h"
#include "helper/supervisor/port_reset.h"

#include <unistd.h>

#include <optional>
#include <string_view>

namespace belay::helper {
namespace {

std::optional<int> statusOf(int argc, char** argv) {
    const std::string_view first = argc > 1 ? argv[1] : "";
    if (first == ublk::kControlArgument)
        return ublk::controlMain();
    if (first == kEndRecordArgument && argc == 6)
        return endRecordMain(argv + 2);
    if (first == kOpenFileArgument && argc == 2)
        return openFileMain();
    if (first == kReadPartitionsArgument && argc == 5)
        return readPartitionsMain(argv + 2);
    if (first == kChangePartitionsArgument && argc == 3)
        return changePartitionsMain(argv + 2);
    if (first == kResetPortArgument && argc == 3)
        return resetPortMain(argv[2]);
    return std::nullopt;
}

}  // namespace

void endIfOwnProcess(int argc, char** argv) {
    if (const auto status = statusOf(argc, argv))
        ::_exit(*status);
}

}  // namespace belay::helper
