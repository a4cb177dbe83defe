#include "tests/vm/scenario/failure.h"

#include <sys/utsname.h>

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QTest>
#include <algorithm>
#include <string_view>

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

void await(const std::function<bool()>& condition, const std::function<QString()>& otherwise,
           Milliseconds limit, Milliseconds pause) {
    if (!waitUntil(condition, limit, pause))
        throw Failure(otherwise());
}

bool full() {
    return qEnvironmentVariable("BELAY_TEST_FULL") == "1";
}

bool oldKernel() {
    utsname name{};
    ::uname(&name);
    return std::string_view(name.release).starts_with("6.12");
}

bool alternates(int number) {
    const QStringList arguments = QCoreApplication::arguments().mid(1);
    const bool named = std::ranges::any_of(
        arguments, [](const QString& argument) { return !argument.startsWith('-'); });
    return full() || named || number % 2 == (oldKernel() ? 0 : 1);
}

bool hasTurn(int row) {
    // There is none while Qt Test lists the rows.
    const char* function = QTest::currentTestFunction();
    if (function == nullptr)
        return true;
    // Not all functions begin with the same row.
    return alternates(static_cast<int>(std::string_view(function).size()) + row);
}

}  // namespace scenario
