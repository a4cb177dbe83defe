#pragma once

#include "dbus/types.h"

#include <QtCore/QAbstractTableModel>
#include <QtCore/QSortFilterProxyModel>

namespace belay::ui {

class Service;

// What has happened, the newest first.
class EventModel final : public QAbstractTableModel {
    Q_OBJECT

 public:
    enum Column { kTime, kSubject, kText, kColumns };
    enum Role { kPathRole = Qt::UserRole };  // of the device or gadget it is about

    explicit EventModel(Service& service, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

    // The event in the user's language; the bare word of a kind that a newer belayd sends.
    static QString textOf(const bus::Event& event);

 private:
    void add(const bus::Event& event);
    QString subjectOf(const bus::Event& event) const;

    Service& service_;
    QList<bus::Event> events_;  // the oldest first
};

// The events of one device or gadget; of all, when it has no path.
class EventFilter final : public QSortFilterProxyModel {
    Q_OBJECT

 public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    void setPath(const QString& path);

 protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

 private:
    QString path_;
};

}  // namespace belay::ui
