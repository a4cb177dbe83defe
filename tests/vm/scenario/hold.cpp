#include "tests/vm/scenario/hold.h"

#include "tests/vm/scenario/failure.h"
#include "tests/vm/scenario/machine.h"

#include <signal.h>

#include <QDir>

namespace scenario {

pid_t heldProcess() {
    for (const QString& name : QDir("/proc").entryList(QDir::Dirs)) {
        bool isProcess = false;
        const int pid = name.toInt(&isProcess);
        if (isProcess && readFile("/proc/" + name + "/status").contains("State:\tT"))
            return pid;
    }
    return 0;
}

Hold::~Hold() {
    token_.disarm();
    release();
}

QStringList Hold::environment() const {
    return token_.environment() + QStringList{QString("BELAY_STOP_SIGNAL=%1").arg(SIGSTOP)};
}

pid_t Hold::await() {
    require(waitUntil([this] { return !token_.isArmed(); }, kPatience, 1ms), "nobody came there");
    require(waitUntil([this] { return (held_ = heldProcess()) != 0; }), "nobody is held");
    return held_;
}

void Hold::release() {
    if (held_ != 0)
        ::kill(std::exchange(held_, 0), SIGCONT);
}

}  // namespace scenario
