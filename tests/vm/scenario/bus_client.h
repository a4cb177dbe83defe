#pragma once

#include "tests/vm/scenario/program.h"

#include <QJsonValue>
#include <QStringList>
#include <optional>
#include <vector>

namespace scenario {

// What it is called on the bus (dbus/*.xml).
inline const QString kService = QStringLiteral("org.belay.Helper1");
inline const QString kRoot = QStringLiteral("/org/belay/Helper1");
inline const QString kManager = QStringLiteral("org.belay.Manager1");
inline const QString kGadget = QStringLiteral("org.belay.Gadget1");
inline const QString kDevice = QStringLiteral("org.belay.Device1");
inline const QString kJob = QStringLiteral("org.belay.Job1");

// belayd on the guest's bus as a user has it who has a terminal: what is done here is done by
// busctl commands that anybody could type. What is only looked at is read by a BusReader, whoever
// asks: it is everybody's, and a test looks often.
class BusClient {
 public:
    // `user`: who asks.
    explicit BusClient(QString user) : user_(std::move(user)) {}

    // The command line of a busctl command, for whoever asks.
    QStringList command(const QStringList& words) const;

    // "busctl call" of one of belayd's objects; `arguments` begin with the signature.
    Outcome call(const QString& path, const QString& interface, const QString& method,
                 const QStringList& arguments) const;
    // The same; fails unless it succeeds. The first value of the answer, if it
    // has any.
    QJsonValue mustCall(const QString& path, const QString& interface, const QString& method,
                        const QStringList& arguments) const;
    // A property; fails unless it can be read.
    QJsonValue get(const QString& path, const QString& interface, const QString& property) const;
    // Several; nothing if there is no such object.
    std::optional<std::vector<QJsonValue>> find(const QString& path, const QString& interface,
                                                const QStringList& properties) const;
    // The paths of the objects in a folder, "/gadgets/" or "/devices/", whose names contain what
    // follows it.
    QStringList objects(const QString& part) const;

    // The one gadget there is; waits until its session is open.
    QString gadget() const;
    // Makes a device of a share, and waits until it is live. Its path.
    QString attach(const QString& gadget, const QString& share) const;
    QString stateOf(const QString& device) const;
    void waitForState(const QString& device, const QString& state,
                      Milliseconds limit = kPatience) const;
    // Starts a job ("Recover" or "Stop", with options) and waits for its end: "succeeded", or the
    // error's name and words.
    QString run(const QString& device, const QString& method,
                const QStringList& options = {"a{sv}", "0"}) const;

 private:
    QString user_;
};

}  // namespace scenario
