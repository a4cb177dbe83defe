#pragma once

#include "tests/vm/scenario/failure.h"

#include <QString>

namespace scenario {

// A USB stick of the whole guest: the kernel's own mass storage gadget at the last of its
// controllers, whose host side is usb-storage. Its bytes are a file that the kernel holds open.
//
// - Every end of a scenario can have it; nothing of it goes over the cables of the rigs.
class Stick {
 public:
    // `serial`: of its USB device; with none nothing but its content names it. `removable`: as
    // sticks and card readers say of themselves.
    explicit Stick(QString serial = {}, bool removable = true);
    ~Stick();
    Stick(const Stick&) = delete;
    Stick& operator=(const Stick&) = delete;

    // Plugs it in with `image` as its bytes, and waits for its block device.
    void plugIn(const QString& image);
    // As somebody who pulls it without asking. Waits until its block device is gone.
    void pull();
    // Another card in the same reader.
    void changeCard(const QString& image);
    // "/dev/sda", also when it is away. Whoever has that open as it is pulled keeps the name from
    // it: then it comes back under another one.
    const QString& node() const { return node_; }

 private:
    QString file(const QString& name) const;

    const QString folder_;
    const QString node_ = "/dev/sda";
    bool plugged_ = false;
};

}  // namespace scenario
