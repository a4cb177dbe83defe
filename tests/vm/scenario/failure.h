#pragma once

#include <QString>
#include <chrono>
#include <functional>
#include <stdexcept>

namespace scenario {

using Milliseconds = std::chrono::milliseconds;
using namespace std::chrono_literals;

// Software emulation on a busy machine is slow (measured: 20 seconds for what takes two on one that
// has nothing else to do): what takes longer than this hangs.
inline constexpr Milliseconds kPatience = 60s;

// A step that did not go as it must. Thrown by the steps, caught by play().
class Failure : public std::runtime_error {
 public:
    explicit Failure(const QString& what) : std::runtime_error(what.toStdString()) {}
};

// Throws a Failure that says `what` unless it is so.
void require(bool so, const QString& what);

// Lets `span` pass; events of QProcess are handled meanwhile.
void wait(Milliseconds span);
// Asks `condition` every few milliseconds until it holds; false if it does not within `limit`.
bool waitUntil(const std::function<bool()>& condition, Milliseconds limit = kPatience,
               Milliseconds pause = 5ms);

// The same; a Failure says `otherwise` if it does not. What that shows is how things are then: what
// is passed to require() may be put together before the wait.
void await(const std::function<bool()>& condition, const std::function<QString()>& otherwise,
           Milliseconds limit = kPatience, Milliseconds pause = 5ms);

// True in the long forms (BELAY_TEST_FULL=1).
bool full();
// How often a thing is repeated in the short form, and in the long one.
inline int times(int brief, int complete) {
    return full() ? complete : brief;
}
// True on Linux 6.12.
bool oldKernel();
// Whether scenario `number` of a program is played here: in the short form the even ones are played
// on one of the two kernels and the odd ones on the other; the long form plays all of them on both,
// and so does whoever names a test function on the command line.
bool alternates(int number);
// The same for row `row` of the present test function.
bool hasTurn(int row);

}  // namespace scenario
