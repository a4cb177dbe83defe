#pragma once

#include "tests/vm/scenario/rig.h"

#include <QStringList>

// Disks with partitions: tables, and what the kernel shows of them.
namespace scenario {

inline constexpr int kMibInSectors = 2048;

// Writes a table, in sfdisk's words, to a file or a disk. That the kernel does not read it when
// sfdisk asks it to is a warning. `anyway`: although partitions are mounted.
void writeTable(const QString& where, const QString& script, bool anyway = false);
// Such words: "start=2048, size=8192", a GPT, an MBR.
QString mib(int start, int size);
QString gpt(const QStringList& partitions);
QString mbr(const QStringList& partitions);

// What the kernel shows, by number: "1:2048+4096 3:..." in sectors.
QString shown(const Disk& disk);
// The same of "1:1+2" in MiB.
QString inSectors(const QStringList& partitions);
void waitForShown(Rig& rig, const Disk& disk, const QString& wanted,
                  Milliseconds limit = kPatience);

// "rescan", as a user has it.
Outcome rescan(Rig& rig, const Disk& disk);
void mustRescan(Rig& rig, const Disk& disk);

// "/dev/ublkb0p1"
QString part(const Disk& disk, int number);

// A mounted file system; unmounted with its object.
class Mounted {
 public:
    Mounted(Rig& rig, const QString& node, const QString& name);
    ~Mounted();
    Mounted(const Mounted&) = delete;
    Mounted& operator=(const Mounted&) = delete;

    const QString& folder() const { return folder_; }
    void unmount();

 private:
    QString folder_;
};

}  // namespace scenario
