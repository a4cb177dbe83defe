#include "tests/vm/hostile/rest.h"

#include <QElapsedTimer>

namespace hostile {
namespace {

constexpr Milliseconds kWatched = 1200ms;
constexpr int kMostCpuPercent = 40;

}  // namespace

void needRest(Daemon& daemon, const char* script) {
    wait(300ms);
    const qint64 before = cpuTime(daemon);
    QElapsedTimer clock;
    clock.start();
    wait(kWatched);
    const qint64 percent = 100 * (cpuTime(daemon) - before) / clock.elapsed();
    qInfo("%s: %lld %% of a processor, %lld KiB", script, percent, residentKiB(daemon));
    require(percent <= kMostCpuPercent,
            QString("%1 keeps it busy: %2 % of a processor").arg(script).arg(percent));
}

}  // namespace hostile
