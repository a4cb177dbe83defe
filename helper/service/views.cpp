#include "helper/service/views.h"

#include "helper/supervisor/event_text.h"
#include "helper/supervisor/fleet.h"

#include <chrono>

namespace belay::service {
namespace {

QString text(std::string_view from) {
    return QString::fromUtf8(from.data(), static_cast<qsizetype>(from.size()));
}

}  // namespace

QString gadgetPath(const std::string& id) {
    return QLatin1String(bus::kRootPath) + QStringLiteral("/gadgets/") + text(id);
}

QString devicePath(const std::string& id) {
    return QLatin1String(bus::kRootPath) + QStringLiteral("/devices/") + text(id);
}

QVariantMap propertiesOf(const helper::GadgetView& gadget) {
    QList<bus::Share> shares;
    for (const auto& share : gadget.shares)
        shares.append({text(share.label), text(share.uuid.toString()), share.sizeBytes,
                       share.blockSize, share.readOnly, share.attached});
    return {
        {"Name", text(gadget.name)},
        {"Manufacturer", text(gadget.manufacturer)},
        {"Serial", text(gadget.serial)},
        {"VendorId", QVariant::fromValue(ushort{gadget.vendorId})},
        {"ProductId", QVariant::fromValue(ushort{gadget.productId})},
        {"Port", text(gadget.port)},
        {"SpeedMbps", uint{gadget.speedMbps}},
        {"Present", gadget.present},
        {"Link", text(gadget.link)},
        {"Trouble", text(gadget.trouble)},
        {"Protocol", text(gadget.protocol)},
        {"Shares", QVariant::fromValue(shares)},
        {"AutoAttach", gadget.autoAttach},
    };
}

QVariantMap propertiesOf(const helper::DeviceView& device, bool withHolders) {
    const bool attached = device.direction == helper::Direction::Attach;
    QStringList problems;
    for (std::size_t i = 0; i < lifecycle::kProblems; ++i) {
        const auto problem = static_cast<lifecycle::Problem>(i);
        if (device.problems.has(problem))
            problems.append(text(nameOf(problem)));
    }
    const bool limited = device.policy.kind == lifecycle::PolicyKind::WaitLimited;
    QVariantMap properties = {
        {"Direction", attached ? QStringLiteral("attach") : QStringLiteral("lend")},
        {"Gadget", QVariant::fromValue(QDBusObjectPath(gadgetPath(device.gadget)))},
        {"ExportUuid", text(device.exportUuid.toString())},
        {"Label", text(device.label)},
        {"Size", qulonglong{device.sizeBytes}},
        {"BlockSize", uint{device.blockSize}},
        {"ReadOnly", device.readOnly},
        {"State", text(nameOf(device.state))},
        {"Since", qulonglong{device.sinceUs}},
        {"Problems", problems},
        {"Explanation", text(device.explanation)},
        {"Deadline", qulonglong{device.deadlineUs}},
        {"Node", attached ? text(device.node) : QString()},
        {"FileName", attached ? QString() : text(device.node)},
        {"UblkId", int{device.ublkId}},
        {"DaemonPid", static_cast<uint>(device.daemonPid)},
        {"Recoveries", uint{device.recoveries}},
        {"Policy", text(nameOf(device.policy.kind))},
        {"PolicySeconds",
         static_cast<uint>(
             limited ? std::chrono::duration_cast<std::chrono::seconds>(device.policy.limit).count()
                     : 0)},
    };
    if (withHolders) {
        QList<bus::Holder> holders;
        for (const auto& holder : device.holders)
            holders.append({text(holder.kind), text(holder.name)});
        properties.insert("Holders", QVariant::fromValue(holders));
    }
    return properties;
}

QVariantMap propertiesOf(const helper::DeviceCounters& counters) {
    return {
        {"InFlight", uint{counters.inFlight}},
        {"Parked", uint{counters.parked}},
        {"OldestMs", uint{counters.oldestMs}},
        {"UnsavedBytes", qulonglong{counters.unsavedBytes}},
        {"ReadBytes", qulonglong{counters.readBytes}},
        {"WrittenBytes", qulonglong{counters.writtenBytes}},
        {"ReadOps", qulonglong{counters.readOps}},
        {"WriteOps", qulonglong{counters.writeOps}},
    };
}

bus::Request requestOf(const helper::RequestView& request) {
    return {request.sequence, text(request.op),    request.offset,
            request.length,   text(request.state), request.ageMs};
}

bus::Event eventOf(const helper::FleetEvent& event) {
    QString subject = QStringLiteral("/");
    if (!event.subject.empty())
        subject = event.subjectIsDevice ? devicePath(event.subject) : gadgetPath(event.subject);
    return {event.atUs, bus::kindOf(event.what), QDBusObjectPath(subject),
            text(helper::inEnglish(event.what)), bus::detailsOf(event.what)};
}

QString titleOf(const helper::GadgetView& gadget) {
    if (!gadget.name.empty() && !gadget.serial.empty())
        return QStringLiteral("%1 (%2)").arg(text(gadget.name), text(gadget.serial));
    if (!gadget.name.empty() || !gadget.serial.empty())
        return text(gadget.name + gadget.serial);
    return QStringLiteral("port %1").arg(text(gadget.port));
}

QString titleOf(const helper::DeviceView& device) {
    if (device.label.empty() || device.node.empty())
        return text(device.label.empty() ? device.node : device.label);
    return QStringLiteral("%1 (%2)").arg(text(device.label), text(device.node));
}

}  // namespace belay::service
