#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace belay::sim {

// Virtual time in microseconds.
using Micros = std::uint64_t;

// What is going to happen, in order of time; what falls on the same time, in the order asked for.
class Timeline {
 public:
    using Action = std::function<void()>;

    Micros now() const { return now_; }

    void after(Micros delay, Action action) {
        events_.push_back({now_ + delay, ++asked_, std::move(action)});
        std::ranges::push_heap(events_, later);
    }
    // Unless `life` is over by then.
    void after(Micros delay, const std::shared_ptr<char>& life, Action action) {
        after(delay, [life = std::weak_ptr(life), action = std::move(action)] {
            if (!life.expired())
                action();
        });
    }
    // Lets the next thing happen; false if there is none.
    bool step() {
        if (events_.empty())
            return false;
        std::ranges::pop_heap(events_, later);
        const Event event = std::move(events_.back());
        events_.pop_back();
        now_ = event.when;
        event.action();
        return true;
    }

 private:
    struct Event {
        Micros when;
        std::uint64_t number;
        Action action;
    };
    static bool later(const Event& a, const Event& b) {
        return a.when != b.when ? a.when > b.when : a.number > b.number;
    }

    Micros now_ = 0;
    std::uint64_t asked_ = 0;
    std::vector<Event> events_;
};

}  // namespace belay::sim
