#pragma once

#include <QtCore/QTimer>
#include <QtWidgets/QTreeView>

namespace belay::ui {

class DeviceActions;
class DeviceModel;
class Service;

// The devices' table, with the buttons Recover and Stop on each row.
class DeviceView final : public QTreeView {
    Q_OBJECT

 public:
    DeviceView(Service& service, DeviceModel& model, DeviceActions& actions,
               QWidget* parent = nullptr);

    // The selected device's path; empty without one.
    QString current() const;
    void select(const QString& device);

 signals:
    void currentDeviceChanged(const QString& device);

 protected:
    void changeEvent(QEvent* event) override;

 private:
    // Rows come in great numbers when the service is read: their buttons are made a few at a time.
    void makeButtons();
    void updateButtons(const QString& device);

    Service& service_;
    DeviceModel& devices_;
    DeviceActions& actions_;
    QTimer buttonMaker_;
};

}  // namespace belay::ui
