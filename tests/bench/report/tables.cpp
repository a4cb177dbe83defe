#include "tests/bench/report/tables.h"

#include "tests/bench/report/peers.h"

#include <fmt/format.h>

namespace bench {
namespace {

constexpr const char* kThroughput = "requests_per_second";

std::string cell(std::optional<double> value, int decimals) {
    return value ? fmt::format("{:.{}f}", *value, decimals) : "-";
}

// Sequential workloads in MB/s, random ones in requests per second.
std::string throughput(const Figures& figures, const std::string& speed,
                       const std::string& workload, const std::string& peer) {
    if (!workload.starts_with("seq"))
        return cell(figures.value(speed, workload, peer, kThroughput), 0);
    auto bytes = figures.value(speed, workload, peer, "bytes_per_second");
    if (bytes)
        bytes = *bytes / 1e6;
    return cell(bytes, 1);
}

void printSpeed(const Figures& figures, const std::string& speed) {
    fmt::print("\n{} speed: MB/s (seq), requests/s (rand)\n", speed);
    fmt::print("{:<18}{:>9}{:>9}{:>9}{:>9}{:>9}{:>14}{:>7}{:>13}{:>7}\n", "", "raw", "raw", "mass",
               "", "", "attach/", "/mass", "lend/", "/mass");
    fmt::print("{:<18}{:>9}{:>9}{:>9}{:>9}{:>9}{:>14}{:>7}{:>13}{:>7}\n", "workload", "host asks",
               "gadget", "storage", "attach", "lend", "raw", "", "raw", "");
    for (const std::string& workload : figures.workloads()) {
        fmt::print("{:<18}", workload);
        for (const std::string& peer :
             {kOurs[0].raw, kOurs[1].raw, kMassStorage, kOurs[0].name, kOurs[1].name})
            fmt::print("{:>9}", throughput(figures, speed, workload, peer));
        int width = 14;
        for (const Ours& ours : kOurs) {
            const auto ratio = [&](const std::string& other) {
                return cell(figures.ratio(speed, workload, ours.name, other, kThroughput), 2);
            };
            fmt::print("{:>{}}{:>7}", ratio(ours.raw), width, ratio(kMassStorage));
            width = 13;
        }
        fmt::print("\n");
    }
}

// Microseconds of one end's processor time per request.
std::string processorTime(const Figures& figures, const std::string& speed,
                          const std::string& workload, const std::string& peer,
                          const std::string& end) {
    const auto share = figures.value(speed, workload, peer, "cpu_" + end);
    const auto rate = figures.value(speed, workload, peer, kThroughput);
    if (!share || !rate || *rate == 0)
        return "-";
    return cell(*share / *rate * 1e6, 0);
}

void printProcessorTime(const Figures& figures, const std::string& speed) {
    fmt::print("\n{} speed: processor time per request, us, host + gadget\n", speed);
    fmt::print("{:<18}{:>15}{:>15}{:>15}{:>15}{:>15}\n", "workload", "raw, host asks",
               "raw, gadget", "mass storage", "attach", "lend");
    for (const std::string& workload : figures.workloads()) {
        fmt::print("{:<18}", workload);
        for (const std::string& peer :
             {kOurs[0].raw, kOurs[1].raw, kMassStorage, kOurs[0].name, kOurs[1].name})
            fmt::print("{:>15}",
                       fmt::format("{} + {}", processorTime(figures, speed, workload, peer, "host"),
                                   processorTime(figures, speed, workload, peer, "gadget")));
        fmt::print("\n");
    }
}

std::string mebibytes(std::optional<double> kibibytes) {
    return kibibytes ? fmt::format("{:.1f}", *kibibytes / 1024) : "-";
}

}  // namespace

void printSpeed(const Figures& figures) {
    for (const std::string& speed : figures.speeds())
        printSpeed(figures, speed);
}

void printProcessorTime(const Figures& figures) {
    for (const std::string& speed : figures.speeds())
        printProcessorTime(figures, speed);
}

void printRest(const Figures& figures) {
    fmt::print("\n{:<8}{:<14}{:>22}{:>22}{:>22}{:>24}{:>14}\n", "speed", "peer",
               "own MiB host/gadget", "with logs, at rest", "with logs, at most",
               "idle ms/s host/gadget", "first I/O ms");
    for (const std::string& speed : figures.speeds()) {
        for (const std::string& peer : {kMassStorage, kOurs[0].name, kOurs[1].name}) {
            const auto value = [&](const std::string& measure) {
                return figures.value(speed, "-", peer, measure);
            };
            const auto pair = [](const std::string& host, const std::string& gadget) {
                return host + " / " + gadget;
            };
            fmt::print("{:<8}{:<14}{:>22}{:>22}{:>22}{:>24}{:>14}\n", speed, peer,
                       pair(mebibytes(value("own_host")), mebibytes(value("own_gadget"))),
                       pair(mebibytes(value("rss_host")), mebibytes(value("rss_gadget"))),
                       pair(mebibytes(value("peak_host")), mebibytes(value("peak_gadget"))),
                       pair(cell(value("idle_ms_host"), 1), cell(value("idle_ms_gadget"), 1)),
                       cell(value("first_io_ms"), 0));
        }
    }
}

}  // namespace bench
