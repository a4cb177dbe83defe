// bench_report FIGURES: prints what guest/bench measured as tables.
//
// Ends with a status of 1 if a figure is lacking: every workload must have one of every peer, at
// every speed, and every peer with a store must have shown the right data.
#include "tests/bench/report/figures.h"
#include "tests/bench/report/tables.h"
#include "tests/bench/report/targets.h"

#include <fmt/format.h>

namespace {

int lacking(const bench::Figures& figures) {
    int count = 0;
    const auto need = [&](const std::string& speed, const std::string& workload,
                          const std::string& peer, const std::string& measure) {
        if (figures.value(speed, workload, peer, measure).value_or(0) > 0)
            return;
        fmt::print(stderr, "bench_report: no {} of {}, {} at {} speed\n", measure, workload, peer,
                   speed);
        ++count;
    };
    for (const std::string& speed : figures.speeds()) {
        for (const std::string& peer : figures.peers()) {
            for (const std::string& workload : figures.workloads())
                need(speed, workload, peer, "requests_per_second");
            if (!peer.starts_with("raw"))
                need(speed, "-", peer, "data_right");
        }
    }
    return count;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: bench_report FIGURES\n");
        return 2;
    }
    const auto figures = bench::Figures::load(argv[1]);
    if (!figures || figures->workloads().empty()) {
        fmt::print(stderr, "bench_report: {} has no figures\n", argv[1]);
        return 1;
    }
    bench::printSpeed(*figures);
    bench::printProcessorTime(*figures);
    bench::printRest(*figures);
    bench::printTargets(*figures);
    return lacking(*figures) == 0 ? 0 : 1;
}
