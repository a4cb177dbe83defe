#pragma once

#include "core/ublk/control.h"
#include "core/ublk/control_process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QThread>
#include <functional>
#include <optional>

// What the tests of ublk share: a device whose bytes are in a file, its servers, and other
// programs that use it. Nothing here opens the disk in the test's own process, which must never
// wait for a device without a server.
namespace belay::ublk::test {

inline constexpr int kPatience = 10'000;  // ms; software emulation is slow
inline constexpr int kServerUser = 65534;

// Asks `condition` every 2 ms; the milliseconds it took, or nothing after `patience`.
inline std::optional<qint64> waitFor(const std::function<bool()>& condition,
                                     int patience = kPatience) {
    QElapsedTimer clock;
    clock.start();
    while (!condition()) {
        if (clock.elapsed() > patience)
            return std::nullopt;
        QThread::msleep(2);
    }
    return clock.elapsed();
}

// A program under test, killed with its object.
class Program {
 public:
    Program(const QString& path, const QStringList& arguments) {
        process_.setProcessChannelMode(QProcess::MergedChannels);
        process_.start(path, arguments);
        process_.waitForStarted();
    }
    ~Program() {
        if (process_.state() == QProcess::NotRunning)
            return;
        ::kill(pid(), SIGCONT);
        process_.kill();
        process_.waitForFinished(kPatience);
    }

    pid_t pid() const { return static_cast<pid_t>(process_.processId()); }
    void send(int signal) { ::kill(pid(), signal); }
    // SIGKILL, and the process is reaped.
    void kill() {
        process_.kill();
        process_.waitForFinished(kPatience);
    }
    // Waits for a line that starts so; the line, or empty if it did not come.
    QString waitLine(const QString& start, int patience = kPatience) {
        QElapsedTimer clock;
        clock.start();
        for (;;) {
            while (const auto line = nextLine()) {
                said_ += *line + '\n';
                if (line->startsWith(start))
                    return *line;
            }
            if (clock.elapsed() > patience ||
                (process_.state() == QProcess::NotRunning && process_.bytesAvailable() == 0))
                return {};
            process_.waitForReadyRead(20);
        }
    }
    // The exit status, or -1 if it was killed or is still running.
    int wait(int patience = kPatience) {
        if (process_.state() != QProcess::NotRunning && !process_.waitForFinished(patience))
            return -1;
        said_ += QString::fromUtf8(process_.readAll());
        return process_.exitStatus() == QProcess::NormalExit ? process_.exitCode() : -1;
    }
    // Everything it has said so far.
    QString said() {
        while (process_.waitForReadyRead(20)) {
        }
        said_ += QString::fromUtf8(process_.readAll());
        return said_;
    }

 private:
    std::optional<QString> nextLine() {
        if (!process_.canReadLine())
            return std::nullopt;
        return QString::fromUtf8(process_.readLine()).trimmed();
    }

    QProcess process_;
    QString said_;
};

// A device with its bytes, removed with its object. Privileged commands as belayd sends them.
class Device {
 public:
    explicit Device(DeviceSpec spec = {}) {
        if (spec.sizeBytes == 0)
            spec.sizeBytes = 32 << 20;
        QFile file(bytesFile());
        if (!file.open(QIODevice::WriteOnly | QIODevice::Truncate) ||
            !file.resize(static_cast<qint64>(spec.sizeBytes)))
            qFatal("cannot make %s", qPrintable(file.fileName()));
        const auto made =
            runControlProcess({.operation = ControlRequest::Operation::Create, .spec = spec},
                              std::chrono::seconds(10));
        if (!made) {
            qWarning("%s", made.error().message().c_str());
            return;
        }
        info_ = made->info;
        if (::chown(serverNode(id()).c_str(), kServerUser, kServerUser) != 0)
            qWarning("chown");
    }
    ~Device() {
        if (info_)
            remove();
    }

    bool made() const { return info_.has_value(); }
    DeviceId id() const { return info_->id; }
    const DeviceInfo& info() const { return *info_; }
    QString disk() const { return QString::fromStdString(diskNode(id())); }
    QString bytesFile() const { return QStringLiteral("/dev/shm/ublk-bytes"); }

    // "start" or "recover", as an unprivileged user.
    std::unique_ptr<Program> server(const QString& how, QStringList options = {}) const {
        options = QStringList{how, QString::number(id().value), bytesFile(), "--user",
                              QString::number(kServerUser)} +
                  options;
        return std::make_unique<Program>(UBLK_RAM_SERVER, options);
    }

    std::optional<DeviceState> state() const {
        auto control = Control::open();
        if (!control)
            return std::nullopt;
        const auto info = control->deviceInfo(id());
        return info ? std::optional(info->state) : std::nullopt;
    }
    std::optional<qint64> waitState(DeviceState wanted, int patience = kPatience) const {
        return waitFor([&] { return state() == wanted; }, patience);
    }
    Result<ControlAnswer> command(ControlRequest::Operation operation,
                                  Duration deadline = std::chrono::seconds(10)) const {
        return runControlProcess({.operation = operation, .id = id()}, deadline);
    }
    // STOP_DEV, DEL_DEV_ASYNC, and its number is free again.
    bool remove(int patience = kPatience) {
        if (const auto stopped = command(ControlRequest::Operation::Stop); !stopped) {
            qWarning("%s", stopped.error().message().c_str());
            return false;
        }
        if (const auto removed = command(ControlRequest::Operation::RemoveAsync); !removed) {
            qWarning("%s", removed.error().message().c_str());
            return false;
        }
        const DeviceId gone = id();
        const bool free = waitFor([&] { return !state().has_value(); }, patience).has_value() &&
                          !QFile::exists(QString::fromStdString(diskNode(gone)));
        info_.reset();
        return free;
    }

 private:
    std::optional<DeviceInfo> info_;
};

}  // namespace belay::ublk::test
