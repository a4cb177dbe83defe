#pragma once

#include "tests/ui/fake_helper.h"
#include "tests/ui/test_clock.h"
#include "tests/ui/window_user.h"
#include "ui/model/service.h"
#include "ui/window/main_window.h"

namespace belay::test {

// What a WindowUser needs before it is.
struct WindowHolder {
    WindowHolder() : service(helper.client()), shown(service) {}
    TestClock clock;
    FakeHelper helper;
    ui::Service service;
    ui::MainWindow shown;
};

// The window over belayd's real bus layer (fake_helper.h), and somebody who uses it.
class WindowBench : private WindowHolder, public WindowUser {
 public:
    // Of one gadget g1 and its device d1 (see fill()), or of nothing; the window is shown and has
    // read all.
    explicit WindowBench(bool filled = true);

    helper::DeviceView& device() { return helper.fleet.deviceViews.at("d1"); }
    // Waits until all that was said on the bus until now is in the window.
    static void settle() { settleBus(); }
    // The same, and then lets time pass.
    void later(std::chrono::milliseconds time);

    // Writes a picture of the window to the build folder.
    void screenshot(const QString& name);

    using WindowHolder::clock;
    using WindowHolder::helper;
    using WindowHolder::service;
};

// The application's palette, dark or light, whatever the desktop's is.
void usePalette(bool dark);

}  // namespace belay::test
