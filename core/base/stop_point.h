#pragma once

// Named places at which tests have a process die, compiled in with BELAY_STOP_POINTS alone.
//
// The environment of a process says which place, and how:
// - BELAY_STOP_AT=name or name:N: the place, the N-th time that the process comes to it.
// - BELAY_STOP_ONCE=path of a FIFO: it dies there, the N-th time or later, once there is a byte to
//   be taken from it. So a test that holds it open decides when, and the next process with the same
//   environment lives on.
// - BELAY_STOP_SIGNAL=number: what it sends itself instead of SIGKILL; SIGSTOP holds it there, for
//   the test to kill another.
// It is read before main(), while the process may still open files; dying takes nothing that a
// worker's system call filter refuses.
namespace belay {

#ifdef BELAY_STOP_POINTS

namespace detail {
extern bool stopPointsAreSet;
// Counts it if this is the place.
bool atStopPoint(const char* name);
void stopHere();
}  // namespace detail

// `prepare` is called before the process dies here, e.g. to have the kernel take what is only
// queued.
template <class Prepare>
inline void stopPoint(const char* name, Prepare prepare) {
    if (detail::stopPointsAreSet && detail::atStopPoint(name)) [[unlikely]] {
        prepare();
        detail::stopHere();
    }
}
inline void stopPoint(const char* name) {
    stopPoint(name, [] {});
}

#else

template <class Prepare>
inline void stopPoint(const char*, Prepare) {}
inline void stopPoint(const char*) {}

#endif

}  // namespace belay
