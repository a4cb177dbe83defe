#pragma once

#include <QtCore/QList>
#include <QtCore/QObject>
#include <QtCore/QStringList>
#include <QtCore/QVariantMap>
#include <QtDBus/QDBusConnection>
#include <QtDBus/QDBusContext>
#include <QtDBus/QDBusMessage>

namespace belay::test {

// A notification server on the test's session bus: it writes down what it is told, and does what
// a user would.
class FakeNotifications : public QObject, protected QDBusContext {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.freedesktop.Notifications")

 public:
    struct Shown {
        uint id = 0;
        uint replaces = 0;
        QString icon;
        QString summary;
        QString body;
        QStringList actions;  // keys and labels by turns
        QVariantMap hints;
        int milliseconds = 0;

        bool offers(const QString& action) const;
        int urgency() const { return hints.value(QStringLiteral("urgency")).toInt(); }
    };

    explicit FakeNotifications(const QStringList& capabilities);
    ~FakeNotifications() override;

    bool appear();
    // As if it was killed: what it showed is forgotten.
    void vanish();

    // All that it was told, the oldest first, and what is on the screen now.
    QList<Shown> history;
    QList<Shown> visible() const { return visible_.values(); }
    int withdrawn = 0;  // how many were closed by the program

    // Shows the next one, but does not answer until answer() is called: from any thread.
    void holdAnswer() { hold_ = true; }
    void answer();

    void press(uint id, const QString& action, const QString& token = {});
    void dismiss(uint id);

 public slots:
    Q_SCRIPTABLE QStringList GetCapabilities() { return capabilities_; }
    Q_SCRIPTABLE uint Notify(const QString& program, uint replaces, const QString& icon,
                             const QString& summary, const QString& body,
                             const QStringList& actions, const QVariantMap& hints,
                             int milliseconds);
    Q_SCRIPTABLE void CloseNotification(uint id);

 signals:
    Q_SCRIPTABLE void NotificationClosed(uint id, uint reason);
    Q_SCRIPTABLE void ActionInvoked(uint id, const QString& action);
    Q_SCRIPTABLE void ActivationToken(uint id, const QString& token);

 private:
    QStringList capabilities_;
    QDBusConnection bus_{QString()};
    QMap<uint, Shown> visible_;
    uint last_ = 0;
    bool hold_ = false;
    QDBusMessage held_;
};

}  // namespace belay::test
