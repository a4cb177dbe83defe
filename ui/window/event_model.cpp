#include "ui/window/event_model.h"

#include "ui/model/event_words.h"
#include "ui/model/format.h"
#include "ui/model/service.h"

#include <unistd.h>

namespace belay::ui {
namespace {

constexpr qsizetype kMostEvents = 1000;

}  // namespace

EventModel::EventModel(Service& service, QObject* parent)
    : QAbstractTableModel(parent), service_(service), events_(service.events()) {
    connect(&service, &Service::happened, this, &EventModel::add);
}

int EventModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(events_.size());
}

int EventModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : kColumns;
}

QString EventModel::textOf(const bus::Event& event) {
    const auto what = bus::whatOf(event);
    return what ? EventWords::of(*what, ::getuid()) : event.kind;
}

QString EventModel::subjectOf(const bus::Event& event) const {
    const QString path = event.subject.path();
    if (const Device* const device = service_.device(path))
        return device->title();
    if (const Gadget* const gadget = service_.gadget(path))
        return gadget->title();
    return path.section(QLatin1Char('/'), -1);
}

QVariant EventModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= events_.size())
        return {};
    const bus::Event& event = events_[events_.size() - 1 - index.row()];
    if (role == kPathRole)
        return event.subject.path();
    // The last column is often too narrow for it.
    if (role == Qt::ToolTipRole)
        return textOf(event);
    if (role != Qt::DisplayRole)
        return {};
    switch (index.column()) {
        case kTime:
            return timeText(timeOf(event.time));
        case kSubject:
            return subjectOf(event);
        case kText:
            return textOf(event);
        default:
            return {};
    }
}

QVariant EventModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (section) {
        case kTime:
            return tr("Time");
        case kSubject:
            //: What an event is about: a device, a gadget or the service; a column's heading
            return tr("About");
        case kText:
            return tr("What happened");
        default:
            return {};
    }
}

void EventModel::add(const bus::Event& event) {
    if (events_.size() >= kMostEvents) {
        const int last = int(events_.size()) - 1;
        beginRemoveRows({}, last, last);
        events_.removeFirst();
        endRemoveRows();
    }
    beginInsertRows({}, 0, 0);
    events_ += event;
    endInsertRows();
}

void EventFilter::setPath(const QString& path) {
    path_ = path;
    invalidateFilter();
}

bool EventFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
    return path_.isEmpty() ||
           sourceModel()->index(row, 0, parent).data(EventModel::kPathRole).toString() == path_;
}

}  // namespace belay::ui
