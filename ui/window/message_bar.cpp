#include "ui/window/message_bar.h"

#include "ui/window/look.h"

#include <QtCore/QEvent>
#include <QtGui/QAccessible>
#include <QtWidgets/QHBoxLayout>
#include <QtWidgets/QLabel>
#include <QtWidgets/QPushButton>
#include <QtWidgets/QStyle>
#include <QtWidgets/QToolButton>

namespace belay::ui {
namespace {

constexpr float kTint = 0.14F;

}  // namespace

MessageBar::MessageBar(const QString& name, QWidget* parent)
    : QFrame(parent),
      text_(new QLabel(this)),
      action_(new QPushButton(this)),
      close_(new QToolButton(this)) {
    setAccessibleName(name);
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    text_->setWordWrap(true);
    text_->setTextFormat(Qt::PlainText);
    text_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    //: Read to blind users; %1 is what the bar is about
    text_->setAccessibleName(tr("%1: message").arg(name));
    close_->setAutoRaise(true);
    close_->setIcon(style()->standardIcon(QStyle::SP_DockWidgetCloseButton));
    close_->setAccessibleName(tr("Close this message"));
    auto* const layout = new QHBoxLayout(this);
    layout->addWidget(text_, 1);
    layout->addWidget(action_);
    layout->addWidget(close_, 0, Qt::AlignTop);
    connect(action_, &QPushButton::clicked, this, &MessageBar::pressed);
    connect(close_, &QToolButton::clicked, this, &QWidget::hide);
    action_->hide();
    hide();
    color();
}

void MessageBar::say(const QString& text, bool closable) {
    text_->setText(text);
    close_->setVisible(closable);
    setVisible(!text.isEmpty());
    if (!text.isEmpty()) {
        QAccessibleEvent event(text_, QAccessible::Alert);
        QAccessible::updateAccessibility(&event);
    }
}

QString MessageBar::text() const {
    return text_->text();
}

void MessageBar::offer(const QString& action) {
    action_->setText(action);
    action_->setAccessibleName(action);
    action_->setVisible(!action.isEmpty());
}

void MessageBar::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    // Our own colour is a change of palette, too.
    if (event->type() == QEvent::ApplicationPaletteChange)
        color();
}

void MessageBar::color() {
    QPalette mixed = parentWidget()->palette();
    const QColor tone = colorOf(Tone::Held, mixed);
    const QColor ground = mixed.color(QPalette::Window);
    const auto mix = [](float a, float b) { return a * (1 - kTint) + b * kTint; };
    mixed.setColor(QPalette::Window, QColor::fromRgbF(mix(ground.redF(), tone.redF()),
                                                      mix(ground.greenF(), tone.greenF()),
                                                      mix(ground.blueF(), tone.blueF())));
    setPalette(mixed);
}

}  // namespace belay::ui
