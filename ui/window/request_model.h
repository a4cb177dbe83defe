#pragma once

#include "dbus/types.h"

#include <QtCore/QAbstractTableModel>

namespace belay::ui {

// The requests of one device that are not answered yet, the oldest first.
class RequestModel final : public QAbstractTableModel {
    Q_OBJECT

 public:
    enum Column { kOperation, kOffset, kLength, kAge, kState, kColumns };

    using QAbstractTableModel::QAbstractTableModel;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

    void setRequests(QList<bus::Request> requests);

 private:
    QList<bus::Request> requests_;
};

}  // namespace belay::ui
