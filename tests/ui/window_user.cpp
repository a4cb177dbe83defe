#include "tests/ui/window_user.h"

#include <QtGui/QAction>
#include <QtTest/QTest>
#include <QtWidgets/QLabel>
#include <QtWidgets/QMenu>
#include <QtWidgets/QMenuBar>

namespace belay::test {
namespace {

QString plain(const QAction* action) {
    return action->text().remove(QLatin1Char('&'));
}

QAction& actionOf(const QList<QAction*>& actions, const QString& entry) {
    for (QAction* const action : actions)
        if (plain(action) == entry)
            return *action;
    qFatal("there is no entry \"%s\"", qPrintable(entry));
}

}  // namespace

QStringList WindowUser::spoken(const QString& viewName, int column) const {
    QStringList texts;
    if (const auto* const view = find<QAbstractItemView>(viewName))
        for (int row = 0; row < view->model()->rowCount(); ++row) {
            const QModelIndex index = view->model()->index(row, column);
            const QVariant spoken = index.data(Qt::AccessibleTextRole);
            texts += (spoken.isValid() ? spoken : index.data()).toString();
        }
    return texts;
}

QString WindowUser::standing() const {
    const auto* const label = find<QLabel>("State of the service: message");
    return label->isVisible() ? label->text() : QString();
}

QString WindowUser::problem() const {
    const auto* const label = find<QLabel>("What went wrong: message");
    return label->isVisible() ? label->text() : QString();
}

QMessageBox* WindowUser::dialog() const {
    const auto boxes = window.findChildren<QMessageBox*>();
    for (QMessageBox* const box : boxes)
        if (box->isVisible())
            return box;
    return nullptr;
}

void WindowUser::press(const QMessageBox& box, const QString& text) {
    const auto buttons = box.buttons();
    for (QAbstractButton* const button : buttons)
        if (button->text().remove(QLatin1Char('&')) == text) {
            QTest::mouseClick(button, Qt::LeftButton);
            return;
        }
    qFatal("there is no button \"%s\"", qPrintable(text));
}

QList<QAction*> WindowUser::openMenu(const QStringList& entries) const {
    QList<QAction*> actions = window.menuBar()->actions();
    for (const QString& entry : entries) {
        QMenu* const menu = actionOf(actions, entry).menu();
        if (menu == nullptr)
            qFatal("\"%s\" is no menu", qPrintable(entry));
        QMetaObject::invokeMethod(menu, "aboutToShow");
        actions = menu->actions();
    }
    return actions;
}

void WindowUser::choose(const QStringList& entries) {
    actionOf(openMenu(entries.mid(0, entries.size() - 1)), entries.last()).trigger();
}

QStringList WindowUser::entries(const QStringList& menu) const {
    QStringList texts;
    for (const QAction* const action : openMenu(menu))
        texts += plain(action);
    return texts;
}

}  // namespace belay::test
