#include "helper/worker/worker_main.h"

#include "core/base/log.h"

#include <unistd.h>

#include <string_view>

namespace belay::helper {

int workerMain(const char* program, WorkerRole role, const std::string& config,
               const std::function<Result<int>(const Json& config)>& serve) {
    nameProcess(program);
    log::setup(std::string(program) + "[" + nameOf(role) + "]", log::Level::Notice);
    const Json parsed = Json::parse(config, nullptr, false);
    try {
        const auto served = serve(parsed);
        if (served)
            return *served;
        log::error("{}", served.error().message());
    } catch (const Json::exception& error) {
        log::error("bad configuration: {}", error.what());
    }
    return EXIT_FAILURE;
}

std::optional<WorkerRole> workerRoleFrom(int argc, char** argv) {
    if (argc == 3)
        for (const WorkerRole role : kWorkerRoles)
            if (argv[1] == std::string(nameOf(role)) + "-worker")
                return role;
    return std::nullopt;
}

Result<std::unique_ptr<Ring>> makeWorkerRing(WorkerRole role) {
    joinWriteBackPath();
    return Ring::create(kWorkerRingEntries, ringOperations(role));
}

Result<void> confineWorker(const Json& config, Side side, WorkerRole role,
                           const std::string& writable, bool lasting) {
    const auto identity = identityOf(config.at("user").get<std::string>());
    if (!identity)
        return tl::make_unexpected(identity.error());
    if (auto dropped = giveUpPrivileges(*identity, writable, lasting); !dropped)
        return dropped;
    return filterSystemCalls(side, role);
}

int runWorker(Ring& ring, SupervisorLink& supervisor) {
    supervisor.begin();
    if (auto ran = ring.run(); !ran)
        endWorker(ran.error());
    return EXIT_SUCCESS;
}

void endWorker(const Error& reason) {
    log::error("{}", reason.message());
    ::_exit(EXIT_FAILURE);
}

}  // namespace belay::helper
