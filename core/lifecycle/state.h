#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace belay::lifecycle {

// What a device is doing; exactly one of these at a time.
enum class State : std::uint8_t {
    Starting,        // being made: link, session and kernel device are on their way
    Live,            // a session is open and requests flow
    Waiting,         // the peer is gone; requests are held and the policy clock runs
    Resuming,        // the peer is back; a session is being opened and held requests sent again
    Crashed,         // the process that serves it is gone; the next one waits for its turn
    Recovering,      // a new server is taking the device over from the dead one
    Failed,          // the policy time is over: requests fail with EIO; may still be resumed
    NeedsAttention,  // goes no further by itself; the problems say why
    Stopping,        // on its way out
    Gone,            // no kernel device, no server, nothing held
};
inline constexpr std::size_t kStates = 10;

// Why a device needs attention. A set: a second one may come while the first is not yet solved.
enum class Problem : std::uint8_t {
    DifferentDisk,     // what came back is not the export that went away
    DataMayBeMissing,  // acknowledged writes were lost and there is no copy to send again
    Incompatible,      // the peer speaks no protocol version or feature set of ours
    DaemonKeepsDying,  // the server died five times within a minute
    KernelRefused,     // the kernel would not give the device to a new server
};
inline constexpr std::size_t kProblems = 5;

// A set of problems.
class Problems {
 public:
    constexpr Problems() = default;
    constexpr Problems(std::initializer_list<Problem> problems) {
        for (const Problem problem : problems) {
            add(problem);
        }
    }
    constexpr void add(Problem problem) { bits_ = static_cast<std::uint8_t>(bits_ | bit(problem)); }
    constexpr void remove(Problem problem) {
        bits_ = static_cast<std::uint8_t>(bits_ & ~bit(problem));
    }
    constexpr bool has(Problem problem) const { return (bits_ & bit(problem)) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr bool operator==(const Problems&) const = default;

 private:
    static constexpr unsigned bit(Problem problem) { return 1U << static_cast<unsigned>(problem); }
    std::uint8_t bits_ = 0;
};

// The names below are stable: they go over D-Bus (Device1.State, Device1.Problems), into state
// files and into logs. Never shown to a user as they are.
inline constexpr std::array<std::string_view, kStates> kStateNames = {
    "starting",   "live",   "waiting",         "resuming", "crashed",
    "recovering", "failed", "needs-attention", "stopping", "gone"};
inline constexpr std::array<std::string_view, kProblems> kProblemNames = {
    "different-disk", "data-may-be-missing", "incompatible", "daemon-keeps-dying",
    "kernel-refused"};

constexpr std::string_view nameOf(State state) {
    return kStateNames[static_cast<std::size_t>(state)];
}
constexpr std::string_view nameOf(Problem problem) {
    return kProblemNames[static_cast<std::size_t>(problem)];
}

// Back from a name; nothing for an unknown one (a state file of a newer version).
std::optional<State> stateNamed(std::string_view name);
std::optional<Problem> problemNamed(std::string_view name);

}  // namespace belay::lifecycle
