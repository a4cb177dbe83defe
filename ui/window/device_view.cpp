#include "ui/window/device_view.h"

#include "ui/model/service.h"
#include "ui/window/cells.h"
#include "ui/window/device_actions.h"
#include "ui/window/device_model.h"
#include "ui/window/look.h"

#include <QtCore/QEvent>
#include <QtWidgets/QHBoxLayout>
#include <QtWidgets/QHeaderView>
#include <QtWidgets/QPushButton>
#include <algorithm>

namespace belay::ui {
namespace {

constexpr int kButtonsAtOnce = 4;
constexpr int kRowMargin = 6;

// The buttons of one row.
class RowButtons final : public QWidget {
 public:
    RowButtons(DeviceActions& actions, const QString& device, QWidget* parent)
        : QWidget(parent),
          actions_(actions),
          device_(device),
          recover_(new QPushButton(DeviceView::tr("Recover"), this)),
          stop_(new QPushButton(DeviceView::tr("Stop"), this)) {
        auto* const layout = new QHBoxLayout(this);
        layout->setContentsMargins(kRowMargin, 0, kRowMargin, 0);
        for (QPushButton* const button : {recover_, stop_}) {
            button->setFocusPolicy(Qt::TabFocus);
            layout->addWidget(button);
        }
        recover_->setAccessibleDescription(
            DeviceView::tr("Tries at once to bring the device back"));
        stop_->setAccessibleDescription(
            DeviceView::tr("Saves what is not saved and removes the device"));
        connect(recover_, &QPushButton::clicked, this, [this] { actions_.recover(device_); });
        connect(stop_, &QPushButton::clicked, this, [this] { actions_.stop(device_); });
    }

    void update(const QString& title) {
        //: Read to blind users; %1 is a device
        recover_->setAccessibleName(DeviceView::tr("Recover %1").arg(title));
        //: Read to blind users; %1 is a device
        stop_->setAccessibleName(DeviceView::tr("Stop %1").arg(title));
        recover_->setEnabled(actions_.canRecover(device_));
        stop_->setEnabled(actions_.canStop(device_));
        hint(*recover_, QStringLiteral("org.belay.recover"));
        hint(*stop_, QStringLiteral("org.belay.stop"));
    }

 private:
    void hint(QPushButton& button, const QString& action) {
        button.setToolTip(actions_.hint(action));
        button.setIcon(actions_.asksPassword(action)
                           ? symbolicIcon(QStringLiteral("belay-password"),
                                          palette().color(QPalette::ButtonText))
                           : QIcon());
    }

    DeviceActions& actions_;
    QString device_;
    QPushButton* recover_;
    QPushButton* stop_;
};

}  // namespace

DeviceView::DeviceView(Service& service, DeviceModel& model, DeviceActions& actions,
                       QWidget* parent)
    : QTreeView(parent), service_(service), devices_(model), actions_(actions) {
    setModel(&model);
    setAccessibleName(tr("Devices"));
    setAccessibleDescription(tr("A row for each device: its state, where it is, and its requests"));
    setRootIsDecorated(false);
    setUniformRowHeights(true);
    setAllColumnsShowFocus(true);
    setSelectionMode(QAbstractItemView::SingleSelection);
    setContextMenuPolicy(Qt::CustomContextMenu);
    setItemDelegate(new TwoLineCell(this));
    setItemDelegateForColumn(DeviceModel::kDevice, new DeviceCell(this));
    setItemDelegateForColumn(DeviceModel::kThroughput, new SparklineCell(this));
    header()->setStretchLastSection(false);
    header()->setSectionResizeMode(QHeaderView::Interactive);
    header()->setSectionResizeMode(DeviceModel::kDevice, QHeaderView::Stretch);
    const int character = fontMetrics().averageCharWidth();
    setColumnWidth(DeviceModel::kWhere, character * 26);
    setColumnWidth(DeviceModel::kThroughput, character * 16);
    setColumnWidth(DeviceModel::kInFlight, character * 15);
    setColumnWidth(DeviceModel::kUnsaved, character * 10);
    header()->setMinimumSectionSize(character * 8);
    // Other languages have longer words.
    for (int column = 0; column < header()->count(); ++column)
        setColumnWidth(column, std::max(columnWidth(column), header()->sectionSizeHint(column)));
    softenSelection(*this);

    buttonMaker_.setInterval(0);
    connect(&buttonMaker_, &QTimer::timeout, this, &DeviceView::makeButtons);
    connect(&model, &QAbstractItemModel::rowsInserted, this, [this] { buttonMaker_.start(); });
    buttonMaker_.start();
    connect(&service, &Service::deviceChanged, this, &DeviceView::updateButtons);
    connect(&service, &Service::busyChanged, this, &DeviceView::updateButtons);
    const auto updateAll = [this] {
        for (const QString& device : service_.devices().keys())
            updateButtons(device);
    };
    connect(&service, &Service::standingChanged, this, updateAll);
    connect(&actions, &DeviceActions::permissionsChanged, this, updateAll);
    connect(selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            [this] { emit currentDeviceChanged(current()); });
}

void DeviceView::changeEvent(QEvent* event) {
    QTreeView::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        softenSelection(*this);
}

QString DeviceView::current() const {
    return currentIndex().data(DeviceModel::kPathRole).toString();
}

void DeviceView::select(const QString& device) {
    const QModelIndex index = devices_.indexOf(device);
    if (!index.isValid())
        return;
    setCurrentIndex(index);
    scrollTo(index);
}

void DeviceView::makeButtons() {
    int made = 0;
    for (int row = 0; row < devices_.rowCount(); ++row) {
        const QModelIndex cell = devices_.index(row, DeviceModel::kActions);
        if (indexWidget(cell) != nullptr)
            continue;
        if (++made > kButtonsAtOnce)
            return;
        const QString path = cell.data(DeviceModel::kPathRole).toString();
        auto* const buttons = new RowButtons(actions_, path, this);
        setIndexWidget(cell, buttons);
        const int width = std::max(columnWidth(cell.column()), buttons->sizeHint().width());
        setColumnWidth(cell.column(), width);
        updateButtons(path);
    }
    buttonMaker_.stop();
}

void DeviceView::updateButtons(const QString& path) {
    const QModelIndex index = devices_.indexOf(path);
    const Device* const device = service_.device(path);
    if (!index.isValid() || device == nullptr)
        return;
    if (auto* const buttons =
            static_cast<RowButtons*>(indexWidget(index.siblingAtColumn(DeviceModel::kActions))))
        buttons->update(device->title());
}

}  // namespace belay::ui
