// A worker without a data path: what a worker has of its supervisor, and the ways in which it can
// go wrong. Its argument: {"lasting": bool, "fails": bool, "mute": bool}. Messages: "echo", "hang",
// "write" (an x to descriptor 4).
#include "helper/worker/supervisor_link.h"

#include <unistd.h>

#include <cstdlib>

using namespace belay;
using namespace belay::helper;

namespace {

constexpr int kSupervisorFd = 3;
constexpr int kPassedFd = 4;
constexpr int kFailure = 3;

int work(const Json& config) {
    if (config.at("fails").get<bool>())
        return kFailure;
    if (config.at("mute").get<bool>())
        ::pause();
    auto ring = Ring::create(32);
    if (!ring)
        return kFailure;
    int supervisors = 0;
    std::unique_ptr<SupervisorLink> link;
    link = std::make_unique<SupervisorLink>(
        **ring, Fd(kSupervisorFd), config.at("lasting").get<bool>(),
        [&](const Json& message, const std::vector<Fd>&) {
            const auto type = message.at("type").get<std::string>();
            if (type == "echo")
                link->send({{"type", "echoed"}, {"text", message.at("text")}});
            else if (type == "hang")
                ::pause();
            else if (type == "write" && ::write(kPassedFd, "x", 1) != 1)
                ::_exit(kFailure);
        },
        [&] {
            link->send({{"type", "ready"}, {"pid", ::getpid()}, {"supervisors", ++supervisors}});
        },
        [](const Error&) { ::_exit(kFailure); });
    link->begin();
    return (*ring)->run() ? EXIT_SUCCESS : kFailure;
}

}  // namespace

int main(int argc, char** argv) {
    return argc == 2 ? work(Json::parse(argv[1])) : kFailure;
}
