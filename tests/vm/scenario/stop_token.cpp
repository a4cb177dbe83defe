#include "tests/vm/scenario/stop_token.h"

#include "tests/vm/scenario/failure.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QDir>
#include <QFileInfo>

namespace scenario {

StopToken::StopToken(const QString& place, QString fifo) : place_(place), fifo_(std::move(fifo)) {
    QDir().mkpath(QFileInfo(fifo_).path());
    const QByteArray path = fifo_.toLocal8Bit();
    ::unlink(path.constData());
    require(::mkfifo(path.constData(), 0600) == 0, "cannot make " + fifo_);
    held_ = belay::Fd(::open(path.constData(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    require(bool(held_), "cannot open " + fifo_);
}

QStringList StopToken::environment() const {
    return {"BELAY_STOP_AT=" + place_, "BELAY_STOP_ONCE=" + fifo_};
}

void StopToken::arm() {
    require(::write(held_.get(), "!", 1) == 1, "cannot write to " + fifo_);
}

bool StopToken::isArmed() const {
    int bytes = 0;
    ::ioctl(held_.get(), FIONREAD, &bytes);
    return bytes > 0;
}

void StopToken::disarm() {
    char token = 0;
    while (::read(held_.get(), &token, 1) == 1) {
    }
}

}  // namespace scenario
