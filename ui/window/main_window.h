#pragma once

#include "ui/model/clock.h"

#include <QtWidgets/QMainWindow>

class QAction;
class QListView;
class QMenu;
class QPushButton;
class QSplitter;
class QStackedWidget;

namespace belay::ui {

class Details;
class DeviceActions;
class DeviceModel;
class DeviceView;
class EmptyPage;
class GadgetActions;
class GadgetModel;
class MessageBar;
class Service;

// The window: gadgets, devices, and all about the selected one. It shows what `service` knows,
// and asks it for what the user wants; it never waits for an answer.
class MainWindow : public QMainWindow {
    Q_OBJECT

 public:
    explicit MainWindow(Service& service);

    // Selects the device and brings the window to the front.
    void showDevice(const QString& device);
    void bringToFront();
    DeviceActions& deviceActions() { return *deviceActions_; }

 signals:
    // The user closed the window.
    void closed();
    void quitWanted();

 protected:
    void changeEvent(QEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

 private:
    void makeActions();
    void makeMenus();
    QWidget* makeGadgetPane();
    QWidget* makeDevicePane();
    void connectAll();
    void standingChanged();
    void updatePages();
    void showHints();
    void updateActions();
    void complain(const QString& text);
    QString currentGadget() const;
    QString currentDevice() const;
    void showGadgetMenu(const QPoint& position);
    void showDeviceMenu(const QPoint& position);
    void showAbout();

    Service& service_;
    GadgetModel* gadgets_;
    DeviceModel* devices_;
    GadgetActions* gadgetActions_;
    DeviceActions* deviceActions_;
    QListView* gadgetView_ = nullptr;
    DeviceView* deviceView_ = nullptr;
    Details* details_ = nullptr;
    QStackedWidget* gadgetPages_ = nullptr;
    QStackedWidget* devicePages_ = nullptr;
    EmptyPage* noGadget_ = nullptr;
    EmptyPage* noDevice_ = nullptr;
    MessageBar* standing_ = nullptr;
    MessageBar* problem_ = nullptr;
    QAction* recover_ = nullptr;
    QAction* stop_ = nullptr;
    QAction* copyReport_ = nullptr;
    QAction* lend_ = nullptr;
    QAction* forget_ = nullptr;
    QAction* quit_ = nullptr;
    QPushButton* attachButton_ = nullptr;
    QPushButton* lendButton_ = nullptr;
    QMenu* attachMenu_ = nullptr;
    QMenu* policyMenu_ = nullptr;
    Timer clock_;
};

}  // namespace belay::ui
