#include "tests/vm/scenario/bus_client.h"

#include "tests/vm/scenario/bus_reader.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace scenario {
namespace {

const BusReader kReader;
// Between two looks.
constexpr Milliseconds kPause = 20ms;

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
    const auto [value, error] = kReader.property(path, interface, property);
    require(error.isEmpty(), QString("no %1 of %2: %3").arg(property, path, error));
    return value;
}

std::optional<std::vector<QJsonValue>> BusClient::find(const QString& path,
                                                       const QString& interface,
                                                       const QStringList& properties) const {
    std::vector<QJsonValue> values;
    for (const QString& property : properties) {
        const auto [value, error] = kReader.property(path, interface, property);
        if (!error.isEmpty())
            return std::nullopt;
        values.push_back(value);
    }
    return values;
}

QStringList BusClient::objects(const QString& part) const {
    return kReader.children(kRoot + '/' + part.section('/', 1, 1)).filter(part);
}

QString BusClient::gadget() const {
    QStringList found;
    const auto open = [&] {
        found = objects("/gadgets/");
        return found.size() == 1 && get(found[0], kGadget, "Link").toString() == "open";
    };
    require(waitUntil(open, kPatience, kPause), "no gadget: " + found.join(' '));
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
    require(waitUntil(there, limit, kPause),
            QString("%1 is %2 and not %3").arg(device, last, state));
}

QString BusClient::run(const QString& device, const QString& method,
                       const QStringList& options) const {
    const QString job = mustCall(device, kDevice, method, options).toString();
    const auto said = [&](const char* property) { return get(job, kJob, property).toString(); };
    require(waitUntil([&] { return said("State") != "running"; }, kPatience, kPause),
            method + " does not end");
    if (said("State") == "succeeded")
        return "succeeded";
    return said("Error") + ": " + said("ErrorMessage");
}

}  // namespace scenario
