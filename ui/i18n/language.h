#pragma once

#include <QtCore/QCoreApplication>
#include <QtCore/QLocale>

namespace belay::ui {

// Makes the program speak a locale's language, or English where there is no translation; Qt's own
// words too, if Qt's translations are installed. To be called once, before anything has a text.
void speak(QCoreApplication& program, const QLocale& locale = {});

}  // namespace belay::ui
