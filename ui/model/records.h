#pragma once

#include "dbus/types.h"

#include <QtCore/QDateTime>
#include <QtCore/QString>
#include <QtCore/QStringList>
#include <QtCore/QVariantMap>

// What belayd says of its objects, as values. The fields are the properties of the same names in
// dbus/org.belay.*.xml, which says what they mean; strings that stand for one of several values
// are kept as they come, since later versions may know more of them.
namespace belay::ui {

struct Manager {
    QString version;
    QString kernelRelease;
    bool ready = false;
    QStringList problems;
    QString explanation;

    void update(const QVariantMap& properties);
};

struct Gadget {
    QString path;
    QString name;
    QString manufacturer;
    QString serial;
    uint vendorId = 0;
    uint productId = 0;
    QString port;
    uint speedMbps = 0;
    bool present = false;
    QString link;
    QString trouble;
    QString protocol;
    QList<bus::Share> shares;
    bool autoAttach = false;

    void update(const QVariantMap& properties);
    // Its name, or if it has none what stands in for one.
    QString title() const;
};

struct Device {
    QString path;
    QString direction;
    QString gadget;
    QString exportUuid;
    QString label;
    qulonglong size = 0;
    uint blockSize = 0;
    bool readOnly = false;
    QString state;
    QDateTime since;
    QStringList problems;
    QString explanation;
    QDateTime deadline;  // invalid: never
    QString node;
    QString fileName;
    uint daemonPid = 0;
    uint recoveries = 0;
    uint inFlight = 0;
    uint parked = 0;
    uint oldestMs = 0;
    qulonglong unsavedBytes = 0;
    qulonglong readBytes = 0;
    qulonglong writtenBytes = 0;
    qulonglong readOps = 0;
    qulonglong writeOps = 0;
    QString policy;
    uint policySeconds = 0;
    QList<bus::Holder> holders;

    void update(const QVariantMap& properties);
    QString title() const;
    bool lent() const { return direction == QLatin1String("lend"); }
    // Nothing more is to be expected of it without the user.
    bool needsUser() const;
};

struct Job {
    QString path;
    QString operation;
    QStringList objects;
    QString state;
    QString error;
    QString errorMessage;

    void update(const QVariantMap& properties);
    bool over() const { return !state.isEmpty() && state != QLatin1String("running"); }
};

// Microseconds since 1970, as the bus has times; 0 is no time at all.
QDateTime timeOf(qulonglong microseconds);

}  // namespace belay::ui
