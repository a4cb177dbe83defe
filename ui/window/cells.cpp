#include "ui/window/cells.h"

#include "ui/window/device_model.h"
#include "ui/window/gadget_model.h"
#include "ui/window/look.h"

#include <QtGui/QPainter>
#include <QtGui/QPainterPath>
#include <QtWidgets/QApplication>
#include <QtWidgets/QStyle>

namespace belay::ui {
namespace {

constexpr int kPadding = 6;
constexpr int kIconSize = 24;
constexpr int kSparkWidth = 120;
constexpr qreal kChipTint = 0.16;
constexpr float kSelectionTint = 0.22F;

// The row's background, selection and focus, without text.
void drawPanel(QPainter* painter, const QStyleOptionViewItem& option) {
    const QStyle* const style =
        option.widget == nullptr ? QApplication::style() : option.widget->style();
    style->drawPrimitive(QStyle::PE_PanelItemViewItem, &option, painter, option.widget);
}

QPalette::ColorGroup groupOf(bool dimmed) {
    return dimmed ? QPalette::Disabled : QPalette::Active;
}

QColor textColor(const QStyleOptionViewItem& option, bool dimmed) {
    return option.palette.color(groupOf(dimmed), QPalette::Text);
}

// For what is said in smaller voice.
QColor quietColor(const QStyleOptionViewItem& option, bool dimmed) {
    return dimmed ? textColor(option, true) : colorOf(Tone::Neutral, option.palette);
}

QColor toneColor(const QStyleOptionViewItem& option, Tone tone, bool dimmed) {
    return dimmed ? textColor(option, true) : colorOf(tone, option.palette);
}

QFont bold(const QStyleOptionViewItem& option) {
    QFont font = option.font;
    font.setBold(true);
    return font;
}

void drawElided(QPainter* painter, const QRect& rect, const QFont& font, const QColor& color,
                const QString& text) {
    painter->setFont(font);
    painter->setPen(color);
    painter->drawText(rect, int(Qt::AlignLeft | Qt::AlignVCenter),
                      QFontMetrics(font).elidedText(text, Qt::ElideRight, rect.width()));
}

int twoLines(const QStyleOptionViewItem& option) {
    return QFontMetrics(bold(option)).height() + QFontMetrics(option.font).height() + 3 * kPadding;
}

// The upper and the lower half of a two-line cell.
struct Lines {
    QRect upper;
    QRect lower;
};

Lines linesOf(const QStyleOptionViewItem& option, const QRect& content) {
    const int height = QFontMetrics(bold(option)).height();
    const int top = content.top() + (content.height() - 2 * height) / 2;
    return {QRect(content.left(), top, content.width(), height),
            QRect(content.left(), top + height, content.width(), height)};
}

QRect mirrored(const QStyleOptionViewItem& option, const QRect& rect) {
    return QStyle::visualRect(option.direction, option.rect, rect);
}

}  // namespace

void GadgetCell::paint(QPainter* painter, const QStyleOptionViewItem& option,
                       const QModelIndex& index) const {
    painter->save();
    drawPanel(painter, option);
    const bool dimmed = index.data(GadgetModel::kDimmedRole).toBool();
    const QString chip = index.data(GadgetModel::kChipRole).toString();
    const QColor tone = toneColor(option, Tone(index.data(GadgetModel::kToneRole).toInt()), dimmed);
    const QFontMetrics metrics(option.font);
    QRect content = option.rect.adjusted(kPadding, kPadding, -kPadding, -kPadding);

    const QRect iconRect(content.left(), content.center().y() - kIconSize / 2, kIconSize,
                         kIconSize);
    symbolicIcon(QStringLiteral("belay-gadget"), textColor(option, dimmed))
        .paint(painter, mirrored(option, iconRect));
    content.setLeft(iconRect.right() + 2 * kPadding);

    const Lines lines = linesOf(option, content);
    const int chipWidth = qMin(content.width(), metrics.horizontalAdvance(chip) + 2 * kPadding);
    const QRect chipRect = mirrored(
        option,
        QRect(lines.upper.right() - chipWidth, lines.upper.top(), chipWidth, lines.upper.height()));
    QColor ground = tone;
    ground.setAlphaF(float(kChipTint));
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    painter->setBrush(ground);
    painter->drawRoundedRect(chipRect, chipRect.height() / 2.0, chipRect.height() / 2.0);
    painter->setFont(option.font);
    painter->setPen(tone);
    painter->drawText(chipRect, Qt::AlignCenter, chip);
    drawElided(painter, mirrored(option, lines.upper.adjusted(0, 0, -chipWidth - kPadding, 0)),
               bold(option), textColor(option, dimmed), index.data(Qt::DisplayRole).toString());
    drawElided(painter, mirrored(option, lines.lower), option.font, quietColor(option, dimmed),
               index.data(GadgetModel::kSubtitleRole).toString());
    painter->restore();
}

QSize GadgetCell::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {0, twoLines(option)};
}

void DeviceCell::paint(QPainter* painter, const QStyleOptionViewItem& option,
                       const QModelIndex& index) const {
    painter->save();
    drawPanel(painter, option);
    const bool dimmed = index.data(DeviceModel::kDimmedRole).toBool();
    const auto words = index.data(DeviceModel::kWordsRole).value<StateWords>();
    const QColor tone = toneColor(option, words.tone, dimmed);
    QRect content = option.rect.adjusted(kPadding, kPadding, -kPadding, -kPadding);
    const QRect iconRect(content.left(), content.center().y() - kIconSize / 2, kIconSize,
                         kIconSize);
    symbolicIcon(words.icon, tone).paint(painter, mirrored(option, iconRect));
    content.setLeft(iconRect.right() + 2 * kPadding);
    const Lines lines = linesOf(option, content);
    drawElided(painter, mirrored(option, lines.upper), bold(option), textColor(option, dimmed),
               index.data(Qt::DisplayRole).toString());
    drawElided(painter, mirrored(option, lines.lower), option.font, tone, words.line());
    painter->restore();
}

QSize DeviceCell::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {QFontMetrics(option.font).averageCharWidth() * 44, twoLines(option)};
}

void SparklineCell::paint(QPainter* painter, const QStyleOptionViewItem& option,
                          const QModelIndex& index) const {
    painter->save();
    drawPanel(painter, option);
    const bool dimmed = index.data(DeviceModel::kDimmedRole).toBool();
    const auto rates = index.data(DeviceModel::kRatesRole).value<QList<History::Rate>>();
    const QRect content = option.rect.adjusted(kPadding, kPadding, -kPadding, -kPadding);
    const Lines lines = linesOf(option, content);
    double most = 0;
    for (const History::Rate& rate : rates)
        most = qMax(most, rate.read + rate.written);
    if (most > 0) {
        QPainterPath path(QPointF(content.bottomLeft()));
        const double step = double(content.width()) / double(qMax<qsizetype>(1, rates.size() - 1));
        for (qsizetype i = 0; i < rates.size(); ++i)
            path.lineTo(
                content.left() + step * double(i),
                content.bottom() - (rates[i].read + rates[i].written) / most * content.height());
        path.lineTo(QPointF(content.bottomRight()));
        QColor color = toneColor(option, Tone::Busy, dimmed);
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(color, 1.2));
        color.setAlphaF(float(kChipTint));
        painter->setBrush(color);
        painter->drawPath(path);
    }
    drawElided(painter, mirrored(option, lines.upper), option.font, textColor(option, dimmed),
               index.data(Qt::DisplayRole).toString());
    painter->restore();
}

QSize SparklineCell::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {kSparkWidth, twoLines(option)};
}

void TwoLineCell::paint(QPainter* painter, const QStyleOptionViewItem& option,
                        const QModelIndex& index) const {
    painter->save();
    drawPanel(painter, option);
    const bool dimmed = index.data(DeviceModel::kDimmedRole).toBool();
    const QRect content = option.rect.adjusted(kPadding, kPadding, -kPadding, -kPadding);
    const QString text = index.data(Qt::DisplayRole).toString();
    const QString subtext = index.data(DeviceModel::kSubtextRole).toString();
    const Lines lines = linesOf(option, content);
    drawElided(painter, mirrored(option, subtext.isEmpty() ? content : lines.upper), option.font,
               textColor(option, dimmed), text);
    drawElided(painter, mirrored(option, lines.lower), option.font, quietColor(option, dimmed),
               subtext);
    painter->restore();
}

QSize TwoLineCell::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {0, twoLines(option)};
}

void softenSelection(QWidget& view) {
    const QPalette general = QApplication::palette(&view);
    const QColor base = general.color(QPalette::Base);
    const QColor highlight = general.color(QPalette::Highlight);
    const auto mix = [](float a, float b) { return a + (b - a) * kSelectionTint; };
    const QColor soft =
        QColor::fromRgbF(mix(base.redF(), highlight.redF()), mix(base.greenF(), highlight.greenF()),
                         mix(base.blueF(), highlight.blueF()));
    if (view.palette().color(QPalette::Highlight) == soft)
        return;  // it is our own change that is told
    // Of these two colours only: all others go on following the desktop.
    QPalette own;
    own.setColor(QPalette::Highlight, soft);
    own.setColor(QPalette::HighlightedText, general.color(QPalette::Text));
    view.setPalette(own);
}

}  // namespace belay::ui
