#pragma once

#include "ui/model/words.h"

#include <QtGui/QColor>
#include <QtGui/QIcon>
#include <QtGui/QPalette>

// Colours and icons, in light and in dark.
namespace belay::ui {

// The colour of a tone on `palette`'s base, with enough contrast for text (WCAG 4.5 : 1).
QColor colorOf(Tone tone, const QPalette& palette);

// One of packaging/icons by its name without "-symbolic", in that colour: from the desktop's theme
// if it has it, else the one that the program carries.
QIcon symbolicIcon(const QString& name, const QColor& color);

// The program's own icon.
QIcon applicationIcon();

}  // namespace belay::ui
