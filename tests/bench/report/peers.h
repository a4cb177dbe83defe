#pragma once

#include <array>
#include <string>

namespace bench {

inline const std::string kMassStorage = "mass-storage";

// A direction of ours and the raw loop it compares with: the one with the same end asking.
struct Ours {
    std::string name;
    std::string raw;
};

inline const std::array<Ours, 2> kOurs = {Ours{"attach", "raw-host"}, Ours{"lend", "raw-gadget"}};

}  // namespace bench
