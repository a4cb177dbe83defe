#include "tests/ui/window_bench.h"

#include <QtCore/QDir>
#include <QtTest/QTest>
#include <QtWidgets/QApplication>
#include <QtWidgets/QStyleFactory>

namespace belay::test {
namespace {

void require(bool met, const char* what) {
    if (!met)
        qFatal("%s", what);
}

}  // namespace

WindowBench::WindowBench(bool filled) : WindowUser(shown) {
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

void WindowBench::later(std::chrono::milliseconds time) {
    settle();
    clock.advance(time);
    settle();
}

void WindowBench::screenshot(const QString& name) {
    QDir folder(QStringLiteral(BELAY_SCREENSHOTS));
    require(folder.mkpath("."), "the folder for pictures cannot be made");
    const QString scale = window.devicePixelRatioF() > 1 ? "@2x.png" : ".png";
    require(window.grab().save(folder.filePath(name + scale)), "a picture cannot be saved");
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
