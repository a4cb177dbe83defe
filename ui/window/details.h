#pragma once

#include "dbus/types.h"
#include "ui/model/clock.h"

#include <QtWidgets/QTabWidget>

class QLabel;
class QTableView;

namespace belay::ui {

class DeviceModel;
class EventFilter;
class HistoryView;
class RequestModel;
class Service;

// What there is to know about the selected device: its requests in flight, its history, its
// events, and all else in a report.
//
// Requests are asked for four times a second while they can be seen, and not at all otherwise.
class Details final : public QTabWidget {
    Q_OBJECT

 public:
    Details(Service& service, DeviceModel& devices, QWidget* parent = nullptr);

    // Empty: none is selected.
    void setDevice(const QString& path);
    // Everything about the device as plain text, for a bug report: states, versions and the last
    // events, without serial numbers and file names.
    QString report() const;
    void copyReport();

 protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

 private:
    QWidget* makeRequestsPage();
    QWidget* makeHistoryPage();
    QWidget* makeEventsPage();
    QWidget* makeDetailsPage();
    void adjustTimers();
    void askForRequests();
    void updateHistory();
    void updateDetails();

    Service& service_;
    DeviceModel& devices_;
    QString device_;
    RequestModel* requests_;
    EventFilter* events_;
    QWidget* requestsPage_ = nullptr;
    QTableView* requestsView_ = nullptr;
    QLabel* requestsNote_ = nullptr;
    HistoryView* history_ = nullptr;
    QList<QLabel*> values_;
    Timer requestTimer_;
    Timer historyTimer_;
    bool asked_ = false;
};

}  // namespace belay::ui
