#include "ui/window/gadget_model.h"

#include "ui/model/service.h"
#include "ui/model/words.h"

#include <QtCore/QMimeData>
#include <QtCore/QUrl>
#include <algorithm>

namespace belay::ui {
namespace {

const QString kUriList = QStringLiteral("text/uri-list");

// The one local file in it; empty if that is not what it is.
QString fileIn(const QMimeData* data) {
    const QList<QUrl> urls = data->urls();
    return urls.size() == 1 && urls.first().isLocalFile() ? urls.first().toLocalFile() : QString();
}

QString subtitleOf(const Gadget& gadget) {
    QStringList parts;
    if (!gadget.port.isEmpty())
        //: %1 is a USB port such as 1-2.3
        parts += GadgetModel::tr("Port %1").arg(gadget.port);
    if (gadget.present && gadget.speedMbps > 0)
        parts += Words::speed(gadget.speedMbps);
    return parts.join(QStringLiteral(" · "));
}

}  // namespace

GadgetModel::GadgetModel(Service& service, QObject* parent)
    : QAbstractListModel(parent), service_(service) {
    connect(&service, &Service::gadgetAdded, this, &GadgetModel::insert);
    connect(&service, &Service::gadgetChanged, this, &GadgetModel::changed);
    connect(&service, &Service::gadgetGone, this, &GadgetModel::remove);
    connect(&service, &Service::standingChanged, this, [this] {
        if (!paths_.isEmpty())
            emit dataChanged(index(0), index(int(paths_.size()) - 1));
    });
    for (const QString& path : service.gadgets().keys())
        insert(path);
}

int GadgetModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(paths_.size());
}

QVariant GadgetModel::data(const QModelIndex& index, int role) const {
    const Gadget* const gadget =
        index.isValid() ? service_.gadget(paths_.value(index.row())) : nullptr;
    if (gadget == nullptr)
        return {};
    switch (role) {
        case Qt::DisplayRole:
            return gadget->title();
        case Qt::ToolTipRole:
            return gadget->trouble.isEmpty() ? gadget->serial : gadget->trouble;
        case Qt::AccessibleTextRole:
            return QStringLiteral("%1, %2, %3")
                .arg(gadget->title(), subtitleOf(*gadget), Words::link(*gadget));
        case kPathRole:
            return gadget->path;
        case kSubtitleRole:
            return subtitleOf(*gadget);
        case kChipRole:
            return Words::link(*gadget);
        case kToneRole:
            return int(Words::linkTone(*gadget));
        case kDimmedRole:
            return !gadget->present || service_.standing() != Service::Standing::Running;
        default:
            return {};
    }
}

Qt::ItemFlags GadgetModel::flags(const QModelIndex& index) const {
    Qt::ItemFlags flags = QAbstractListModel::flags(index);
    const Gadget* const gadget =
        index.isValid() ? service_.gadget(paths_.value(index.row())) : nullptr;
    if (gadget != nullptr && gadget->present)
        flags |= Qt::ItemIsDropEnabled;
    return flags;
}

QStringList GadgetModel::mimeTypes() const {
    return {kUriList};
}

bool GadgetModel::canDropMimeData(const QMimeData* data, Qt::DropAction, int, int,
                                  const QModelIndex& parent) const {
    return parent.isValid() && !fileIn(data).isEmpty();
}

bool GadgetModel::dropMimeData(const QMimeData* data, Qt::DropAction, int, int,
                               const QModelIndex& parent) {
    const QString file = fileIn(data);
    if (!parent.isValid() || file.isEmpty())
        return false;
    emit fileDropped(parent.data(kPathRole).toString(), file);
    return true;
}

QModelIndex GadgetModel::indexOf(const QString& path) const {
    const auto row = paths_.indexOf(path);
    return row < 0 ? QModelIndex() : index(int(row));
}

bool GadgetModel::before(const QString& left, const QString& right) const {
    const Gadget* const a = service_.gadget(left);
    const Gadget* const b = service_.gadget(right);
    if (a == nullptr || b == nullptr)
        return a != nullptr;
    if (a->present != b->present)
        return a->present;
    const int names = QString::localeAwareCompare(a->title(), b->title());
    return names != 0 ? names < 0 : left < right;
}

int GadgetModel::placeFor(const QString& path) const {
    return int(std::ranges::count_if(
        paths_, [&](const QString& other) { return other != path && before(other, path); }));
}

void GadgetModel::insert(const QString& path) {
    const int row = placeFor(path);
    beginInsertRows({}, row, row);
    paths_.insert(row, path);
    endInsertRows();
}

void GadgetModel::remove(const QString& path) {
    const int row = int(paths_.indexOf(path));
    if (row < 0)
        return;
    beginRemoveRows({}, row, row);
    paths_.removeAt(row);
    endRemoveRows();
}

void GadgetModel::changed(const QString& path) {
    const int row = int(paths_.indexOf(path));
    const int place = placeFor(path);
    if (row < 0)
        return;
    if (row != place) {
        beginMoveRows({}, row, row, {}, place > row ? place + 1 : place);
        paths_.move(row, place);
        endMoveRows();
    }
    emit dataChanged(index(place), index(place));
}

}  // namespace belay::ui
