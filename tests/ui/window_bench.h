#pragma once

#include "tests/ui/fake_helper.h"
#include "ui/model/service.h"
#include "ui/window/main_window.h"

#include <QtWidgets/QAbstractItemView>
#include <QtWidgets/QMessageBox>
#include <QtWidgets/QPushButton>

// The window over belayd's real bus layer (fake_helper.h). Widgets are found by what a screen
// reader says of them, and by nothing else.
namespace belay::test {

class WindowBench {
 public:
    // Of one gadget g1 and its device d1 (see fill()), or of nothing; the window is shown and has
    // read all.
    explicit WindowBench(bool filled = true);

    helper::DeviceView& device() { return helper.fleet.deviceViews.at("d1"); }
    // Waits until all that was said on the bus until now is in the window.
    void settle();

    template <class Widget>
    Widget* find(const QString& accessibleName) const {
        const auto all = window.findChildren<Widget*>();
        for (Widget* const widget : all)
            if (widget->accessibleName() == accessibleName)
                return widget;
        return nullptr;
    }
    // What is said of the cells of a list or table, row by row.
    QStringList spoken(const QString& viewName, int column = 0) const;
    // What the bar on top says of the service; of what went wrong.
    QString standing() const;
    QString problem() const;
    // The open question; null if none is.
    QMessageBox* dialog() const;
    // Presses a question's button.
    static void press(const QMessageBox& box, const QString& text);
    // Chooses an entry of a menu of the menu bar, by the texts without "&".
    void choose(const QStringList& entries);

    // Writes a picture of the window to the build folder.
    void screenshot(const QString& name);

    FakeHelper helper;
    ui::Service service;
    ui::MainWindow window;
};

// The application's palette, dark or light, whatever the desktop's is.
void usePalette(bool dark);

}  // namespace belay::test
