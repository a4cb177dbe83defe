#pragma once

#include "ui/window/main_window.h"

#include <QtWidgets/QAbstractItemView>
#include <QtWidgets/QMessageBox>
#include <QtWidgets/QPushButton>

namespace belay::test {

// Somebody who uses the window. Widgets are found by what a screen reader says of them, and by
// nothing else.
class WindowUser {
 public:
    explicit WindowUser(ui::MainWindow& shown) : window(shown) {}

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
    // What a menu shows when it opens.
    QStringList entries(const QStringList& menu) const;

    ui::MainWindow& window;

 private:
    QList<QAction*> openMenu(const QStringList& entries) const;
};

}  // namespace belay::test
