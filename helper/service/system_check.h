#pragma once

#include "core/base/ring.h"
#include "helper/service/bus_service.h"
#include "helper/supervisor/control_task.h"

#include <QtCore/QTimer>
#include <functional>
#include <memory>

namespace belay::service {

// Finds out whether this kernel can make block devices for us, and looks again while it cannot:
// somebody may load the driver.
class SystemCheck {
 public:
    using Found = std::function<void(const SystemState& state)>;

    // `found` is called with what has changed, from the event loop.
    SystemCheck(Ring& ring, Found found);

    void begin();

 private:
    void look();
    void tell(const SystemState& state);

    Ring& ring_;
    Found found_;
    QTimer again_;
    std::unique_ptr<helper::ControlTask> features_;
    QStringList told_;
    bool toldOnce_ = false;
};

}  // namespace belay::service
