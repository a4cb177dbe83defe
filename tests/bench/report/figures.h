#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What was measured, as guest/bench writes it: lines "SPEED ROUND WORKLOAD PEER MEASURE VALUE".
class Figures {
 public:
    // Reads a file; nothing if it cannot be read or has a line that is no figure.
    static std::optional<Figures> load(const std::string& path);

    // In the order in which they first occurred.
    const std::vector<std::string>& speeds() const { return speeds_; }
    const std::vector<std::string>& workloads() const { return workloads_; }
    const std::vector<std::string>& peers() const { return peers_; }

    // The median over the rounds. For what is no workload's: workload "-".
    std::optional<double> value(const std::string& speed, const std::string& workload,
                                const std::string& peer, const std::string& measure) const;
    // The median of the ratios of two peers in the same round, which holds when the machine was
    // slower in one round than in another.
    std::optional<double> ratio(const std::string& speed, const std::string& workload,
                                const std::string& peer, const std::string& other,
                                const std::string& measure) const;

 private:
    using Rounds = std::vector<double>;
    const Rounds* rounds(const std::string& speed, const std::string& workload,
                         const std::string& peer, const std::string& measure) const;

    std::vector<std::string> speeds_;
    std::vector<std::string> workloads_;
    std::vector<std::string> peers_;
    std::map<std::string, Rounds> values_;
};

}  // namespace bench
