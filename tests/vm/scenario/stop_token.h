#pragma once

#include "core/base/fd.h"

#include <QStringList>

namespace scenario {

// Has one process die at a named place, once: see core/base/stop_point.h.
class StopToken {
 public:
    // Makes `fifo`. `place`: "name" or "name:N".
    StopToken(const QString& place, QString fifo);

    // For the daemon whose process it is to be; processes that it starts inherit it.
    QStringList environment() const;
    // Whoever comes to the place next dies.
    void arm();
    // Nobody has died of it since arm().
    bool isArmed() const;
    // Undoes arm().
    void disarm();

 private:
    QString place_;
    QString fifo_;
    belay::Fd held_;  // as long as it is open the kernel keeps what was written
};

}  // namespace scenario
