#pragma once

#include "ui/model/history.h"

#include <QtWidgets/QWidget>

namespace belay::ui {

// The last ten minutes of a device: its states as a coloured band, its throughput above it.
class HistoryView final : public QWidget {
    Q_OBJECT

 public:
    explicit HistoryView(QWidget* parent = nullptr);

    // Draws it as it is now; null for no device. The object is not kept.
    void show(const History* history);
    QSize minimumSizeHint() const override;

 protected:
    void paintEvent(QPaintEvent* event) override;

 private:
    void drawRates(QPainter& painter, const QRect& area) const;
    void drawBand(QPainter& painter, const QRect& area) const;
    void drawAxis(QPainter& painter, const QRect& area) const;

    qint64 from_ = 0;
    qint64 to_ = 0;
    double most_ = 0;
    QList<History::Rate> rates_;
    QList<History::Span> spans_;
};

}  // namespace belay::ui
