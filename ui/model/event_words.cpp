#include "ui/model/event_words.h"

#include "ui/model/words.h"

#include <QtCore/QFileInfo>

namespace belay::ui {

QString EventWords::of(const events::Any& event, uint user) {
    const QString what = std::visit([](const auto& each) { return of(each); }, event);
    const auto* const asked = std::get_if<events::Asked>(&event);
    if (asked == nullptr || asked->user == std::to_string(user))
        return what;
    //: Something that was asked for, and the number of who did, e.g. "Stop, by user 1000"
    return tr("%1, by user %2").arg(what, QString::fromStdString(asked->user));
}

QString EventWords::of(const events::StateChanged& event) {
    return Words::stateName(QString::fromStdString(event.to));
}

QString EventWords::of(const events::ProblemFound& event) {
    if (event.problem == events::ProblemFound::kCannotLend)
        //: %1 is the name of a file
        return tr("“%1” cannot be lent")
            .arg(QFileInfo(QString::fromStdString(event.file)).fileName());
    return Words::problemName(QString::fromStdString(event.problem));
}

QString EventWords::of(const events::TakenOver&) {
    return tr("A new service has taken over");
}

QString EventWords::of(const events::GadgetSeen& event) {
    if (event.change == events::GadgetSeen::kPluggedIn)
        //: %1 is a USB port, such as 1-2
        return tr("Plugged in at port %1").arg(QString::fromStdString(event.port));
    if (event.change == events::GadgetSeen::kUnplugged)
        return tr("Unplugged");
    return QString::fromStdString(event.change);
}

QString EventWords::of(const events::Asked& event) {
    using events::Asked;
    const auto is = [&](std::string_view action) { return event.action == action; };
    const QString file = QFileInfo(QString::fromStdString(event.file)).fileName();
    if (is(Asked::kAttach))
        //: %1 is the label of a disk that the gadget shares
        return tr("Attach “%1”").arg(QString::fromStdString(event.share));
    if (is(Asked::kLend))
        //: %1 is the name of a file
        return (event.readOnly.empty() ? tr("Lend “%1”") : tr("Lend “%1”, read-only")).arg(file);
    if (is(Asked::kAutoAttachOn))
        return tr("Attach everything automatically");
    if (is(Asked::kAutoAttachOff))
        return tr("Attach nothing automatically");
    if (is(Asked::kForget))
        return tr("Forget");
    if (is(Asked::kRecover))
        return tr("Recover");
    if (is(Asked::kAcceptLoss))
        return tr("Go on without the lost data");
    if (is(Asked::kStop))
        return tr("Stop");
    if (is(Asked::kForceStop))
        return tr("Force stop");
    if (is(Asked::kSetPolicy))
        //: %1 is what is to happen while the gadget is unplugged, such as "Keep waiting"
        return tr("If unplugged: %1")
            .arg(Words::policy(QString::fromStdString(event.policy),
                               QString::fromStdString(event.seconds).toUInt()));
    if (is(Asked::kRescan))
        return tr("Read the partition table again");
    return QString::fromStdString(event.action);
}

QString EventWords::of(const events::WorkerEnded&) {
    return tr("The service for this gadget has ended");
}

}  // namespace belay::ui
