#pragma once

#include <QtWidgets/QStyledItemDelegate>

// How the rows of the gadgets' and devices' lists are drawn.
namespace belay::ui {

// A gadget: its name, below it port and speed, and its link as a chip.
class GadgetCell final : public QStyledItemDelegate {
    Q_OBJECT

 public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

// A device's title: its label, and below it the state with icon and colour.
class DeviceCell final : public QStyledItemDelegate {
    Q_OBJECT

 public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

// A device's throughput of the last minute as a line, with the rate of now.
class SparklineCell final : public QStyledItemDelegate {
    Q_OBJECT

 public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

// All other cells of a device: a text, and another in grey below it.
class TwoLineCell final : public QStyledItemDelegate {
    Q_OBJECT

 public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

// Gives selected rows a background on which the states' colours can still be told apart. To be done
// again with each PaletteChange of the view.
void softenSelection(QWidget& view);

}  // namespace belay::ui
