#include "ui/window/look.h"

#include <QtGui/QIconEngine>
#include <QtGui/QPainter>

namespace belay::ui {
namespace {

// Above it, text on the palette's base must be dark.
constexpr int kLightThreshold = 128;

QIcon find(const QString& name) {
    return QIcon::fromTheme(name, QIcon(QStringLiteral(":/icons/%1.svg").arg(name)));
}

// Draws another icon's shape in one colour. It has no scaledPixmap() of its own: the size that goes
// there is in pixels of the device before Qt 6.8 and of the window from then on, while pixmap(),
// which is called instead, always gets the device's.
class TintedEngine final : public QIconEngine {
 public:
    TintedEngine(QIcon shape, const QColor& color) : shape_(std::move(shape)), color_(color) {}

    QIconEngine* clone() const override { return new TintedEngine(shape_, color_); }

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
        const qreal ratio = painter->device()->devicePixelRatioF();
        painter->drawPixmap(rect, tinted(rect.size(), mode, ratio));
    }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State) override {
        return tinted(size, mode, 1);
    }

 private:
    QPixmap tinted(const QSize& size, QIcon::Mode mode, qreal ratio) const {
        QPixmap pixmap = shape_.pixmap(size, ratio);
        if (pixmap.isNull())
            return pixmap;
        QPainter painter(&pixmap);
        painter.setCompositionMode(QPainter::CompositionMode_SourceIn);
        QColor color = color_;
        if (mode == QIcon::Disabled)
            color.setAlphaF(0.4F);
        painter.fillRect(QRect(QPoint(), size), color);
        return pixmap;
    }

    QIcon shape_;
    QColor color_;
};

}  // namespace

QColor colorOf(Tone tone, const QPalette& palette) {
    const bool light = palette.color(QPalette::Base).lightness() > kLightThreshold;
    switch (tone) {
        case Tone::Good:
            return light ? QColor(0x1a, 0x7f, 0x37) : QColor(0x57, 0xd1, 0x7b);
        case Tone::Busy:
            return light ? QColor(0x0b, 0x62, 0xc4) : QColor(0x78, 0xb8, 0xff);
        case Tone::Held:
            return light ? QColor(0x9a, 0x5b, 0x00) : QColor(0xf5, 0xc2, 0x51);
        case Tone::Problem:
            return light ? QColor(0xc0, 0x1c, 0x28) : QColor(0xff, 0x8a, 0x80);
        case Tone::Neutral:
            break;
    }
    return light ? QColor(0x5e, 0x5c, 0x64) : QColor(0xb4, 0xb2, 0xba);
}

QIcon symbolicIcon(const QString& name, const QColor& color) {
    return QIcon(new TintedEngine(find(name + QStringLiteral("-symbolic")), color));
}

QIcon applicationIcon() {
    return find(QStringLiteral("org.belay.Belay"));
}

}  // namespace belay::ui
