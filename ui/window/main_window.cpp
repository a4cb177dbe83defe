#include "ui/window/main_window.h"

#include "ui/model/service.h"
#include "ui/model/words.h"
#include "ui/window/cells.h"
#include "ui/window/details.h"
#include "ui/window/device_actions.h"
#include "ui/window/device_model.h"
#include "ui/window/device_view.h"
#include "ui/window/empty_page.h"
#include "ui/window/gadget_actions.h"
#include "ui/window/gadget_model.h"
#include "ui/window/look.h"
#include "ui/window/message_bar.h"

#include <QtGui/QAction>
#include <QtGui/QCloseEvent>
#include <QtWidgets/QLabel>
#include <QtWidgets/QListView>
#include <QtWidgets/QMenu>
#include <QtWidgets/QMenuBar>
#include <QtWidgets/QMessageBox>
#include <QtWidgets/QPushButton>
#include <QtWidgets/QSplitter>
#include <QtWidgets/QStackedWidget>
#include <QtWidgets/QVBoxLayout>
#include <chrono>

namespace belay::ui {
namespace {

using namespace std::chrono_literals;

constexpr auto kClockPeriod = 1s;
constexpr QSize kFirstSize(1180, 700);

}  // namespace

MainWindow::MainWindow(Service& service)
    : service_(service),
      gadgets_(new GadgetModel(service, this)),
      devices_(new DeviceModel(service, this)),
      gadgetActions_(new GadgetActions(service, this)),
      deviceActions_(new DeviceActions(service, this)) {
    setWindowTitle(tr("Belay"));
    setWindowIcon(applicationIcon());
    makeActions();

    standing_ = new MessageBar(tr("State of the service"), this);
    problem_ = new MessageBar(tr("What went wrong"), this);
    auto* const panes = new QSplitter(Qt::Horizontal, this);
    panes->setChildrenCollapsible(false);
    auto* const right = new QSplitter(Qt::Vertical, panes);
    right->setChildrenCollapsible(false);
    panes->addWidget(makeGadgetPane());
    panes->addWidget(right);
    panes->setStretchFactor(1, 1);
    right->addWidget(makeDevicePane());
    details_ = new Details(service, *devices_, right);
    right->addWidget(details_);
    right->setStretchFactor(0, 3);
    right->setStretchFactor(1, 2);
    auto* const central = new QWidget(this);
    auto* const layout = new QVBoxLayout(central);
    layout->addWidget(standing_);
    layout->addWidget(problem_);
    layout->addWidget(panes, 1);
    setCentralWidget(central);
    makeMenus();
    resize(kFirstSize);
    const int least = fontMetrics().averageCharWidth() * 40;
    panes->setSizes({least, kFirstSize.width() - least});

    clock_.setInterval(kClockPeriod);
    connect(&clock_, &Timer::timeout, devices_, &DeviceModel::tick);
    connectAll();
    standingChanged();
}

void MainWindow::makeActions() {
    const auto make = [this](const QString& text, const QKeySequence& key, auto then) {
        auto* const action = new QAction(text, this);
        action->setShortcut(key);
        connect(action, &QAction::triggered, this, then);
        return action;
    };
    recover_ =
        make(tr("&Recover"), tr("Ctrl+R"), [this] { deviceActions_->recover(currentDevice()); });
    recover_->setStatusTip(tr("Tries at once to bring the device back"));
    stop_ = make(tr("&Stop"), tr("Ctrl+D"), [this] { deviceActions_->stop(currentDevice()); });
    stop_->setStatusTip(tr("Saves what is not saved and removes the device"));
    copyReport_ = make(tr("&Copy report"), tr("Ctrl+Shift+C"), [this] { details_->copyReport(); });
    lend_ = make(tr("&Lend an image…"), tr("Ctrl+L"),
                 [this] { gadgetActions_->lend(currentGadget()); });
    forget_ =
        make(tr("&Forget this gadget"), {}, [this] { gadgetActions_->forget(currentGadget()); });
    quit_ = make(tr("&Quit"), QKeySequence::Quit, [this] { emit quitWanted(); });
}

void MainWindow::makeMenus() {
    attachMenu_ = new QMenu(tr("&Attach"), this);
    connect(attachMenu_, &QMenu::aboutToShow, this,
            [this] { gadgetActions_->fillAttachMenu(*attachMenu_, currentGadget()); });
    policyMenu_ = new QMenu(tr("If &unplugged"), this);
    connect(policyMenu_, &QMenu::aboutToShow, this,
            [this] { deviceActions_->fillPolicyMenu(*policyMenu_, currentDevice()); });

    QMenu* const gadget = menuBar()->addMenu(tr("&Gadget"));
    gadget->addMenu(attachMenu_);
    gadget->addAction(lend_);
    gadget->addAction(forget_);
    gadget->addSeparator();
    gadget->addAction(quit_);
    QMenu* const device = menuBar()->addMenu(tr("&Device"));
    device->addAction(recover_);
    device->addAction(stop_);
    device->addMenu(policyMenu_);
    device->addSeparator();
    device->addAction(copyReport_);
    QMenu* const help = menuBar()->addMenu(tr("&Help"));
    connect(help->addAction(tr("&About Belay")), &QAction::triggered, this, &MainWindow::showAbout);
    menuBar()->setAccessibleName(tr("Menu bar"));
    menuBar()->setAccessibleDescription(tr("All that can be done with gadgets and devices"));
}

QWidget* MainWindow::makeGadgetPane() {
    gadgetView_ = new QListView(this);
    gadgetView_->setModel(gadgets_);
    gadgetView_->setItemDelegate(new GadgetCell(gadgetView_));
    gadgetView_->setAccessibleName(tr("Gadgets"));
    gadgetView_->setAccessibleDescription(
        tr("The phones and boards that are or were plugged in. Drop an image on one to lend it."));
    gadgetView_->setAcceptDrops(true);
    gadgetView_->setDropIndicatorShown(true);
    gadgetView_->setDragDropMode(QAbstractItemView::DropOnly);
    gadgetView_->setContextMenuPolicy(Qt::CustomContextMenu);
    gadgetView_->setUniformItemSizes(true);
    softenSelection(*gadgetView_);
    noGadget_ = new EmptyPage(QStringLiteral("belay-gadget"), this);
    noGadget_->say(tr("No gadget yet"),
                   tr("Plug in a phone or a board on which belay-gadget runs."));
    gadgetPages_ = new QStackedWidget(this);
    gadgetPages_->addWidget(gadgetView_);
    gadgetPages_->addWidget(noGadget_);

    attachButton_ = new QPushButton(tr("&Attach"), this);
    attachButton_->setAccessibleName(tr("Attach a share of the gadget"));
    attachButton_->setAccessibleDescription(tr("Makes a disk of this computer of what it shares"));
    auto* const menu = new QMenu(attachButton_);
    connect(menu, &QMenu::aboutToShow, this,
            [this, menu] { gadgetActions_->fillAttachMenu(*menu, currentGadget()); });
    attachButton_->setMenu(menu);
    lendButton_ = new QPushButton(tr("&Lend an image…"), this);
    lendButton_->setAccessibleName(tr("Lend an image to the gadget"));
    lendButton_->setAccessibleDescription(tr("Gives the gadget a disk whose bytes stay here"));
    connect(lendButton_, &QPushButton::clicked, lend_, &QAction::trigger);

    auto* const pane = new QWidget(this);
    auto* const layout = new QVBoxLayout(pane);
    layout->setContentsMargins({});
    layout->addWidget(gadgetPages_, 1);
    layout->addWidget(attachButton_);
    layout->addWidget(lendButton_);
    return pane;
}

QWidget* MainWindow::makeDevicePane() {
    deviceView_ = new DeviceView(service_, *devices_, *deviceActions_, this);
    noDevice_ = new EmptyPage(QStringLiteral("belay-attach"), this);
    devicePages_ = new QStackedWidget(this);
    devicePages_->addWidget(deviceView_);
    devicePages_->addWidget(noDevice_);
    return devicePages_;
}

void MainWindow::connectAll() {
    connect(&service_, &Service::standingChanged, this, &MainWindow::standingChanged);
    connect(&service_, &Service::managerChanged, this, &MainWindow::standingChanged);
    connect(standing_, &MessageBar::pressed, &service_, &Service::retry);
    connect(deviceActions_, &DeviceActions::failed, this, &MainWindow::complain);
    connect(deviceActions_, &DeviceActions::permissionsChanged, this, [this] {
        showHints();
        updateActions();
    });
    connect(gadgetActions_, &GadgetActions::failed, this, &MainWindow::complain);
    connect(gadgetActions_, &GadgetActions::made, deviceView_, &DeviceView::select);
    connect(gadgets_, &GadgetModel::fileDropped, gadgetActions_, &GadgetActions::lend);
    connect(deviceView_, &DeviceView::currentDeviceChanged, details_, &Details::setDevice);
    connect(gadgetView_, &QWidget::customContextMenuRequested, this, &MainWindow::showGadgetMenu);
    connect(deviceView_, &QWidget::customContextMenuRequested, this, &MainWindow::showDeviceMenu);
    for (QAbstractItemModel* const model :
         {static_cast<QAbstractItemModel*>(gadgets_), static_cast<QAbstractItemModel*>(devices_)}) {
        connect(model, &QAbstractItemModel::rowsInserted, this, &MainWindow::updatePages);
        connect(model, &QAbstractItemModel::rowsRemoved, this, &MainWindow::updatePages);
    }
    connect(&service_, &Service::gadgetChanged, this, &MainWindow::updatePages);
    connect(&service_, &Service::deviceChanged, this, &MainWindow::updateActions);
    connect(&service_, &Service::busyChanged, this, &MainWindow::updateActions);
    connect(gadgetView_->selectionModel(), &QItemSelectionModel::currentChanged, this,
            &MainWindow::updatePages);
    connect(deviceView_, &DeviceView::currentDeviceChanged, this, &MainWindow::updateActions);
}

QString MainWindow::currentGadget() const {
    return gadgetView_->currentIndex().data(GadgetModel::kPathRole).toString();
}

QString MainWindow::currentDevice() const {
    return deviceView_->current();
}

void MainWindow::standingChanged() {
    QString text;
    QString action;
    switch (service_.standing()) {
        case Service::Standing::Connecting:
            text = tr("Asking the helper service…");
            break;
        case Service::Standing::Running:
            text = service_.manager().explanation;
            break;
        case Service::Standing::Restarting:
            text =
                tr("The helper service is restarting. Nothing is lost: disks that were in use go "
                   "on without it.");
            break;
        case Service::Standing::NotInstalled:
            text =
                tr("The helper service belayd is not installed on this computer. Install Belay's "
                   "package, or run “cmake --install” for the folder it was built in.");
            action = tr("Try again");
            break;
        case Service::Standing::Failed:
            text = tr("The helper service cannot be reached: %1 Look at “journalctl -u belayd”.")
                       .arg(service_.trouble());
            action = tr("Try again");
            break;
        case Service::Standing::NoBus:
            text = tr("There is no system bus here: %1 Start dbus, then start Belay again.")
                       .arg(service_.trouble());
            break;
    }
    standing_->offer(action);
    standing_->say(text, false);
    updatePages();
}

void MainWindow::updatePages() {
    const bool running = service_.standing() == Service::Standing::Running;
    gadgetPages_->setCurrentWidget(gadgets_->rowCount() > 0 ? static_cast<QWidget*>(gadgetView_)
                                                            : noGadget_);
    devicePages_->setCurrentWidget(devices_->rowCount() > 0 ? static_cast<QWidget*>(deviceView_)
                                                            : noDevice_);
    details_->setVisible(devices_->rowCount() > 0);
    // A newcomer need not find out that something must be selected first.
    if (gadgets_->rowCount() > 0 && !gadgetView_->currentIndex().isValid())
        gadgetView_->setCurrentIndex(gadgets_->index(0));
    if (gadgetView_->isVisible() && focusWidget() == nullptr)
        gadgetView_->setFocus();
    if (devices_->rowCount() > 0 && !deviceView_->currentIndex().isValid())
        deviceView_->setCurrentIndex(devices_->index(0, 0));
    if (!running && gadgets_->rowCount() == 0)
        noDevice_->say(tr("Nothing to show"), tr("The helper service is not there."));
    else if (gadgets_->rowCount() == 0)
        noDevice_->say(tr("Plug in a gadget"),
                       tr("On the gadget, run “belay-gadget --share FILE” to give this computer a "
                          "disk, or “belay-gadget --lend-ready” to borrow one from it. Then plug "
                          "the gadget in here."));
    else
        noDevice_->say(tr("No disks yet"),
                       tr("Press Attach to use what the gadget shares as a disk of this computer, "
                          "or Lend an image to give the gadget a disk."));
    updateActions();
}

void MainWindow::showHints() {
    const auto show = [this](auto& shown, const char* action) {
        const QString name = QLatin1String(action);
        shown.setToolTip(deviceActions_->hint(name));
        shown.setIcon(deviceActions_->asksPassword(name)
                          ? symbolicIcon(QStringLiteral("belay-password"),
                                         palette().color(QPalette::ButtonText))
                          : QIcon());
    };
    show(*recover_, "org.belay.recover");
    show(*stop_, "org.belay.stop");
    show(*lend_, "org.belay.lend");
    show(*lendButton_, "org.belay.lend");
    show(*attachButton_, "org.belay.attach");
    show(*attachMenu_->menuAction(), "org.belay.attach");
}

void MainWindow::updateActions() {
    const QString device = currentDevice();
    const QString gadget = currentGadget();
    recover_->setEnabled(deviceActions_->canRecover(device));
    stop_->setEnabled(deviceActions_->canStop(device));
    policyMenu_->setEnabled(deviceActions_->canStop(device));
    copyReport_->setEnabled(!device.isEmpty());
    forget_->setEnabled(gadgetActions_->canForget(gadget));
    lend_->setEnabled(gadgetActions_->connected(gadget) &&
                      deviceActions_->allowed(QStringLiteral("org.belay.lend")));
    lendButton_->setEnabled(lend_->isEnabled());
    const bool mayAttach = deviceActions_->allowed(QStringLiteral("org.belay.attach"));
    attachMenu_->setEnabled(!gadget.isEmpty() && mayAttach);
    attachButton_->setEnabled(!gadget.isEmpty() && mayAttach);
}

void MainWindow::complain(const QString& text) {
    problem_->say(text, true);
}

void MainWindow::showGadgetMenu(const QPoint& position) {
    const QModelIndex index = gadgetView_->indexAt(position);
    if (!index.isValid())
        return;
    gadgetView_->setCurrentIndex(index);
    auto* const menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addMenu(attachMenu_);
    menu->addAction(lend_);
    menu->addAction(forget_);
    menu->popup(gadgetView_->viewport()->mapToGlobal(position));
}

void MainWindow::showDeviceMenu(const QPoint& position) {
    const QModelIndex index = deviceView_->indexAt(position);
    if (!index.isValid())
        return;
    deviceView_->setCurrentIndex(index);
    auto* const menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(recover_);
    menu->addAction(stop_);
    menu->addMenu(policyMenu_);
    menu->addSeparator();
    menu->addAction(copyReport_);
    menu->popup(deviceView_->viewport()->mapToGlobal(position));
}

void MainWindow::showAbout() {
    auto* const box = new QMessageBox(this);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setWindowTitle(tr("About Belay"));
    box->setIconPixmap(applicationIcon().pixmap(64));
    box->setTextFormat(Qt::PlainText);
    box->setText(tr("Belay %1").arg(QLatin1String(BELAY_VERSION)));
    box->setInformativeText(tr("Disks over a USB cable that survive the cable being pulled."));
    box->open();
}

void MainWindow::showDevice(const QString& device) {
    bringToFront();
    deviceView_->select(device);
    deviceView_->setFocus();
}

void MainWindow::bringToFront() {
    show();
    setWindowState(windowState() & ~Qt::WindowMinimized);
    raise();
    activateWindow();
}

void MainWindow::closeEvent(QCloseEvent* event) {
    event->accept();
    emit closed();
}

void MainWindow::changeEvent(QEvent* event) {
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && gadgetView_ != nullptr)
        softenSelection(*gadgetView_);
}

void MainWindow::showEvent(QShowEvent* event) {
    QMainWindow::showEvent(event);
    devices_->tick();
    clock_.start();
    updatePages();
}

void MainWindow::hideEvent(QHideEvent* event) {
    QMainWindow::hideEvent(event);
    clock_.stop();
}

}  // namespace belay::ui
