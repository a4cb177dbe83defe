#include "core/lifecycle/state.h"

namespace belay::lifecycle {
namespace {

template <class Value, std::size_t kCount>
std::optional<Value> named(const std::array<std::string_view, kCount>& names,
                           std::string_view name) {
    for (std::size_t i = 0; i < kCount; ++i) {
        if (names[i] == name) {
            return static_cast<Value>(i);
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<State> stateNamed(std::string_view name) {
    return named<State>(kStateNames, name);
}

std::optional<Problem> problemNamed(std::string_view name) {
    return named<Problem>(kProblemNames, name);
}

}  // namespace belay::lifecycle
