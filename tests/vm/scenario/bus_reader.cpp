#include "tests/vm/scenario/bus_reader.h"

#include "tests/vm/scenario/bus_client.h"

#include <QDBusArgument>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusObjectPath>
#include <QDBusVariant>
#include <QJsonArray>
#include <QXmlStreamReader>

namespace scenario {
namespace {

// Asked again each time: the bus may come after this program.
QDBusConnection connection() {
    const auto name = QStringLiteral("reader");
    if (const QDBusConnection open(name); open.isConnected())
        return open;
    QDBusConnection::disconnectFromBus(name);
    return QDBusConnection::connectToBus(QDBusConnection::SystemBus, name);
}

QDBusMessage ask(const QString& path, const QString& interface, const QString& method,
                 const QVariantList& arguments) {
    auto message = QDBusMessage::createMethodCall(kService, path, interface, method);
    message.setArguments(arguments);
    return connection().call(message);
}

QJsonValue jsonOf(const QVariant& value) {
    if (value.metaType() == QMetaType::fromType<QDBusVariant>())
        return jsonOf(value.value<QDBusVariant>().variant());
    if (value.metaType() == QMetaType::fromType<QDBusObjectPath>())
        return value.value<QDBusObjectPath>().path();
    if (value.metaType() == QMetaType::fromType<ushort>())
        return value.toInt();  // of which QJsonValue makes text
    if (value.metaType() != QMetaType::fromType<QDBusArgument>())
        return QJsonValue::fromVariant(value);

    const auto argument = value.value<QDBusArgument>();
    const bool isArray = argument.currentType() == QDBusArgument::ArrayType;
    require(isArray || argument.currentType() == QDBusArgument::StructureType,
            "cannot read " + argument.currentSignature());
    QJsonArray all;
    isArray ? argument.beginArray() : argument.beginStructure();
    while (!argument.atEnd())
        all.append(jsonOf(argument.asVariant()));
    return all;
}

}  // namespace

BusReader::Reading BusReader::property(const QString& path, const QString& interface,
                                       const QString& name) const {
    const QDBusMessage answer =
        ask(path, "org.freedesktop.DBus.Properties", "Get", {interface, name});
    if (answer.type() != QDBusMessage::ReplyMessage)
        return {{}, answer.errorName() + ": " + answer.errorMessage()};
    return {jsonOf(answer.arguments().value(0)), {}};
}

QStringList BusReader::children(const QString& path) const {
    const QDBusMessage answer = ask(path, "org.freedesktop.DBus.Introspectable", "Introspect", {});
    QStringList found;
    if (answer.type() != QDBusMessage::ReplyMessage)
        return found;
    QXmlStreamReader xml(answer.arguments().value(0).toString());
    xml.readNextStartElement();  // the path's own
    while (xml.readNextStartElement()) {
        if (xml.name() == u"node")
            found += path + '/' + xml.attributes().value("name").toString();
        xml.skipCurrentElement();
    }
    require(!xml.hasError(), path + " describes itself in no XML: " + xml.errorString());
    return found;
}

}  // namespace scenario
