#pragma once

#include <QtCore/QObject>
#include <QtCore/QStringList>
#include <QtCore/QVariantMap>
#include <QtDBus/QDBusConnection>

namespace belay::ui {

// One Belay per session: the first one has the name org.belay.Belay on the session bus, and those
// that are started later ask it to show its window (org.freedesktop.Application, Desktop Entry
// Specification, "D-Bus Activation").
class SingleInstance : public QObject {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.freedesktop.Application")

 public:
    explicit SingleInstance(const QDBusConnection& session, QObject* parent = nullptr);
    ~SingleInstance() override;

    // Takes the name; false if another one has it. True, too, if there is no session bus: then
    // nobody can be asked. Waits for the bus, so it is for the time before the event loop.
    bool claim();
    // Asks the other one to show its window, and waits for its answer for up to 5 s. `token`: with
    // which its window may come to the front (xdg-activation); may be empty. False if it did not
    // answer.
    bool activateOther(const QString& token);

 signals:
    // Somebody started Belay again.
    void activated(const QString& token);

 public slots:
    Q_SCRIPTABLE void Activate(const QVariantMap& platformData);
    Q_SCRIPTABLE void Open(const QStringList& uris, const QVariantMap& platformData);
    Q_SCRIPTABLE void ActivateAction(const QString& action, const QVariantList& parameter,
                                     const QVariantMap& platformData);

 private:
    QDBusConnection bus_;
};

}  // namespace belay::ui
