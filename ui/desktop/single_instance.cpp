#include "ui/desktop/single_instance.h"

#include <QtDBus/QDBusMessage>

namespace belay::ui {
namespace {

constexpr auto kName = "org.belay.Belay";
constexpr auto kObjectPath = "/org/belay/Belay";
constexpr auto kInterface = "org.freedesktop.Application";
constexpr auto kToken = "activation-token";
constexpr int kPatienceMs = 5000;

}  // namespace

SingleInstance::SingleInstance(const QDBusConnection& session, QObject* parent)
    : QObject(parent), bus_(session) {}

SingleInstance::~SingleInstance() {
    if (!bus_.isConnected())
        return;
    bus_.unregisterService(QLatin1String(kName));
    bus_.unregisterObject(QLatin1String(kObjectPath));
}

bool SingleInstance::claim() {
    if (!bus_.isConnected())
        return true;
    // The object first: who sees the name calls it at once.
    bus_.registerObject(QLatin1String(kObjectPath), this, QDBusConnection::ExportScriptableSlots);
    return bus_.registerService(QLatin1String(kName));
}

bool SingleInstance::activateOther(const QString& token) {
    QDBusMessage message =
        QDBusMessage::createMethodCall(QLatin1String(kName), QLatin1String(kObjectPath),
                                       QLatin1String(kInterface), QStringLiteral("Activate"));
    QVariantMap platformData;
    if (!token.isEmpty())
        platformData.insert(QLatin1String(kToken), token);
    message << platformData;
    return bus_.call(message, QDBus::Block, kPatienceMs).type() == QDBusMessage::ReplyMessage;
}

void SingleInstance::Activate(const QVariantMap& platformData) {
    emit activated(platformData.value(QLatin1String(kToken)).toString());
}

// There are neither files nor actions of ours that a launcher could know.
void SingleInstance::Open(const QStringList&, const QVariantMap& platformData) {
    Activate(platformData);
}

void SingleInstance::ActivateAction(const QString&, const QVariantList&,
                                    const QVariantMap& platformData) {
    Activate(platformData);
}

}  // namespace belay::ui
