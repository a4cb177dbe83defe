#pragma once

#include <QProcess>

namespace scenario {

// What usbmon sees on one bus, the end of it.
class UsbTrace {
 public:
    UsbTrace();
    ~UsbTrace();

    void start(int bus);
    // Stops, and leaves the last megabytes in `file`.
    void keep(const QString& file);

 private:
    void stop();

    QProcess reader_;
    QProcess end_;
    QString buffer_;
};

}  // namespace scenario
