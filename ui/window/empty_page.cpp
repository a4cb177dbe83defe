#include "ui/window/empty_page.h"

#include "ui/window/look.h"

#include <QtCore/QEvent>
#include <QtWidgets/QHBoxLayout>
#include <QtWidgets/QLabel>
#include <QtWidgets/QVBoxLayout>

namespace belay::ui {
namespace {

constexpr int kPictureSize = 64;
constexpr qreal kTitleScale = 1.3;
constexpr int kWidestLine = 72;  // characters
constexpr int kTextShare = 8;    // of the width, against one on either side

}  // namespace

EmptyPage::EmptyPage(const QString& icon, QWidget* parent)
    : QWidget(parent),
      icon_(icon),
      picture_(new QLabel(this)),
      title_(new QLabel(this)),
      text_(new QLabel(this)) {
    QFont font = title_->font();
    font.setPointSizeF(font.pointSizeF() * kTitleScale);
    font.setBold(true);
    title_->setFont(font);
    text_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    auto* const column = new QVBoxLayout;
    column->addStretch();
    for (QLabel* const label : {picture_, title_, text_}) {
        label->setAlignment(Qt::AlignCenter);
        label->setWordWrap(label != picture_);
        column->addWidget(label);
    }
    column->addStretch();
    text_->setMaximumWidth(fontMetrics().averageCharWidth() * kWidestLine);
    auto* const layout = new QHBoxLayout(this);
    layout->addStretch(1);
    layout->addLayout(column, kTextShare);
    layout->addStretch(1);
    draw();
}

void EmptyPage::say(const QString& title, const QString& text) {
    title_->setText(title);
    text_->setText(text);
    text_->setAccessibleName(text);
    setAccessibleName(title);
    setAccessibleDescription(text);
}

void EmptyPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        draw();
}

void EmptyPage::draw() {
    picture_->setPixmap(symbolicIcon(icon_, palette().color(QPalette::PlaceholderText))
                            .pixmap({kPictureSize, kPictureSize}, devicePixelRatioF()));
}

}  // namespace belay::ui
