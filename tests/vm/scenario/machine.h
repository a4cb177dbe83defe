#pragma once

#include "tests/vm/scenario/failure.h"

#include <QByteArray>
#include <QStringList>

// What the whole guest shows of itself.
namespace scenario {

// Writes to a file of sysfs or configfs, in one write(); fails if the kernel refuses.
void writeFile(const QString& path, const QByteArray& text);
// A small file's text without the final line end; empty if there is none.
QByteArray readFile(const QString& path);

// Programs, not kernel threads, that sit in an uninterruptible sleep and do not leave it.
QStringList stuckProcesses();
// What is left of our doing: ublk devices, gadgets in configfs, FunctionFS mounts.
QStringList leftovers();
// The kernel's log since the machine started.
QByteArray kernelLog();
// Its line about a program that crashed; empty if none did.
QByteArray crash();

}  // namespace scenario
