#include "tests/vm/scenario/machine.h"

#include "core/base/fd.h"
#include "tests/vm/scenario/program.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <QDir>
#include <QFile>
#include <QSet>

namespace scenario {
namespace {

// "pid name" of each process in state D that has a command line.
QSet<QString> inUninterruptibleSleep() {
    QSet<QString> found;
    for (const QString& pid : QDir("/proc").entryList(QDir::Dirs)) {
        if (!pid.front().isDigit())
            continue;
        const QByteArray stat = readFile("/proc/" + pid + "/stat");
        const QByteArray command = readFile("/proc/" + pid + "/cmdline");
        if (!command.isEmpty() && stat.mid(stat.lastIndexOf(')') + 2, 1) == "D")
            found.insert(pid + ' ' + QString::fromUtf8(command.split('\0').first()));
    }
    return found;
}

}  // namespace

void writeFile(const QString& path, const QByteArray& text) {
    const belay::Fd file(::open(qPrintable(path), O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), text.data(), static_cast<std::size_t>(text.size())) < 0)
        throw Failure(QString("cannot write to %1: %2").arg(path, ::strerror(errno)));
}

QByteArray readFile(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll().trimmed() : QByteArray();
}

QStringList stuckProcesses() {
    // Somebody who waits for a disk is in D too: stuck is who never leaves it.
    QSet<QString> stuck = inUninterruptibleSleep();
    for (int i = 0; i < 20 && !stuck.isEmpty(); ++i) {
        wait(50ms);
        stuck.intersect(inUninterruptibleSleep());
    }
    return stuck.values();
}

QStringList leftovers() {
    QStringList found;
    for (const QString& name : QDir("/dev").entryList({"ublkb*", "ublkc*"}, QDir::System))
        found += "/dev/" + name;
    for (const QString& name :
         QDir("/sys/kernel/config/usb_gadget").entryList(QDir::Dirs | QDir::NoDotAndDotDot))
        found += "gadget " + name;
    for (const QByteArray& mount : readFile("/proc/self/mounts").split('\n'))
        if (mount.contains(" functionfs "))
            found += "mount " + QString::fromUtf8(mount);
    return found;
}

QByteArray kernelLog() {
    return run({"dmesg"}).output;
}

QByteArray crash() {
    // arch/x86/kernel/traps.c and mm/fault.c: only of what no handler takes.
    for (const QByteArray& line : kernelLog().split('\n'))
        if (line.contains(" segfault at ") || line.contains("traps: "))
            return line;
    return {};
}

}  // namespace scenario
