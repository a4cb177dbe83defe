#include "ui/window/device_actions.h"

#include "ui/desktop/permissions.h"
#include "ui/model/format.h"
#include "ui/model/service.h"
#include "ui/model/words.h"

#include <QtGui/QActionGroup>
#include <QtWidgets/QInputDialog>
#include <QtWidgets/QMenu>
#include <QtWidgets/QMessageBox>
#include <QtWidgets/QPushButton>

namespace belay::ui {
namespace {

constexpr uint kSecondsPerMinute = 60;
constexpr int kMostMinutes = 525'600;  // a year, which is belayd's limit

const QString kRecover = QStringLiteral("org.belay.recover");
const QString kStop = QStringLiteral("org.belay.stop");

bool hasProblem(const Device& device, const char* problem) {
    return device.problems.contains(QLatin1String(problem));
}

// One dialog of a kind per device: asked again, it comes to the front.
QMessageBox* openDialog(QWidget* window, const QString& name) {
    // Asked from the tray, it needs the window behind it.
    window->show();
    if (auto* const open = window->findChild<QMessageBox*>(name)) {
        open->raise();
        open->activateWindow();
        return nullptr;
    }
    auto* const box = new QMessageBox(window);
    box->setObjectName(name);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setWindowModality(Qt::WindowModal);
    box->setTextFormat(Qt::PlainText);
    return box;
}

}  // namespace

DeviceActions::DeviceActions(Service& service, QWidget* window)
    : QObject(window), service_(service), window_(window) {}

void DeviceActions::setPermissions(const Permissions& permissions) {
    permissions_ = &permissions;
    connect(&permissions, &Permissions::changed, this, &DeviceActions::permissionsChanged);
}

bool DeviceActions::asksPassword(const QString& action) const {
    return permissions_ != nullptr && permissions_->of(action) == Permissions::Answer::Password;
}

bool DeviceActions::allowed(const QString& action) const {
    return permissions_ == nullptr || permissions_->of(action) != Permissions::Answer::No;
}

QString DeviceActions::hint(const QString& action) const {
    if (!allowed(action))
        return Words::error(QStringLiteral("NotAuthorized"));
    return asksPassword(action) ? tr("A password will be asked for") : QString();
}

bool DeviceActions::canRecover(const QString& device) const {
    static const QStringList recoverable = {"waiting", "crashed",         "recovering", "resuming",
                                            "failed",  "needs-attention", "starting"};
    const Device* const found = service_.device(device);
    return found != nullptr && service_.standing() == Service::Standing::Running &&
           !service_.busy(device) && recoverable.contains(found->state) && allowed(kRecover);
}

bool DeviceActions::canStop(const QString& device) const {
    const Device* const found = service_.device(device);
    return found != nullptr && service_.standing() == Service::Standing::Running &&
           !service_.busy(device) && allowed(kStop);
}

void DeviceActions::report(const QString& summary, const Outcome& outcome) {
    if (outcome.dismissed() || outcome.error == QLatin1String("Cancelled"))
        return;
    const QString words = Words::error(outcome.error);
    emit failed(summary + QLatin1Char(' ') + (words.isEmpty() ? outcome.message : words));
}

void DeviceActions::recover(const QString& path) {
    const Device* const device = service_.device(path);
    if (device == nullptr || !canRecover(path))
        return;
    if (hasProblem(*device, "data-may-be-missing"))
        askToAcceptLoss(*device);
    else
        recoverNow(path, false);
}

void DeviceActions::recoverNow(const QString& path, bool acceptLoss) {
    service_.recover(path, acceptLoss, this, [this, path](const Outcome& outcome) {
        const Device* const device = service_.device(path);
        if (outcome.ok || device == nullptr)
            return;
        if (outcome.error == QLatin1String("UnsavedData"))
            askToAcceptLoss(*device);
        else
            report(tr("“%1” is not back yet.").arg(device->title()), outcome);
    });
}

void DeviceActions::askToAcceptLoss(const Device& device) {
    QMessageBox* const box = openDialog(window_, "accept-loss " + device.path);
    if (box == nullptr)
        return;
    box->setIcon(QMessageBox::Warning);
    box->setWindowTitle(tr("Data may be missing"));
    box->setText(tr("“%1” lost data that it had taken").arg(device.title()));
    box->setInformativeText(
        tr("The other end restarted before it had saved everything. Going on hides that from the "
           "programs that wrote the data. Stop the device and check the disk instead, unless you "
           "know that nothing important was being written."));
    auto* const go = box->addButton(tr("Go on without it"), QMessageBox::DestructiveRole);
    box->setDefaultButton(box->addButton(QMessageBox::Cancel));
    connect(go, &QPushButton::clicked, this,
            [this, path = device.path] { recoverNow(path, true); });
    box->open();
}

void DeviceActions::stop(const QString& path) {
    if (!canStop(path))
        return;
    // Whoever closed it a moment ago must not be named.
    service_.refresh(path, this, [this, path] {
        const Device* const device = service_.device(path);
        if (device == nullptr)
            return;
        if (device->holders.isEmpty())
            stopNow(path, false);
        else
            askToForce(*device, {});
    });
}

void DeviceActions::stopNow(const QString& path, bool force) {
    service_.stop(path, force, this, [this, path](const Outcome& outcome) {
        const Device* const device = service_.device(path);
        if (outcome.ok || device == nullptr)
            return;
        static const QStringList forcible = {"Busy", "TimedOut", "UnsavedData", "LinkDown"};
        if (forcible.contains(outcome.error))
            askToForce(*device, outcome.message);
        else
            report(tr("“%1” could not be stopped.").arg(device->title()), outcome);
    });
}

void DeviceActions::askToForce(const Device& device, const QString& reason) {
    QMessageBox* const box = openDialog(window_, "force-stop " + device.path);
    if (box == nullptr)
        return;
    QStringList lines;
    for (const bus::Holder& holder : device.holders)
        lines += QStringLiteral("• ") + Words::holder(holder);
    if (lines.isEmpty() && !reason.isEmpty())
        lines += reason;
    lines += QString();
    lines += device.holders.isEmpty()
                 ? tr("Plug the gadget in and stop it again to lose nothing.")
                 : tr("Unmount it or close these programs first, then stop it again.");
    QStringList losses;
    if (device.unsavedBytes > 0)
        //: %1 is a size such as 3.2 MB
        losses += tr("%1 that were written and not saved will be lost.")
                      .arg(sizeText(device.unsavedBytes));
    if (device.inFlight > 0)
        losses += tr("%n request(s) that are held will fail.", nullptr, int(device.inFlight));
    losses +=
        tr("Programs that use it will get errors, and what they have not written yet is "
           "lost.");
    lines += tr("If you force it to stop now: %1").arg(losses.join(QLatin1Char(' ')));

    box->setIcon(QMessageBox::Warning);
    box->setWindowTitle(tr("Stop the device"));
    box->setText(device.holders.isEmpty()
                     ? tr("“%1” cannot be stopped safely now").arg(device.title())
                     : tr("“%1” is in use").arg(device.title()));
    box->setInformativeText(lines.join(QLatin1Char('\n')));
    auto* const force = box->addButton(tr("Force stop"), QMessageBox::DestructiveRole);
    box->setDefaultButton(box->addButton(QMessageBox::Cancel));
    connect(force, &QPushButton::clicked, this,
            [this, path = device.path] { stopNow(path, true); });
    box->open();
}

void DeviceActions::setPolicy(const QString& path, const QString& policy, uint seconds) {
    service_.setPolicy(path, policy, seconds, this, [this](const Outcome& outcome) {
        if (!outcome.ok)
            report(tr("This was not changed."), outcome);
    });
}

void DeviceActions::fillPolicyMenu(QMenu& menu, const QString& path) {
    menu.clear();
    const Device* const device = service_.device(path);
    if (device == nullptr)
        return;
    auto* const group = new QActionGroup(&menu);
    const auto offer = [&](const QString& policy, uint seconds) {
        QAction* const action = menu.addAction(Words::policy(policy, seconds));
        action->setCheckable(true);
        action->setChecked(device->policy == policy && device->policySeconds == seconds);
        group->addAction(action);
        connect(action, &QAction::triggered, this,
                [this, path, policy, seconds] { setPolicy(path, policy, seconds); });
        return action->isChecked();
    };
    const QString limited = QStringLiteral("wait-limited");
    offer(QStringLiteral("wait"), 0);
    bool listed = false;
    for (const uint minutes : {1U, 10U, 60U})
        listed |= offer(limited, minutes * kSecondsPerMinute);
    if (device->policy == limited && !listed)
        offer(limited, device->policySeconds);
    offer(QStringLiteral("fail-fast"), 0);
    menu.addSeparator();
    connect(menu.addAction(tr("Other time…")), &QAction::triggered, this,
            [this, path] { askForSeconds(path); });
}

void DeviceActions::askForSeconds(const QString& path) {
    auto* const dialog = new QInputDialog(window_);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Wait for the cable"));
    dialog->setLabelText(
        tr("When the gadget is unplugged, hold requests for at most this many "
           "minutes:"));
    dialog->setInputMode(QInputDialog::IntInput);
    dialog->setIntRange(1, kMostMinutes);
    dialog->setIntValue(5);
    connect(dialog, &QInputDialog::intValueSelected, this, [this, path](int minutes) {
        setPolicy(path, QStringLiteral("wait-limited"), uint(minutes) * kSecondsPerMinute);
    });
    dialog->open();
}

}  // namespace belay::ui
