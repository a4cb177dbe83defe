#pragma once

#include <QtCore/QProcess>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusMessage>
#include <QtDBus/QDBusVirtualObject>
#include <memory>

namespace belay::test {

// A client that is started, and does what it is there for only when told: in between, an agent can
// be registered for its process.
class HeldClient {
 public:
    // Waits in a shell until go().
    HeldClient(const char* user, const QStringList& command);
    ~HeldClient();

    qint64 pid() const { return process_.processId(); }
    void go();
    // Turns the event loop until it has ended; what it said on stderr and stdout.
    QString finish();
    bool ended() const { return process_.state() == QProcess::NotRunning; }
    void kill() { process_.kill(); }

 private:
    QProcess process_;
};

// polkit's authentication agent of one client process: the password dialog, without the dialog.
// Source: polkit reference manual, org.freedesktop.PolicyKit1.AuthenticationAgent.
class PolkitAgent : public QDBusVirtualObject {
 public:
    enum class Behaviour {
        Accept,   // as after the right password
        Fail,     // as after a wrong one
        Dismiss,  // as after the button "Cancel"
        Ponder,   // as if nobody were there
    };

    // Root's connection to the bus.
    PolkitAgent(QDBusConnection bus, const HeldClient& client, Behaviour behaviour);
    ~PolkitAgent() override;

    int asked() const { return asked_; }
    // The message and action of the last question.
    QString message() const { return message_; }
    QString action() const { return action_; }
    bool withdrawn() const { return withdrawn_; }
    // Answers what was pondered.
    void accept();

    QString introspect(const QString&) const override { return {}; }
    bool handleMessage(const QDBusMessage& message, const QDBusConnection& bus) override;

 private:
    QVariantList subject() const;

    QDBusConnection bus_;
    const qint64 pid_;
    const Behaviour behaviour_;
    QDBusMessage question_;
    int asked_ = 0;
    QString message_;
    QString action_;
    bool withdrawn_ = false;
};

}  // namespace belay::test
