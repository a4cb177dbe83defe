#include "tests/bench/report/targets.h"

#include "tests/bench/report/peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace bench {
namespace {

enum class Sense { AtLeast, Below, AtMost };

bool isMet(double value, Sense sense, double bound) {
    switch (sense) {
        case Sense::AtLeast:
            return value >= bound;
        case Sense::Below:
            return value < bound;
        case Sense::AtMost:
            return value <= bound;
    }
    return false;
}

const char* words(Sense sense) {
    switch (sense) {
        case Sense::AtLeast:
            return ">=";
        case Sense::Below:
            return "<";
        case Sense::AtMost:
            return "<=";
    }
    return "";
}

// One figure of one direction at one speed; nothing if it was not measured.
using Reading = std::function<std::optional<double>(const std::string& speed, const Ours& ours)>;

struct Target {
    std::string what;
    Sense sense;
    double bound;
    Reading reading;
};

// The worst of several readings.
std::optional<double> worst(const std::vector<std::optional<double>>& readings, Sense sense) {
    std::optional<double> result;
    for (const auto& reading : readings)
        if (reading &&
            (!result || (sense == Sense::AtLeast ? *reading < *result : *reading > *result)))
            result = reading;
    return result;
}

std::vector<Target> targets(const Figures& figures) {
    std::vector<Target> all;
    // Over the workloads whose names begin and end so, the worst ratio to another peer.
    const auto ratio = [&](std::string what, const std::string& begin, const std::string& end,
                           bool toRaw, const std::string& measure, Sense sense, double bound) {
        all.push_back({std::move(what), sense, bound,
                       [=, &figures](const std::string& speed, const Ours& ours) {
                           std::vector<std::optional<double>> ratios;
                           for (const std::string& workload : figures.workloads())
                               if (workload.starts_with(begin) && workload.ends_with(end))
                                   ratios.push_back(figures.ratio(speed, workload, ours.name,
                                                                  toRaw ? ours.raw : kMassStorage,
                                                                  measure));
                           return worst(ratios, sense);
                       }});
    };
    const auto single = [&](std::string what, std::vector<std::string> measures, double unit,
                            Sense sense, double bound) {
        all.push_back({std::move(what), sense, bound,
                       [=, &figures](const std::string& speed, const Ours& ours) {
                           std::vector<std::optional<double>> values;
                           for (const std::string& measure : measures)
                               if (auto value = figures.value(speed, "-", ours.name, measure))
                                   values.emplace_back(*value / unit);
                           return worst(values, sense);
                       }});
    };
    const std::string rate = "requests_per_second";
    for (const char* direction : {"read", "write"}) {
        for (const char* size : {"64k", "1m"}) {
            const std::string begin = fmt::format("seq-{}-{}-", direction, size);
            const std::string what = fmt::format("sequential {} {}, depth 8", direction, size);
            ratio(what + ", to the raw loop", begin, "-8", true, rate, Sense::AtLeast, 0.8);
            ratio(what + ", to mass storage", begin, "-8", false, rate, Sense::AtLeast, 2);
        }
        const std::string random = fmt::format("rand-{}-4k-", direction);
        ratio(fmt::format("random {} 4k, depth 32, to mass storage", direction), random, "-32",
              false, rate, Sense::AtLeast, 3);
        ratio(fmt::format("random {} 4k, depth 1, latency to mass storage", direction), random,
              "-1", false, "latency_us", Sense::AtMost, 1);
    }
    constexpr double kMebibyte = 1024;
    single("resident MiB of either end, write logs apart", {"own_host", "own_gadget"},
           kMebibyte, Sense::Below, 32);
    single("processor time when idle, ms/s", {"idle_ms_host", "idle_ms_gadget"}, 1, Sense::AtMost,
           0);
    single("enumeration to first I/O, ms", {"first_io_ms"}, 1, Sense::Below, 1000);
    return all;
}

}  // namespace

void printTargets(const Figures& figures) {
    fmt::print("\ntargets\n{:<52}", "");
    for (const std::string& speed : figures.speeds())
        for (const Ours& ours : kOurs)
            fmt::print("{:>20}", speed + " " + ours.name);
    fmt::print("\n");
    std::size_t met = 0;
    std::size_t missed = 0;
    for (const Target& target : targets(figures)) {
        fmt::print("{:<52}",
                   fmt::format("{} {} {:g}", target.what, words(target.sense), target.bound));
        for (const std::string& speed : figures.speeds()) {
            for (const Ours& ours : kOurs) {
                const auto value = target.reading(speed, ours);
                if (!value) {
                    fmt::print("{:>20}", "-");
                    continue;
                }
                const bool reached = isMet(*value, target.sense, target.bound);
                ++(reached ? met : missed);
                fmt::print("{:>20}", fmt::format("{:.{}f} {}", *value, target.bound >= 32 ? 1 : 2,
                                                 reached ? "met" : "MISSED"));
            }
        }
        fmt::print("\n");
    }
    fmt::print("{} met, {} missed\n", met, missed);
}

}  // namespace bench
