#include "helper/service/call.h"

namespace belay::service {

struct Call::State {
    QDBusConnection bus;
    QDBusMessage message;
    bool interactive;
    bool answered = false;

    State(const QDBusConnection& b, const QDBusMessage& m)
        : bus(b), message(m), interactive(m.isInteractiveAuthorizationAllowed()) {}
    ~State() {
        send([this] {
            return message.createErrorReply(QStringLiteral("org.belay.Error.Failed"),
                                            QStringLiteral("belayd gave this call up"));
        });
    }
    template <class Make>
    void send(Make make) {
        if (std::exchange(answered, true) || !message.isReplyRequired())
            return;
        bus.send(make());
    }
};

Call::Call(const QDBusConnection& bus, const QDBusMessage& message)
    : state_(std::make_shared<State>(bus, message)) {
    message.setDelayedReply(true);
}

QString Call::caller() const {
    return state_->message.service();
}

bool Call::interactive() const {
    return state_->interactive;
}

void Call::forbidInteraction() {
    state_->interactive = false;
}

void Call::reply(const QVariantList& values) const {
    state_->send([&] { return state_->message.createReply(values); });
}

void Call::fail(const BusError& error) const {
    state_->send([&] { return state_->message.createErrorReply(error.name, error.text); });
}

}  // namespace belay::service
