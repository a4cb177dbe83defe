// raw_loop UDC: how fast FunctionFS and libusb are on this machine with nothing in between.
//
// One process is the gadget, one the host. Prints "ready", then reads lines "JOB SECONDS" and
// answers each, after having run the job for about so long, with lines "MEASURE VALUE" and an empty
// one. At the end of input it takes the gadget away. Needs root, a free UDC that is wired to this
// machine's own host controller (dummy_hcd), and room in usbcore's usbfs_memory_mb.
#include "core/base/clock.h"
#include "core/base/log.h"
#include "tests/bench/raw_loop/gadget_end.h"
#include "tests/bench/raw_loop/host_transport.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <string_view>
#include <thread>

namespace rawloop {
namespace {

using belay::Result;

Result<std::unique_ptr<HostTransport>> awaitGadget() {
    const belay::TimePoint limit = belay::Clock::now() + std::chrono::seconds(20);
    while (belay::Clock::now() < limit) {
        auto transport = HostTransport::open(kVendor, kProduct);
        if (!transport || *transport)
            return transport;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return belay::failure("no gadget appeared within 20 s");
}

struct Outcomes {
    Outcome host;
    Outcome gadget;
};

Result<Outcomes> runBoth(const Job& job, int control, Transport& transport) {
    Outcomes both;
    if (::write(control, &job, sizeof job) != static_cast<ssize_t>(sizeof job))
        return belay::systemError("send the job");
    auto host = run(job, End::Host, transport);
    if (!host)
        return tl::make_unexpected(host.error());
    both.host = *host;
    if (::read(control, &both.gadget, sizeof both.gadget) !=
        static_cast<ssize_t>(sizeof both.gadget))
        return belay::failure("the gadget gave up");
    return both;
}

// Runs a job as often as it takes for the time asked for, going by a short run before.
Result<void> measure(Job job, double seconds, int control, Transport& transport) {
    job.count = std::max<std::uint32_t>(16, 2 * job.depth);
    const auto pilot = runBoth(job, control, transport);
    if (!pilot)
        return tl::make_unexpected(pilot.error());
    const double fitting = job.count * seconds / pilot->host.seconds;
    job.count = std::max(job.count, static_cast<std::uint32_t>(std::lround(fitting)));
    const auto outcome = runBoth(job, control, transport);
    if (!outcome)
        return tl::make_unexpected(outcome.error());
    const double elapsed = outcome->host.seconds;
    fmt::print("bytes_per_second {:.0f}\nrequests_per_second {:.2f}\n",
               job.count * static_cast<double>(job.payloadBytes) / elapsed, job.count / elapsed);
    fmt::print("cpu_host {:.4f}\ncpu_gadget {:.4f}\n\n", outcome->host.cpuSeconds / elapsed,
               outcome->gadget.cpuSeconds / elapsed);
    std::fflush(stdout);
    return {};
}

Result<void> runHost(int control) {
    auto transport = awaitGadget();
    if (!transport)
        return tl::make_unexpected(transport.error());
    fmt::print("ready\n");
    std::fflush(stdout);
    const std::vector<Job> jobs = allJobs();
    std::string word;
    double seconds = 0;
    while (std::cin >> word >> seconds) {
        const auto job = std::ranges::find(jobs, word, name);
        if (job == jobs.end())
            return belay::failure("no such job:", word);
        if (auto measured = measure(*job, seconds, control, **transport); !measured)
            return measured;
    }
    return {};
}

int start(const std::string& udc) {
    int sockets[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) != 0) {
        belay::log::error("{}", belay::systemError("socketpair").value().message());
        return 1;
    }
    const pid_t gadget = ::fork();
    if (gadget == 0) {
        ::close(sockets[0]);
        ::_exit(runGadget(udc, sockets[1]));
    }
    ::close(sockets[1]);
    const auto ran = runHost(sockets[0]);
    ::close(sockets[0]);
    if (!ran)
        belay::log::error("{}", ran.error().message());
    int status = 1;
    const bool ended = gadget > 0 && ::waitpid(gadget, &status, 0) == gadget && status == 0;
    return ran && ended ? 0 : 1;
}

}  // namespace
}  // namespace rawloop

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: raw_loop UDC\n");
        return 2;
    }
    belay::log::setup("raw_loop", belay::log::Level::Notice);
    return rawloop::start(argv[1]);
}
