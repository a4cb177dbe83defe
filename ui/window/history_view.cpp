#include "ui/window/history_view.h"

#include "ui/model/clock.h"
#include "ui/model/format.h"
#include "ui/model/words.h"
#include "ui/window/look.h"

#include <QtGui/QPainter>
#include <QtGui/QPainterPath>

namespace belay::ui {
namespace {

constexpr int kBins = 300;
constexpr int kBandMargin = 8;
constexpr int kMinutes = int(History::kDepthMs / 60'000);
constexpr int kAxisStep = 2;  // minutes
constexpr float kFill = 0.25F;

Tone toneOf(const QString& state) {
    Device device;
    device.state = state;
    return Words::of(device, {}).tone;
}

}  // namespace

HistoryView::HistoryView(QWidget* parent) : QWidget(parent) {
    setAccessibleName(tr("History"));
    setFocusPolicy(Qt::TabFocus);
    show(nullptr);
}

QSize HistoryView::minimumSizeHint() const {
    return {fontMetrics().averageCharWidth() * 40, fontMetrics().height() * 6};
}

void HistoryView::show(const History* history) {
    to_ = Clock::current().nowMs();
    from_ = to_ - History::kDepthMs;
    rates_ = history == nullptr ? QList<History::Rate>() : history->rates(from_, to_, kBins);
    spans_ = history == nullptr ? QList<History::Span>() : history->states(from_, to_);
    most_ = 0;
    for (const History::Rate& rate : std::as_const(rates_))
        most_ = qMax(most_, qMax(rate.read, rate.written));
    QStringList spoken;
    for (const History::Span& span : std::as_const(spans_))
        //: Read to blind users: a state and how long it lasted
        spoken +=
            tr("%1 for %2").arg(Words::stateName(span.state), durationText(span.to - span.from));
    setAccessibleDescription(spoken.isEmpty() ? tr("Select a device to see what it has done")
                                              : spoken.join(QStringLiteral(", ")));
    update();
}

void HistoryView::drawRates(QPainter& painter, const QRect& area) const {
    const auto line = [&](double History::Rate::*field, Tone tone) {
        QPainterPath path(QPointF(area.bottomLeft()));
        for (qsizetype i = 0; i < rates_.size(); ++i)
            path.lineTo(area.left() + double(area.width()) * double(i) / (kBins - 1),
                        area.bottom() - (most_ > 0 ? rates_[i].*field / most_ : 0) * area.height());
        path.lineTo(QPointF(area.bottomRight()));
        QColor color = colorOf(tone, palette());
        painter.setPen(QPen(color, 1.2));
        color.setAlphaF(kFill);
        painter.setBrush(color);
        painter.drawPath(path);
    };
    line(&History::Rate::read, Tone::Good);
    line(&History::Rate::written, Tone::Busy);
    const auto legend = [&](int row, Tone tone, const QString& text) {
        painter.setPen(colorOf(tone, palette()));
        painter.drawText(area.adjusted(0, row * fontMetrics().height(), 0, 0),
                         int(Qt::AlignTop | Qt::AlignLeading), text);
    };
    legend(0, Tone::Good, tr("Read"));
    legend(1, Tone::Busy, tr("Written"));
    painter.setPen(palette().color(QPalette::PlaceholderText));
    if (most_ > 0)
        painter.drawText(area, int(Qt::AlignTop | Qt::AlignTrailing), rateText(most_));
}

void HistoryView::drawBand(QPainter& painter, const QRect& area) const {
    painter.setPen(Qt::NoPen);
    for (const History::Span& span : spans_) {
        const auto place = [&](qint64 time) {
            return area.left() + double(area.width()) * double(time - from_) / double(to_ - from_);
        };
        const QRectF part(place(span.from), area.top(), place(span.to) - place(span.from),
                          area.height());
        const QColor color = colorOf(toneOf(span.state), palette());
        painter.setBrush(color);
        painter.drawRect(part);
        // In words too, where there is room: colour alone tells not everybody.
        const QString words = Words::stateName(span.state);
        if (part.width() > fontMetrics().horizontalAdvance(words) + kBandMargin) {
            painter.setPen(palette().color(QPalette::Base));
            painter.drawText(part, Qt::AlignCenter, words);
            painter.setPen(Qt::NoPen);
        }
    }
}

void HistoryView::drawAxis(QPainter& painter, const QRect& area) const {
    painter.setPen(palette().color(QPalette::PlaceholderText));
    for (int minutes = 0; minutes <= kMinutes; minutes += kAxisStep) {
        const int x = area.right() - area.width() * minutes / kMinutes;
        const QString text =
            //: How long ago; %1 is a duration such as 4:00
            minutes == 0 ? tr("now") : tr("%1 ago").arg(durationText(qint64(minutes) * 60'000));
        const int width = fontMetrics().horizontalAdvance(text);
        painter.drawText(qBound(area.left(), x - width / 2, area.right() - width),
                         area.top() + fontMetrics().ascent(), text);
    }
}

void HistoryView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRect area = rect().adjusted(kBandMargin, kBandMargin, -kBandMargin, -kBandMargin);
    painter.fillRect(rect(), palette().color(QPalette::Base));
    if (spans_.isEmpty()) {
        painter.setPen(palette().color(QPalette::PlaceholderText));
        painter.drawText(area, Qt::AlignCenter, tr("Select a device to see what it has done"));
        return;
    }
    const int line = fontMetrics().height();
    const QRect axis(area.left(), area.bottom() - line, area.width(), line);
    const QRect band(area.left(), axis.top() - line - kBandMargin, area.width(),
                     line + kBandMargin / 2);
    drawRates(painter, QRect(area.topLeft(), QPoint(area.right(), band.top() - kBandMargin)));
    drawBand(painter, band);
    drawAxis(painter, axis);
}

}  // namespace belay::ui
