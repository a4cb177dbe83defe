#pragma once

#include <QtCore/QObject>
#include <QtCore/QString>

class QMenu;
class QWidget;

namespace belay::ui {

class LendDialog;
struct Outcome;
class Service;

// What a user can do with a gadget. As DeviceActions: nothing blocks.
class GadgetActions : public QObject {
    Q_OBJECT

 public:
    GadgetActions(Service& service, QWidget* window);

    // Whether a session with it is open, so that something can be attached or lent.
    bool connected(const QString& gadget) const;
    bool canForget(const QString& gadget) const;

    // Fills a menu with what the gadget shares, and with "Attach automatically".
    void fillAttachMenu(QMenu& menu, const QString& gadget);
    void attach(const QString& gadget, const QString& share);
    // Asks which file, unless `file` says it already.
    void lend(const QString& gadget, const QString& file = {});
    void forget(const QString& gadget);

 signals:
    void failed(const QString& text);
    // A device was made at the user's wish.
    void made(const QString& device);

 private:
    void lendFile(const QString& gadget, const LendDialog& dialog);
    void finished(const QString& summary, const Outcome& outcome);

    Service& service_;
    QWidget* window_;
};

}  // namespace belay::ui
