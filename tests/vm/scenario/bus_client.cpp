#include "tests/vm/scenario/bus_client.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace scenario {
namespace {

QJsonValue dataOf(const QByteArray& answer) {
    const QJsonObject object = QJsonDocument::fromJson(answer).object();
    require(object.contains("data"), "busctl says: " + QString::fromUtf8(answer));
    return object["data"];
}

}  // namespace

QStringList BusClient::command(const QStringList& words) const {
    QStringList all;
    if (user_ != "root")
        all = QStringList{"setpriv", "--reuid", user_, "--regid", user_, "--clear-groups", "--"};
    return all + QStringList{"busctl", "--system"} + words;
}

Outcome BusClient::call(const QString& path, const QString& interface, const QString& method,
                        const QStringList& arguments) const {
    return scenario::run(command(
        QStringList{"--json=short", "call", kService, path, interface, method} + arguments));
}

QJsonValue BusClient::mustCall(const QString& path, const QString& interface, const QString& method,
                               const QStringList& arguments) const {
    const Outcome outcome = call(path, interface, method, arguments);
    require(outcome.status == 0,
            QString("%1 of %2 failed: %3").arg(method, path, QString::fromUtf8(outcome.output)));
    if (outcome.output.trimmed().isEmpty())
        return {};  // it has no value
    return dataOf(outcome.output).toArray().first();
}

QJsonValue BusClient::get(const QString& path, const QString& interface,
                          const QString& property) const {
    const Outcome outcome = scenario::run(
        command({"--json=short", "get-property", kService, path, interface, property}));
    require(outcome.status == 0,
            QString("no %1 of %2: %3").arg(property, path, QString::fromUtf8(outcome.output)));
    return dataOf(outcome.output);
}

std::optional<std::vector<QJsonValue>> BusClient::find(const QString& path,
                                                       const QString& interface,
                                                       const QStringList& properties) const {
    const Outcome outcome = scenario::run(command(
        QStringList{"--json=short", "get-property", kService, path, interface} + properties));
    if (outcome.status != 0)
        return std::nullopt;
    std::vector<QJsonValue> values;
    for (const QByteArray& line : outcome.output.split('\n'))
        values.push_back(dataOf(line));
    require(values.size() == static_cast<std::size_t>(properties.size()),
            "busctl says: " + QString::fromUtf8(outcome.output));
    return values;
}

QStringList BusClient::objects(const QString& part) const {
    const Outcome tree = scenario::run(command({"tree", "--list", kService}));
    QStringList found;
    for (const QByteArray& line : tree.output.split('\n'))
        if (line.contains(part.toUtf8()))
            found += QString::fromUtf8(line.trimmed());
    return found;
}

QString BusClient::gadget() const {
    QStringList found;
    const auto open = [&] {
        found = objects("/gadgets/");
        return found.size() == 1 && get(found[0], kGadget, "Link").toString() == "open";
    };
    require(waitUntil(open, kPatience, 100ms), "no gadget: " + found.join(' '));
    return found[0];
}

QString BusClient::attach(const QString& gadget, const QString& share) const {
    const QString device = mustCall(gadget, kGadget, "Attach", {"sa{sv}", share, "0"}).toString();
    waitForState(device, "live");
    return device;
}

QString BusClient::stateOf(const QString& device) const {
    return get(device, kDevice, "State").toString();
}

void BusClient::waitForState(const QString& device, const QString& state,
                             Milliseconds limit) const {
    QString last;
    const auto there = [&] { return (last = stateOf(device)) == state; };
    require(waitUntil(there, limit, 50ms), QString("%1 is %2 and not %3").arg(device, last, state));
}

QString BusClient::run(const QString& device, const QString& method,
                       const QStringList& options) const {
    const QString job = mustCall(device, kDevice, method, options).toString();
    // All of it at once: each call is a process, and a machine in trouble starts them slowly.
    QJsonObject values;
    const auto said = [&](const char* property) {
        return values[property].toObject()["data"].toString();
    };
    const auto over = [&] {
        values = mustCall(job, "org.freedesktop.DBus.Properties", "GetAll", {"s", kJob}).toObject();
        return said("State") != "running";
    };
    require(waitUntil(over, kPatience, 50ms), method + " does not end");
    if (said("State") == "succeeded")
        return "succeeded";
    return said("Error") + ": " + said("ErrorMessage");
}

}  // namespace scenario
