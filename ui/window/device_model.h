#pragma once

#include "ui/model/history.h"
#include "ui/model/words.h"

#include <QtCore/QAbstractTableModel>
#include <QtCore/QHash>
#include <QtCore/QStringList>

namespace belay::ui {

class Service;

// The devices, a row each, in the order in which they came; and what each has done lately.
class DeviceModel final : public QAbstractTableModel {
    Q_OBJECT

 public:
    enum Column { kDevice, kWhere, kThroughput, kInFlight, kUnsaved, kActions, kColumns };
    enum Role {
        kPathRole = Qt::UserRole,  // the object's path
        kWordsRole,                // StateWords
        kSubtextRole,              // what a cell says below its text
        kDimmedRole,               // the service is away: this is how it was
        kRatesRole,                // QList<History::Rate> of the last minute
    };
    static constexpr int kSparkBins = 60;

    explicit DeviceModel(Service& service, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

    QModelIndex indexOf(const QString& path) const;
    // Null for an unknown device.
    const History* history(const QString& path) const;
    // Says again what depends on the time of day: how long something lasts.
    void tick();

 private:
    void insert(const QString& path);
    void remove(const QString& path);
    void changed(const QString& path);
    QString text(const Device& device, int column) const;
    QString subtext(const Device& device, int column) const;

    Service& service_;
    QStringList paths_;
    QHash<QString, History> histories_;
};

}  // namespace belay::ui

Q_DECLARE_METATYPE(belay::ui::StateWords)
Q_DECLARE_METATYPE(belay::ui::History::Rate)
