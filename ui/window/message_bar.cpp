#include "ui/window/message_bar.h"

#include "ui/window/look.h"

#include <QtCore/QEvent>
#include <QtGui/QAccessible>
#include <QtWidgets/QApplication>
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
    close_->setAccessibleDescription(tr("What it is about goes on"));
    auto* const layout = new QHBoxLayout(this);
    layout->addWidget(text_, 1);
    layout->addWidget(action_);
    layout->addWidget(close_, 0, Qt::AlignTop);
    connect(action_, &QPushButton::clicked, this, &MessageBar::pressed);
    connect(close_, &QToolButton::clicked, this, &QWidget::hide);
    offer({});
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
    action_->setAccessibleDescription(tr("What can be done about the message"));
    action_->setAccessibleName(action.isEmpty() ? tr("No action") : action);
    action_->setVisible(!action.isEmpty());
}

void MessageBar::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        color();
}

void MessageBar::color() {
    const QPalette general = QApplication::palette(this);
    const QColor tone = colorOf(Tone::Held, general);
    const QColor ground = general.color(QPalette::Window);
    const auto mix = [](float a, float b) { return a + (b - a) * kTint; };
    const QColor tinted =
        QColor::fromRgbF(mix(ground.redF(), tone.redF()), mix(ground.greenF(), tone.greenF()),
                         mix(ground.blueF(), tone.blueF()));
    if (palette().color(QPalette::Window) == tinted)
        return;  // it is our own change that is told
    QPalette own;
    own.setColor(QPalette::Window, tinted);
    setPalette(own);
}

}  // namespace belay::ui
