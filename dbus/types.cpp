#include "dbus/types.h"

#include <QtDBus/QDBusMetaType>

namespace belay::bus {
namespace {

QString text(std::string_view from) {
    return QString::fromUtf8(from.data(), static_cast<qsizetype>(from.size()));
}

}  // namespace

QString kindOf(const events::Any& what) {
    return text(events::kindOf(what));
}

QVariantMap detailsOf(const events::Any& what) {
    QVariantMap details;
    for (const auto& [name, value] : events::detailsOf(what))
        details.insert(text(name), text(value));
    return details;
}

std::optional<events::Any> whatOf(const Event& event) {
    return events::eventFrom(event.kind.toStdString(), [&](std::string_view name) {
        return event.details.value(text(name)).toString().toStdString();
    });
}

QDBusArgument& operator<<(QDBusArgument& argument, const Share& share) {
    argument.beginStructure();
    argument << share.label << share.uuid << share.size << share.blockSize << share.readOnly
             << share.attached;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, Share& share) {
    argument.beginStructure();
    argument >> share.label >> share.uuid >> share.size >> share.blockSize >> share.readOnly >>
        share.attached;
    argument.endStructure();
    return argument;
}

QDBusArgument& operator<<(QDBusArgument& argument, const Holder& holder) {
    argument.beginStructure();
    argument << holder.kind << holder.name;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, Holder& holder) {
    argument.beginStructure();
    argument >> holder.kind >> holder.name;
    argument.endStructure();
    return argument;
}

QDBusArgument& operator<<(QDBusArgument& argument, const Request& request) {
    argument.beginStructure();
    argument << request.sequence << request.op << request.offset << request.length << request.state
             << request.ageMs;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, Request& request) {
    argument.beginStructure();
    argument >> request.sequence >> request.op >> request.offset >> request.length >>
        request.state >> request.ageMs;
    argument.endStructure();
    return argument;
}

QDBusArgument& operator<<(QDBusArgument& argument, const Event& event) {
    argument.beginStructure();
    argument << event.time << event.kind << event.subject << event.text << event.details;
    argument.endStructure();
    return argument;
}

const QDBusArgument& operator>>(const QDBusArgument& argument, Event& event) {
    argument.beginStructure();
    argument >> event.time >> event.kind >> event.subject >> event.text >> event.details;
    argument.endStructure();
    return argument;
}

void registerTypes() {
    qDBusRegisterMetaType<Share>();
    qDBusRegisterMetaType<QList<Share>>();
    qDBusRegisterMetaType<Holder>();
    qDBusRegisterMetaType<QList<Holder>>();
    qDBusRegisterMetaType<Request>();
    qDBusRegisterMetaType<QList<Request>>();
    qDBusRegisterMetaType<Event>();
    qDBusRegisterMetaType<QList<Event>>();
    qDBusRegisterMetaType<Interfaces>();
    qDBusRegisterMetaType<ManagedObjects>();
    // QtDBus looks slots up by the name that is written in them.
    qRegisterMetaType<Interfaces>("belay::bus::Interfaces");
    qRegisterMetaType<ManagedObjects>("belay::bus::ManagedObjects");
}

}  // namespace belay::bus
