#include "tests/ui/window_bench.h"

#include <QtCore/QDir>
#include <QtGui/QAction>
#include <QtTest/QTest>
#include <QtWidgets/QApplication>
#include <QtWidgets/QLabel>
#include <QtWidgets/QMenu>
#include <QtWidgets/QMenuBar>
#include <QtWidgets/QStyleFactory>

namespace belay::test {
namespace {

constexpr int kPatienceMs = 5000;

void require(bool met, const char* what) {
    if (!met)
        qFatal("%s", what);
}

QString plain(const QAction* action) {
    return action->text().remove(QLatin1Char('&'));
}

}  // namespace

WindowBench::WindowBench(bool filled) : service(helper.client()), window(service) {
    if (!filled) {
        helper.fleet.deviceViews.clear();
        helper.fleet.gadgetViews.clear();
    }
    require(helper.appear(), "belayd's objects cannot be put on the bus");
    service.start();
    window.show();
    require(QTest::qWaitFor([this] { return service.standing() == ui::Service::Standing::Running; },
                            kPatienceMs),
            "the window does not find the service");
    settle();
}

void WindowBench::settle() {
    // Messages keep their order: what comes after an answer to this comes after all before it.
    bool answered = false;
    QObject context;
    service.listInFlight(FakeHelper::devicePath("none"), &context,
                         [&](bool, const QList<bus::Request>&) { answered = true; });
    require(QTest::qWaitFor([&] { return answered; }, kPatienceMs), "the service does not answer");
    QCoreApplication::processEvents();
}

QStringList WindowBench::spoken(const QString& viewName, int column) const {
    QStringList texts;
    if (const auto* const view = find<QAbstractItemView>(viewName))
        for (int row = 0; row < view->model()->rowCount(); ++row) {
            const QModelIndex index = view->model()->index(row, column);
            const QVariant spoken = index.data(Qt::AccessibleTextRole);
            texts += (spoken.isValid() ? spoken : index.data()).toString();
        }
    return texts;
}

QString WindowBench::standing() const {
    const auto* const label = find<QLabel>("State of the service: message");
    return label->isVisible() ? label->text() : QString();
}

QString WindowBench::problem() const {
    const auto* const label = find<QLabel>("What went wrong: message");
    return label->isVisible() ? label->text() : QString();
}

QMessageBox* WindowBench::dialog() const {
    const auto boxes = window.findChildren<QMessageBox*>();
    for (QMessageBox* const box : boxes)
        if (box->isVisible())
            return box;
    return nullptr;
}

void WindowBench::press(const QMessageBox& box, const QString& text) {
    const auto buttons = box.buttons();
    for (QAbstractButton* const button : buttons)
        if (button->text().remove(QLatin1Char('&')) == text) {
            QTest::mouseClick(button, Qt::LeftButton);
            return;
        }
    qFatal("there is no button \"%s\"", qPrintable(text));
}

void WindowBench::choose(const QStringList& entries) {
    QList<QAction*> actions = window.menuBar()->actions();
    for (const QString& entry : entries) {
        QAction* found = nullptr;
        for (QAction* const action : std::as_const(actions))
            if (plain(action) == entry)
                found = action;
        if (found == nullptr)
            qFatal("there is no entry \"%s\"", qPrintable(entry));
        if (QMenu* const menu = found->menu()) {
            // As when it opens.
            QMetaObject::invokeMethod(menu, "aboutToShow");
            actions = menu->actions();
        } else {
            found->trigger();
        }
    }
}

void WindowBench::screenshot(const QString& name) {
    QDir folder(QStringLiteral(BELAY_SCREENSHOTS));
    require(folder.mkpath("."), "the folder for pictures cannot be made");
    require(window.grab().save(folder.filePath(name + ".png")), "a picture cannot be saved");
}

void usePalette(bool dark) {
    QApplication::setStyle(QStyleFactory::create("Fusion"));
    QPalette palette = QApplication::style()->standardPalette();
    if (dark) {
        palette = QPalette(QColor(0x2d, 0x2d, 0x30), QColor(0x24, 0x24, 0x27));
        palette.setColor(QPalette::Base, QColor(0x1e, 0x1e, 0x20));
        palette.setColor(QPalette::AlternateBase, QColor(0x24, 0x24, 0x27));
        palette.setColor(QPalette::Highlight, QColor(0x1f, 0x4f, 0x8a));
        palette.setColor(QPalette::HighlightedText, Qt::white);
        palette.setColor(QPalette::PlaceholderText, QColor(0x9a, 0x99, 0x96));
    }
    QApplication::setPalette(palette);
    QCoreApplication::processEvents();
}

}  // namespace belay::test
