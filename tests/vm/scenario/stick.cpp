#include "tests/vm/scenario/stick.h"

#include "tests/vm/scenario/machine.h"
#include "tests/vm/scenario/program.h"

#include <QDir>
#include <QFile>

namespace scenario {
namespace {

constexpr const char* kController = "dummy_udc.3";

// With a medium in.
QStringList disks() {
    QStringList found = QDir("/sys/block").entryList({"sd*"}, QDir::Dirs | QDir::NoDotAndDotDot);
    found.removeIf([](const QString& name) {
        return readFile("/sys/block/" + name + "/size").toLongLong() == 0;
    });
    return found;
}

}  // namespace

Stick::Stick(QString serial, bool removable) : folder_("/sys/kernel/config/usb_gadget/stick") {
    QDir configfs;
    for (const char* part : {"", "/strings/0x409", "/configs/c.1", "/functions/mass_storage.0"})
        require(configfs.mkpath(folder_ + part), "cannot make the stick");
    writeFile(file("idVendor"), "0x1d6b");
    writeFile(file("idProduct"), "0x0104");
    writeFile(file("strings/0x409/product"), "Stick");
    if (!serial.isEmpty())
        writeFile(file("strings/0x409/serialnumber"), serial.toUtf8());
    writeFile(file("functions/mass_storage.0/lun.0/removable"), removable ? "1" : "0");
    require(QFile::link(file("functions/mass_storage.0"), file("configs/c.1/f1")),
            "cannot put the stick together");
}

Stick::~Stick() {
    if (plugged_)
        run({"sh", "-c", "echo >" + file("UDC")});
    run({"sh", "-c",
         QString("cd %1 && rm configs/c.1/f1 && rmdir configs/c.1 functions/mass_storage.0 "
                 "strings/0x409 && cd .. && rmdir stick")
             .arg(folder_)});
}

QString Stick::file(const QString& name) const {
    return folder_ + '/' + name;
}

void Stick::plugIn(const QString& image) {
    writeFile(file("functions/mass_storage.0/lun.0/file"), image.toUtf8());
    writeFile(file("UDC"), kController);
    plugged_ = true;
    // The node is there before the medium is known.
    require(waitUntil([] { return !disks().isEmpty(); }), "no disk is made of the stick");
}

void Stick::pull() {
    writeFile(file("UDC"), "\n");
    plugged_ = false;
    require(waitUntil([] { return disks().isEmpty(); }), "the stick's disk stays");
    writeFile(file("functions/mass_storage.0/lun.0/file"), "\n");
}

void Stick::changeCard(const QString& image) {
    writeFile(file("functions/mass_storage.0/lun.0/forced_eject"), "1");
    // Whoever opens it learns that the card is out, and then that one is in.
    require(run({"dd", "if=" + node_, "of=/dev/null", "count=1"}).status != 0,
            "the card is still in");
    writeFile(file("functions/mass_storage.0/lun.0/file"), image.toUtf8());
    mustRun({"dd", "if=" + node_, "of=/dev/null", "count=1"});
}

}  // namespace scenario
