#include "ui/model/records.h"

#include <QtCore/QCoreApplication>
#include <QtDBus/QDBusArgument>

namespace belay::ui {
namespace {

// A property's value as T, whether it came as T or still packed in a message.
template <class T>
T valueOf(const QVariant& value) {
    return qdbus_cast<T>(value);
}

// Takes the property if it is among the changed ones.
template <class T>
void take(const QVariantMap& properties, const char* name, T& field) {
    const auto found = properties.constFind(QLatin1String(name));
    if (found != properties.constEnd())
        field = valueOf<T>(*found);
}

void takePath(const QVariantMap& properties, const char* name, QString& field) {
    const auto found = properties.constFind(QLatin1String(name));
    if (found != properties.constEnd())
        field = valueOf<QDBusObjectPath>(*found).path();
}

void takeTime(const QVariantMap& properties, const char* name, QDateTime& field) {
    const auto found = properties.constFind(QLatin1String(name));
    if (found != properties.constEnd())
        field = timeOf(valueOf<qulonglong>(*found));
}

}  // namespace

QDateTime timeOf(qulonglong microseconds) {
    return microseconds == 0 ? QDateTime()
                             : QDateTime::fromMSecsSinceEpoch(qint64(microseconds / 1000));
}

void Manager::update(const QVariantMap& properties) {
    take(properties, "Version", version);
    take(properties, "KernelRelease", kernelRelease);
    take(properties, "Ready", ready);
    take(properties, "Problems", problems);
    take(properties, "Explanation", explanation);
}

void Gadget::update(const QVariantMap& properties) {
    take(properties, "Name", name);
    take(properties, "Manufacturer", manufacturer);
    take(properties, "Serial", serial);
    take(properties, "VendorId", vendorId);
    take(properties, "ProductId", productId);
    take(properties, "Port", port);
    take(properties, "SpeedMbps", speedMbps);
    take(properties, "Present", present);
    take(properties, "Link", link);
    take(properties, "Trouble", trouble);
    take(properties, "Protocol", protocol);
    take(properties, "Shares", shares);
    take(properties, "AutoAttach", autoAttach);
}

QString Gadget::title() const {
    for (const QString& candidate : {name, serial})
        if (!candidate.isEmpty())
            return candidate;
    //: A gadget that gives neither a name nor a serial number; %1 is a USB port such as 1-2.3
    return QCoreApplication::translate("Gadget", "Gadget at port %1").arg(port);
}

void Device::update(const QVariantMap& properties) {
    take(properties, "Direction", direction);
    takePath(properties, "Gadget", gadget);
    take(properties, "ExportUuid", exportUuid);
    take(properties, "Label", label);
    take(properties, "Size", size);
    take(properties, "BlockSize", blockSize);
    take(properties, "ReadOnly", readOnly);
    take(properties, "State", state);
    takeTime(properties, "Since", since);
    take(properties, "Problems", problems);
    take(properties, "Explanation", explanation);
    takeTime(properties, "Deadline", deadline);
    take(properties, "Node", node);
    take(properties, "FileName", fileName);
    take(properties, "DaemonPid", daemonPid);
    take(properties, "Recoveries", recoveries);
    take(properties, "InFlight", inFlight);
    take(properties, "Parked", parked);
    take(properties, "OldestMs", oldestMs);
    take(properties, "UnsavedBytes", unsavedBytes);
    take(properties, "ReadBytes", readBytes);
    take(properties, "WrittenBytes", writtenBytes);
    take(properties, "ReadOps", readOps);
    take(properties, "WriteOps", writeOps);
    take(properties, "Policy", policy);
    take(properties, "PolicySeconds", policySeconds);
    take(properties, "Holders", holders);
}

QString Device::title() const {
    for (const QString& candidate : {label, node, fileName})
        if (!candidate.isEmpty())
            return candidate;
    return exportUuid;
}

bool Device::needsUser() const {
    return state == QLatin1String("failed") || state == QLatin1String("needs-attention");
}

void Job::update(const QVariantMap& properties) {
    take(properties, "Operation", operation);
    QList<QDBusObjectPath> paths;
    take(properties, "Objects", paths);
    if (!paths.isEmpty()) {
        objects.clear();
        for (const QDBusObjectPath& subject : std::as_const(paths))
            objects += subject.path();
    }
    take(properties, "State", state);
    take(properties, "Error", error);
    take(properties, "ErrorMessage", errorMessage);
}

}  // namespace belay::ui
