#pragma once

#include <QtCore/QDateTime>
#include <QtCore/QString>

// Numbers as the user's locale writes them.
namespace belay::ui {

// "3.2 MB", in powers of 1000 as disks are sold and file managers show them.
QString sizeText(qulonglong bytes);
// "12.3 MB/s".
QString rateText(double bytesPerSecond);
// "0:42", "12:07" or "1:02:03".
QString durationText(qint64 milliseconds);
// How long ago a request came: "18 ms", "4.2 s", then as durationText().
QString ageText(uint milliseconds);
// The time of day, with the date if that was not today.
QString timeText(const QDateTime& time);
// A path as it is, from the left also among words that are written from the right.
QString pathText(const QString& path);

}  // namespace belay::ui
