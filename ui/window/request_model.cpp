#include "ui/window/request_model.h"

#include "ui/model/format.h"
#include "ui/model/words.h"

#include <QtCore/QLocale>

namespace belay::ui {
namespace {

const QString kNothing = QStringLiteral("–");

}  // namespace

int RequestModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(requests_.size());
}

int RequestModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : kColumns;
}

QVariant RequestModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= requests_.size())
        return {};
    const bus::Request& request = requests_[index.row()];
    const bool number =
        index.column() == kOffset || index.column() == kLength || index.column() == kAge;
    const bool whole = request.op == QLatin1String("flush");
    if (role == Qt::TextAlignmentRole)
        return int((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (index.column()) {
        case kOperation:
            return Words::operation(request.op);
        // A flush is about all of the disk.
        case kOffset:
            return whole ? kNothing : QLocale().toString(request.offset);
        case kLength:
            return whole ? kNothing : sizeText(request.length);
        case kAge:
            return ageText(request.ageMs);
        case kState:
            return Words::requestState(request.state);
        default:
            return {};
    }
}

QVariant RequestModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (section) {
        case kOperation:
            return tr("Operation");
        case kOffset:
            //: Where on the disk a request begins, in bytes; a column's heading
            return tr("Offset");
        case kLength:
            return tr("Length");
        case kAge:
            return tr("Age");
        case kState:
            return tr("State");
        default:
            return {};
    }
}

void RequestModel::setRequests(QList<bus::Request> requests) {
    // Rows keep their place, so that neither the scroll bar nor the selection jumps.
    const int before = int(requests_.size());
    const int after = int(requests.size());
    if (after > before) {
        beginInsertRows({}, before, after - 1);
        requests_ = std::move(requests);
        endInsertRows();
    } else if (after < before) {
        beginRemoveRows({}, after, before - 1);
        requests_ = std::move(requests);
        endRemoveRows();
    } else {
        requests_ = std::move(requests);
    }
    if (after > 0)
        emit dataChanged(index(0, 0), index(after - 1, kColumns - 1));
}

}  // namespace belay::ui
