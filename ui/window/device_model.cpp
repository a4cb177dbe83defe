#include "ui/window/device_model.h"

#include "ui/model/clock.h"
#include "ui/model/format.h"
#include "ui/model/service.h"

#include <QtCore/QLocale>

namespace belay::ui {
namespace {

constexpr qint64 kSparkMs = 60'000;

}  // namespace

DeviceModel::DeviceModel(Service& service, QObject* parent)
    : QAbstractTableModel(parent), service_(service) {
    connect(&service, &Service::deviceAdded, this, &DeviceModel::insert);
    connect(&service, &Service::deviceChanged, this, &DeviceModel::changed);
    connect(&service, &Service::countersChanged, this, &DeviceModel::changed);
    connect(&service, &Service::deviceGone, this, &DeviceModel::remove);
    connect(&service, &Service::standingChanged, this, &DeviceModel::tick);
    for (const QString& path : service.devices().keys())
        insert(path);
}

int DeviceModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(paths_.size());
}

int DeviceModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : kColumns;
}

QString DeviceModel::text(const Device& device, int column) const {
    switch (column) {
        case kDevice:
            return device.title();
        case kWhere:
            return pathText(device.lent() ? device.fileName : device.node);
        case kThroughput: {
            const History::Rate rate =
                histories_.constFind(device.path)->now(Clock::current().nowMs());
            return rate.read + rate.written < 1 ? QString() : rateText(rate.read + rate.written);
        }
        case kInFlight:
            return device.inFlight == 0 ? QString() : QLocale().toString(device.inFlight);
        case kUnsaved:
            return device.unsavedBytes == 0 ? QString() : sizeText(device.unsavedBytes);
        default:
            return {};
    }
}

QString DeviceModel::subtext(const Device& device, int column) const {
    if (column == kInFlight && device.oldestMs > 0)
        //: %1 is the age of the oldest request, e.g. 4.2 s
        return tr("oldest %1").arg(ageText(device.oldestMs));
    if (column != kWhere)
        return {};
    const Gadget* const gadget = service_.gadget(device.gadget);
    QStringList parts;
    if (device.size > 0)
        parts += sizeText(device.size);
    if (gadget != nullptr)
        //: Where a disk's bytes are or go to; %1 is a gadget
        parts += (device.lent() ? tr("→ %1") : tr("← %1")).arg(gadget->title());
    return parts.join(QStringLiteral(" "));
}

QVariant DeviceModel::data(const QModelIndex& index, int role) const {
    const Device* const device =
        index.isValid() ? service_.device(paths_.value(index.row())) : nullptr;
    if (device == nullptr)
        return {};
    const int column = index.column();
    switch (role) {
        case Qt::DisplayRole:
            return text(*device, column);
        case Qt::ToolTipRole:
            if (column == kDevice)
                return Words::of(*device, Clock::current().now()).line();
            return column == kWhere ? Words::direction(*device) : device->explanation;
        case Qt::AccessibleTextRole:
            if (column == kDevice)
                return QStringLiteral("%1, %2").arg(
                    device->title(), Words::of(*device, Clock::current().now()).line());
            return QStringLiteral("%1 %2 %3")
                .arg(headerData(column, Qt::Horizontal, Qt::DisplayRole).toString(),
                     text(*device, column), subtext(*device, column))
                .trimmed();
        case kPathRole:
            return device->path;
        case kSubtextRole:
            return subtext(*device, column);
        case kWordsRole:
            return QVariant::fromValue(Words::of(*device, Clock::current().now()));
        case kDimmedRole:
            return service_.standing() != Service::Standing::Running;
        case kRatesRole: {
            const qint64 now = Clock::current().nowMs();
            return QVariant::fromValue(
                histories_.constFind(device->path)->rates(now - kSparkMs, now, kSparkBins));
        }
        default:
            return {};
    }
}

QVariant DeviceModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (section) {
        case kDevice:
            return tr("Device");
        case kWhere:
            return tr("Where");
        case kThroughput:
            return tr("Throughput");
        case kInFlight:
            //: Requests that are not answered yet; a column's heading
            return tr("In flight");
        case kUnsaved:
            //: Bytes written and not saved yet; a column's heading
            return tr("Unsaved");
        case kActions:
            return tr("Actions");
        default:
            return {};
    }
}

QModelIndex DeviceModel::indexOf(const QString& path) const {
    const auto row = paths_.indexOf(path);
    return row < 0 ? QModelIndex() : index(int(row), 0);
}

const History* DeviceModel::history(const QString& path) const {
    const auto found = histories_.constFind(path);
    return found == histories_.constEnd() ? nullptr : &*found;
}

void DeviceModel::tick() {
    if (!paths_.isEmpty())
        emit dataChanged(index(0, 0), index(int(paths_.size()) - 1, kUnsaved));
}

void DeviceModel::insert(const QString& path) {
    histories_[path].note(*service_.device(path), Clock::current().nowMs());
    const int row = int(paths_.size());
    beginInsertRows({}, row, row);
    paths_ += path;
    endInsertRows();
}

void DeviceModel::remove(const QString& path) {
    const int row = int(paths_.indexOf(path));
    if (row < 0)
        return;
    beginRemoveRows({}, row, row);
    paths_.removeAt(row);
    histories_.remove(path);
    endRemoveRows();
}

void DeviceModel::changed(const QString& path) {
    const int row = int(paths_.indexOf(path));
    if (row < 0)
        return;
    histories_[path].note(*service_.device(path), Clock::current().nowMs());
    emit dataChanged(index(row, 0), index(row, kUnsaved));
}

}  // namespace belay::ui
