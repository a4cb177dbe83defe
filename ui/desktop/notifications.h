#pragma once

#include "ui/desktop/notification_server.h"
#include "ui/model/clock.h"

#include <map>
#include <memory>
#include <optional>

namespace belay::ui {

struct Device;
class Service;

// Tells the user of devices that do not work, whatever window is in front: that one is unplugged,
// has failed or needs attention, and that it is back.
//
// - One notification per device, changed in place as the reason changes, and withdrawn with it.
// - A device that is back within half a second makes none, nor does one that nobody misses.
// - Closed by the user, it comes again only for another reason.
// - Nothing on it can lose data, and all that is on it can be done in the window, too.
class Notifications : public QObject {
    Q_OBJECT

 public:
    // Both must outlive this object's start(); nothing is shown before it.
    Notifications(Service& service, const QDBusConnection& session, QObject* parent = nullptr);
    // Withdraws what is shown: nobody would be there to do what it offers. Waits as
    // NotificationServer::closeUnnamed() does.
    ~Notifications() override;

    void start();

 signals:
    // The user wants to see the device. `token` as in NotificationServer::acted().
    void detailsWanted(const QString& device, const QString& token);

 private:
    enum class Shows { Nothing, Problem, Back };
    // What is shown, or was, of one device.
    struct Entry {
        Shows shows = Shows::Nothing;
        Notice notice;    // as it was sent last
        QString reason;   // what it is about: when that changes, a closed one comes again
        QString trouble;  // why Recover did not help
        bool hadFailed = false;
        uint id = 0;  // 0: not there
        // Where it stands with the server.
        bool asking = false;
        bool again = false;  // it has changed meanwhile
        uint closed = 0;     // the reason for which it was closed
        bool pressed = false;
        Timer pause;  // until a problem counts
        Timer end;    // until "back" goes
        // When it was back last, by Clock::running().
        std::optional<Clock::Milliseconds> back;
        quint64 serial = 0;
    };

    void update(const QString& device);
    void updateGadget(const QString& gadget);
    Entry& entryOf(const QString& device);
    void tellProblem(const QString& device);
    void tellBack(const QString& device, Entry& entry);
    void send(const QString& device, Entry& entry);
    void sent(const QString& device, quint64 serial, uint id);
    void withdraw(Entry& entry);
    void drop(const QString& device);
    void serverLost();
    void serverReady();
    void closed(uint id, uint reason);
    void acted(uint id, const QString& action, const QString& token);
    void recover(const QString& device);
    // The device whose notification this is; empty if there is none.
    QString deviceOf(uint id) const;

    Service& service_;
    NotificationServer server_;
    std::map<QString, std::unique_ptr<Entry>> entries_;
    quint64 serial_ = 0;
};

}  // namespace belay::ui
