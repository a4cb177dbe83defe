#include "ui/model/format.h"

#include "ui/model/clock.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QLocale>
#include <QtCore/QRegularExpression>
#include <QtGui/QGuiApplication>

namespace belay::ui {
namespace {

constexpr qint64 kSecondMs = 1000;
constexpr qint64 kMinuteMs = 60 * kSecondMs;
constexpr qint64 kHourMs = 60 * kMinuteMs;

QString translated(const char* source) {
    return QCoreApplication::translate("Format", source);
}

}  // namespace

QString sizeText(qulonglong bytes) {
    return QLocale().formattedDataSize(qint64(bytes), 1, QLocale::DataSizeSIFormat);
}

QString rateText(double bytesPerSecond) {
    //: A speed: %1 is a size such as 3.2 MB
    return translated(QT_TRANSLATE_NOOP("Format", "%1/s"))
        .arg(sizeText(qulonglong(bytesPerSecond)));
}

QString durationText(qint64 milliseconds) {
    const qint64 time = qMax<qint64>(0, milliseconds);
    const QLatin1Char zero('0');
    const QString seconds = QString::number(time / kSecondMs % 60).rightJustified(2, zero);
    const qint64 minutes = time / kMinuteMs;
    if (minutes < 60)
        return QStringLiteral("%1:%2").arg(QString::number(minutes), seconds);
    return QStringLiteral("%1:%2:%3")
        .arg(QString::number(time / kHourMs), QString::number(minutes % 60).rightJustified(2, zero),
             seconds);
}

QString ageText(uint milliseconds) {
    if (milliseconds < kSecondMs)
        return translated(QT_TRANSLATE_NOOP("Format", "%1 ms"))
            .arg(QLocale().toString(milliseconds));
    if (milliseconds < kMinuteMs)
        return translated(QT_TRANSLATE_NOOP("Format", "%1 s"))
            .arg(QLocale().toString(double(milliseconds) / double(kSecondMs), 'f', 1));
    return durationText(milliseconds);
}

QString timeText(const QDateTime& time) {
    const QLocale locale;
    if (time.date() != Clock::current().now().date())
        return locale.toString(time, QLocale::ShortFormat);
    // With seconds, but not the time zone, which is in no other format.
    static const QRegularExpression kZone("\\s*\\(?t+\\)?");
    return locale.toString(time.time(), locale.timeFormat(QLocale::LongFormat).remove(kZone));
}

QString pathText(const QString& path) {
    constexpr QChar kFromLeft(0x2066);
    constexpr QChar kEnd(0x2069);
    return QGuiApplication::isRightToLeft() && !path.isEmpty() ? kFromLeft + path + kEnd : path;
}

}  // namespace belay::ui
