#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

// What can happen: each kind of the signal Manager1.Event with its details, as the XML beside this
// file describes them.
//
// belayd sends these, the window reads them, and the tests build them. No Qt: the part of belayd
// that looks after gadgets has none.
namespace belay::events {

// A detail's name on the bus, and where the event has it. One that is empty is not sent.
template <class Event>
struct Detail {
    std::string_view name;
    std::string Event::*value;
};

// A device came into another state.
struct StateChanged {
    std::string from;  // empty: the device is new
    std::string to;
    std::string why;  // English

    static constexpr std::string_view kKind = "state";
    static constexpr std::array kDetails{
        Detail<StateChanged>{"from", &StateChanged::from},
        Detail<StateChanged>{"to", &StateChanged::to},
        Detail<StateChanged>{"why", &StateChanged::why},
    };
    bool operator==(const StateChanged&) const = default;
};

// Something that does not go on by itself, or not as it should.
struct ProblemFound {
    std::string problem;  // a word of Device1.Problems, or kCannotLend
    std::string file;     // that cannot be lent
    std::string why;      // English

    static constexpr std::string_view kCannotLend = "cannot-lend";
    static constexpr std::string_view kKind = "problem";
    static constexpr std::array kDetails{
        Detail<ProblemFound>{"problem", &ProblemFound::problem},
        Detail<ProblemFound>{"file", &ProblemFound::file},
        Detail<ProblemFound>{"why", &ProblemFound::why},
    };
    bool operator==(const ProblemFound&) const = default;
};

// A new worker has taken the device over from a dead one, and the device goes on.
struct TakenOver {
    std::string recoveries;  // as Device1.Recoveries

    static constexpr std::string_view kKind = "recovery";
    static constexpr std::array kDetails{
        Detail<TakenOver>{"recoveries", &TakenOver::recoveries},
    };
    bool operator==(const TakenOver&) const = default;
};

// A gadget came or went.
struct GadgetSeen {
    std::string change;  // kPluggedIn or kUnplugged
    std::string port;

    static constexpr std::string_view kPluggedIn = "plugged-in";
    static constexpr std::string_view kUnplugged = "unplugged";
    static constexpr std::string_view kKind = "gadget";
    static constexpr std::array kDetails{
        Detail<GadgetSeen>{"change", &GadgetSeen::change},
        Detail<GadgetSeen>{"port", &GadgetSeen::port},
    };
    bool operator==(const GadgetSeen&) const = default;
};

// Somebody asked for something, and was allowed to.
struct Asked {
    std::string action;
    std::string user;       // the number of who asked
    std::string share;      // what is attached
    std::string file;       // what is lent
    std::string policy;     // as Device1.Policy
    std::string seconds;    // as Device1.PolicySeconds, of a policy that has them
    std::string readOnly;   // "true": what is lent, is lent so
    std::string blockSize;  // in bytes, of what is lent, if it was said

    static constexpr std::string_view kAttach = "attach";
    static constexpr std::string_view kLend = "lend";
    static constexpr std::string_view kAutoAttachOn = "auto-attach-on";
    static constexpr std::string_view kAutoAttachOff = "auto-attach-off";
    static constexpr std::string_view kForget = "forget";
    static constexpr std::string_view kRecover = "recover";
    static constexpr std::string_view kAcceptLoss = "accept-loss";
    static constexpr std::string_view kStop = "stop";
    static constexpr std::string_view kForceStop = "force-stop";
    static constexpr std::string_view kSetPolicy = "set-policy";
    static constexpr std::string_view kRescan = "rescan";
    static constexpr std::array kActions{kAttach,    kLend,      kAutoAttachOn, kAutoAttachOff,
                                         kForget,    kRecover,   kAcceptLoss,   kStop,
                                         kForceStop, kSetPolicy, kRescan};
    static constexpr std::string_view kKind = "action";
    static constexpr std::array kDetails{
        Detail<Asked>{"action", &Asked::action},
        Detail<Asked>{"user", &Asked::user},
        Detail<Asked>{"share", &Asked::share},
        Detail<Asked>{"file", &Asked::file},
        Detail<Asked>{"policy", &Asked::policy},
        Detail<Asked>{"seconds", &Asked::seconds},
        Detail<Asked>{"read-only", &Asked::readOnly},
        Detail<Asked>{"block-size", &Asked::blockSize},
    };
    bool operator==(const Asked&) const = default;
};

// One of a gadget's workers has ended, and not because it was no longer needed.
struct WorkerEnded {
    std::string how;          // English
    std::string worker = {};  // "initiator" or "target"

    static constexpr std::string_view kKind = "service";
    static constexpr std::array kDetails{
        Detail<WorkerEnded>{"how", &WorkerEnded::how},
        Detail<WorkerEnded>{"worker", &WorkerEnded::worker},
    };
    bool operator==(const WorkerEnded&) const = default;
};

using Any = std::variant<StateChanged, ProblemFound, TakenOver, GadgetSeen, Asked, WorkerEnded>;
using Details = std::map<std::string, std::string>;

inline std::string_view kindOf(const Any& event) {
    return std::visit([](const auto& each) { return each.kKind; }, event);
}

inline Details detailsOf(const Any& event) {
    return std::visit(
        [](const auto& each) {
            Details details;
            for (const auto& detail : each.kDetails)
                if (const std::string& value = each.*detail.value; !value.empty())
                    details.emplace(detail.name, value);
            return details;
        },
        event);
}

// Calls `visit` with an empty event of each kind.
template <class Visit>
void forEachKind(Visit visit) {
    [&]<std::size_t... index>(std::index_sequence<index...>) {
        (visit(std::variant_alternative_t<index, Any>{}), ...);
    }
    (std::make_index_sequence<std::variant_size_v<Any>>());
}

// Back from a kind and its details; nothing for a kind that is not known here. `valueOf` takes a
// detail's name and returns its value, empty for one that is not there.
template <class ValueOf>
std::optional<Any> eventFrom(std::string_view kind, ValueOf valueOf) {
    std::optional<Any> found;
    forEachKind([&](auto event) {
        if (event.kKind != kind)
            return;
        for (const auto& detail : event.kDetails)
            event.*detail.value = valueOf(detail.name);
        found = std::move(event);
    });
    return found;
}

}  // namespace belay::events
