#include "core/lifecycle/state.h"
#include "ui/model/words.h"
#include "ui/window/look.h"

#include <QtCore/QDir>
#include <QtGui/QIcon>
#include <QtGui/QImage>
#include <QtTest/QTest>

using namespace belay;

namespace {

const QString kIcons = QStringLiteral(":/icons/");

// How much of an image is painted, 0 to 1.
double covered(const QImage& image) {
    double sum = 0;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x)
            sum += image.pixelColor(x, y).alphaF();
    }
    return sum / (image.width() * image.height());
}

}  // namespace

// The icons that the program carries, drawn by what draws them on a desktop.
class TestUiIcons : public QObject {
    Q_OBJECT

 private slots:
    void areDrawnAtEverySize_data();
    void areDrawnAtEverySize();
    void symbolicOnesHaveOneColour_data() { areDrawnAtEverySize_data(); }
    void symbolicOnesHaveOneColour();
    void colouredOnesFillTheirPlaceAtEveryScale();
    void noTwoLookAlike();
    void everyStateHasOne_data();
    void everyStateHasOne();
};

void TestUiIcons::areDrawnAtEverySize_data() {
    QTest::addColumn<QString>("file");
    const QStringList files = QDir(kIcons).entryList({"*.svg"});
    QVERIFY(files.size() > 1);
    for (const QString& file : files)
        QTest::newRow(qPrintable(file)) << kIcons + file;
}

void TestUiIcons::areDrawnAtEverySize() {
    QFETCH(QString, file);
    for (const int size : {16, 24, 48, 128}) {
        const QImage image = QIcon(file).pixmap(size).toImage();
        QCOMPARE(image.size(), QSize(size, size));
        const double part = covered(image);
        QVERIFY2(part > 0.1 && part < 0.95,
                 qPrintable(QStringLiteral("%1 of %2 px").arg(part).arg(size)));
    }
}

void TestUiIcons::symbolicOnesHaveOneColour() {
    QFETCH(QString, file);
    if (!file.endsWith("-symbolic.svg"))
        return;
    QFile source(file);
    QVERIFY(source.open(QIODevice::ReadOnly));
    const QByteArray text = source.readAll();
    // Toolkits recolour what is filled, and only that.
    QVERIFY(!text.contains("stroke"));
    QCOMPARE(text.count("fill=\""), text.count("fill=\"#2e3436\""));
    QCOMPARE(text.count("fill=\""), text.count("<path"));
}

void TestUiIcons::colouredOnesFillTheirPlaceAtEveryScale() {
    const QSize size(32, 32);
    const QIcon icon = ui::symbolicIcon("belay-attention", Qt::red);
    const double part = covered(icon.pixmap(size, 1).toImage());
    for (const qreal ratio : {1.0, 1.25, 1.5, 2.0, 3.0}) {
        const QPixmap pixmap = icon.pixmap(size, ratio);
        QCOMPARE(pixmap.size(), size * ratio);
        QCOMPARE(pixmap.devicePixelRatio(), ratio);
        const QImage image = pixmap.toImage();
        QVERIFY2(qAbs(covered(image) - part) < 0.02, qPrintable(QString::number(covered(image))));
        QCOMPARE(image.pixelColor(image.rect().center()).hue(), QColor(Qt::red).hue());
    }
}

void TestUiIcons::noTwoLookAlike() {
    const QStringList files = QDir(kIcons).entryList({"*-symbolic.svg"});
    for (int i = 0; i < files.size(); ++i) {
        const QImage one = QIcon(kIcons + files[i]).pixmap(16).toImage();
        for (int j = 0; j < i; ++j) {
            const QImage other = QIcon(kIcons + files[j]).pixmap(16).toImage();
            int different = 0;
            for (int pixel = 0; pixel < 256; ++pixel) {
                const QPoint at(pixel % 16, pixel / 16);
                different +=
                    qAbs(one.pixelColor(at).alpha() - other.pixelColor(at).alpha()) > 100 ? 1 : 0;
            }
            QVERIFY2(different >= 12,
                     qPrintable(files[i] + " and " + files[j] + ": " + QString::number(different)));
        }
    }
}

void TestUiIcons::everyStateHasOne_data() {
    QTest::addColumn<QString>("state");
    for (std::size_t i = 0; i < lifecycle::kStates; ++i) {
        const auto name = lifecycle::nameOf(static_cast<lifecycle::State>(i));
        QTest::newRow(name.data()) << QString::fromUtf8(name.data(), qsizetype(name.size()));
    }
}

void TestUiIcons::everyStateHasOne() {
    QFETCH(QString, state);
    for (const quint64 unsaved : {0U, 4096U}) {
        ui::Device device;
        device.state = state;
        device.unsavedBytes = unsaved;
        const QString icon = ui::Words::of(device, QDateTime::currentDateTime()).icon;
        QVERIFY2(QFile::exists(kIcons + icon + "-symbolic.svg"), qPrintable(icon));
    }
}

QTEST_MAIN(TestUiIcons)
#include "tst_ui_icons.moc"
