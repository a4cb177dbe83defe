#pragma once

#include <QtCore/QObject>
#include <QtCore/QString>

class QMenu;
class QWidget;

namespace belay::ui {

struct Device;
class Permissions;
struct Outcome;
class Service;

// What a user can do to a device, with the questions that come before it.
//
// - Nothing that can lose bytes or give programs errors happens without a dialog that says what
//   is lost and who uses the device.
// - Dialogs are window-modal and never block; of one kind there is one per device.
class DeviceActions : public QObject {
    Q_OBJECT

 public:
    // `window` is the dialogs' parent.
    DeviceActions(Service& service, QWidget* window);

    // What polkit will say is shown from now on. It must outlive this object.
    void setPermissions(const Permissions& permissions);
    // What to say beforehand of an action such as "org.belay.stop": that a password will be asked
    // for, or that it is not allowed; nothing when it just works, or nobody knows.
    QString hint(const QString& action) const;
    bool asksPassword(const QString& action) const;
    bool allowed(const QString& action) const;

    // Whether it would do something now, and may.
    bool canRecover(const QString& device) const;
    bool canStop(const QString& device) const;

    void recover(const QString& device);
    void stop(const QString& device);
    void setPolicy(const QString& device, const QString& policy, uint seconds);
    // Fills a menu with the policies, the present one checked.
    void fillPolicyMenu(QMenu& menu, const QString& device);

 signals:
    void permissionsChanged();
    // Something was refused or went wrong; `text` says what, and what to do.
    void failed(const QString& text);

 private:
    void askToAcceptLoss(const Device& device);
    // `reason`: why it was refused without force; may be empty.
    void askToForce(const Device& device, const QString& reason);
    void stopNow(const QString& device, bool force);
    void recoverNow(const QString& device, bool acceptLoss);
    void askForSeconds(const QString& device);
    void report(const QString& summary, const Outcome& outcome);

    Service& service_;
    QWidget* window_;
    const Permissions* permissions_ = nullptr;
};

}  // namespace belay::ui
