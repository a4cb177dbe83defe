#include "tests/vm/scenario/failure.h"

#include <QElapsedTimer>
#include <QTest>

namespace scenario {

void require(bool so, const QString& what) {
    if (!so)
        throw Failure(what);
}

void wait(Milliseconds span) {
    QTest::qWait(static_cast<int>(span.count()));
}

bool waitUntil(const std::function<bool()>& condition, Milliseconds limit, Milliseconds pause) {
    QElapsedTimer clock;
    clock.start();
    while (!condition()) {
        if (clock.elapsed() > limit.count())
            return false;
        wait(pause);
    }
    return true;
}

bool full() {
    return qEnvironmentVariable("BELAY_TEST_FULL") == "1";
}

}  // namespace scenario
