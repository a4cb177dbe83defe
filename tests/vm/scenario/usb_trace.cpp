#include "tests/vm/scenario/usb_trace.h"

#include "tests/vm/scenario/failure.h"

#include <QFile>

namespace scenario {
namespace {

constexpr int kStopPatience = 5000;  // ms

}  // namespace

UsbTrace::UsbTrace() = default;

UsbTrace::~UsbTrace() {
    stop();
    if (!buffer_.isEmpty())
        QFile::remove(buffer_);
}

void UsbTrace::start(int bus) {
    // In memory: on the shared folder it would slow the scenario down.
    buffer_ = QString("/run/belay-usbmon.%1").arg(bus);
    reader_.setStandardOutputProcess(&end_);
    end_.setStandardOutputFile(buffer_);
    reader_.start("cat", {QString("/sys/kernel/debug/usb/usbmon/%1u").arg(bus)});
    end_.start("tail", {"-c", "4M"});
    require(reader_.waitForStarted() && end_.waitForStarted(), "cannot start the USB trace");
}

void UsbTrace::stop() {
    reader_.kill();
    reader_.waitForFinished(kStopPatience);
    // With its input closed it writes what it has.
    end_.waitForFinished(kStopPatience);
}

void UsbTrace::keep(const QString& file) {
    stop();
    QFile::copy(buffer_, file);
}

}  // namespace scenario
