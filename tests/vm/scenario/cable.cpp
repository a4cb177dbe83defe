#include "tests/vm/scenario/cable.h"

#include "tests/vm/scenario/machine.h"

#include <QDir>

namespace scenario {

Cable::Cable(int number, QString gadget) : number_(number), gadget_(std::move(gadget)) {
    const QDir controller(QString("/sys/devices/platform/dummy_hcd.%1").arg(number));
    const QStringList buses = controller.entryList({"usb[0-9]*"}, QDir::Dirs);
    require(buses.size() == 1, "no bus below " + controller.path());
    bus_ = buses.first().mid(3).toInt();
}

QString Cable::udcFile() const {
    return "/sys/kernel/config/usb_gadget/" + gadget_ + "/UDC";
}

QString Cable::portFile() const {
    return QString("/sys/bus/usb/devices/usb%1/%1-0:1.0/usb%1-port1/disable").arg(bus_);
}

void Cable::pull(Method method) {
    require(!pulled_, "the cable is out already");
    method_ = method;
    pulled_ = true;
    if (method == Method::Port)
        writeFile(portFile(), "1");
    else
        writeFile(udcFile(), "\n");
}

void Cable::plugIn() {
    require(pulled_, "the cable is in already");
    pulled_ = false;
    if (method_ == Method::Port)
        writeFile(portFile(), "0");
    else
        writeFile(udcFile(), "dummy_udc." + QByteArray::number(number_));
}

bool Cable::hasDevice() const {
    return QDir(QString("/sys/bus/usb/devices/%1-1").arg(bus_)).exists();
}

}  // namespace scenario
