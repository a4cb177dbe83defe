#include "tests/bench/report/figures.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace bench {
namespace {

std::string key(const std::string& speed, const std::string& workload, const std::string& peer,
                const std::string& measure) {
    return speed + ' ' + workload + ' ' + peer + ' ' + measure;
}

void addOnce(std::vector<std::string>& names, const std::string& name) {
    if (name != "-" && std::ranges::find(names, name) == names.end())
        names.push_back(name);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

std::optional<Figures> Figures::load(const std::string& path) {
    std::ifstream file(path);
    if (!file)
        return std::nullopt;
    Figures figures;
    for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        std::string speed, round, workload, peer, measure;
        double value = 0;
        if (!(fields >> speed >> round >> workload >> peer >> measure >> value))
            return std::nullopt;
        addOnce(figures.speeds_, speed);
        addOnce(figures.workloads_, workload);
        addOnce(figures.peers_, peer);
        figures.values_[key(speed, workload, peer, measure)].push_back(value);
    }
    return figures;
}

const Figures::Rounds* Figures::rounds(const std::string& speed, const std::string& workload,
                                       const std::string& peer, const std::string& measure) const {
    const auto found = values_.find(key(speed, workload, peer, measure));
    return found == values_.end() ? nullptr : &found->second;
}

std::optional<double> Figures::value(const std::string& speed, const std::string& workload,
                                     const std::string& peer, const std::string& measure) const {
    const Rounds* all = rounds(speed, workload, peer, measure);
    return all == nullptr ? std::nullopt : std::optional(median(*all));
}

std::optional<double> Figures::ratio(const std::string& speed, const std::string& workload,
                                     const std::string& peer, const std::string& other,
                                     const std::string& measure) const {
    const Rounds* above = rounds(speed, workload, peer, measure);
    const Rounds* below = rounds(speed, workload, other, measure);
    if (above == nullptr || below == nullptr || above->size() != below->size())
        return std::nullopt;
    std::vector<double> ratios;
    for (std::size_t i = 0; i < above->size(); ++i)
        if ((*below)[i] > 0)
            ratios.push_back((*above)[i] / (*below)[i]);
    return ratios.empty() ? std::nullopt : std::optional(median(ratios));
}

}  // namespace bench
