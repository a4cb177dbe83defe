#pragma once

#include <QString>

namespace scenario {

// The cable of one dummy_hcd controller, which has one port.
class Cable {
 public:
    enum class Method {
        Port,  // the host's port goes dead: the gadget stays bound
        Udc,   // the gadget's controller lets go of the function, as at a pulled plug
    };

    // `number`: of the controller. `gadget`: the gadget's folder in configfs.
    Cable(int number, QString gadget);

    void pull(Method method = Method::Port);
    // Undoes what pull() did.
    void plugIn();
    bool isPulled() const { return pulled_; }
    // True while the host sees a device on the port.
    bool hasDevice() const;
    // As usbmon counts.
    int bus() const { return bus_; }

    // The sysfs file that disables the port when "1" is written to it.
    QString portFile() const;

 private:
    QString udcFile() const;

    int number_;
    QString gadget_;
    int bus_ = 0;
    bool pulled_ = false;
    Method method_ = Method::Port;
};

}  // namespace scenario
