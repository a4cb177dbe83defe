#include "tests/vm/scenario/partitions.h"

#include "tests/vm/scenario/machine.h"
#include "tests/vm/scenario/private_bus.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <map>

namespace scenario {

void writeTable(const QString& where, const QString& script, bool anyway) {
    mustRun({"sh", "-c",
             QString("printf '%1' | sfdisk --quiet --wipe never %2 %3")
                 .arg(script, anyway ? "--force" : "", where)});
}

QString mib(int start, int size) {
    return QString("start=%1, size=%2").arg(start * kMibInSectors).arg(size * kMibInSectors);
}

QString gpt(const QStringList& partitions) {
    return "label: gpt\\n" + partitions.join("\\n") + "\\n";
}

QString mbr(const QStringList& partitions) {
    return "label: dos\\n" + partitions.join("\\n") + "\\n";
}

QString shown(const Disk& disk) {
    std::map<int, QString> found;
    const QString folder = "/sys/block/" + disk.name();
    for (const QString& name : QDir(folder).entryList({disk.name() + "p*"}, QDir::Dirs)) {
        const QString at = folder + '/' + name + '/';
        found[readFile(at + "partition").toInt()] =
            readFile(at + "start") + '+' + readFile(at + "size");
        // One that is just being made, or taken away.
        if (!QFile::exists("/dev/" + name))
            found[readFile(at + "partition").toInt()] = "without a node";
    }
    QStringList all;
    for (const auto& [number, place] : found)
        all += QString("%1:%2").arg(number).arg(place);
    return all.join(' ');
}

QString inSectors(const QStringList& partitions) {
    QStringList all;
    for (const QString& partition : partitions) {
        const QString number = partition.section(':', 0, 0);
        const QString place = partition.section(':', 1);
        all += QString("%1:%2+%3")
                   .arg(number)
                   .arg(place.section('+', 0, 0).toInt() * kMibInSectors)
                   .arg(place.section('+', 1).toInt() * kMibInSectors);
    }
    return all.join(' ');
}

void waitForShown(Rig& rig, const Disk& disk, const QString& wanted, Milliseconds limit) {
    require(waitUntil([&] { return shown(disk) == wanted; }, limit),
            QString("%1 shows \"%2\", not \"%3\"").arg(disk.name(), shown(disk), wanted));
    rig.note(QString("it shows \"%1\"").arg(wanted));
}

Outcome rescan(Rig& rig, const Disk& disk) {
    const bool byLabel = onPrivateBus() && rig.direction() == Direction::Attach;
    const Outcome outcome =
        rig.initiator().command({"rescan", byLabel ? disk.label() : disk.name()});
    rig.note("rescan: " + outcome.output.trimmed() + QString(" (%1)").arg(outcome.status));
    return outcome;
}

void mustRescan(Rig& rig, const Disk& disk) {
    const Outcome outcome = rescan(rig, disk);
    require(outcome.status == 0, "rescan: " + outcome.output);
}

QString part(const Disk& disk, int number) {
    return QString("%1p%2").arg(disk.node()).arg(number);
}

Mounted::Mounted(Rig& rig, const QString& node, const QString& name)
    : folder_(rig.folder() + '/' + name) {
    QDir().mkpath(folder_);
    mustRun({"mount", node, folder_});
}

Mounted::~Mounted() {
    if (folder_.isEmpty())
        return;
    QProcess::execute("umount", {"-l", folder_});
    QDir().rmdir(folder_);
}

void Mounted::unmount() {
    mustRun({"umount", folder_});
    QDir().rmdir(folder_);
    folder_.clear();
}

}  // namespace scenario
