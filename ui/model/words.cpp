#include "ui/model/words.h"

#include "ui/model/clock.h"
#include "ui/model/format.h"

#include <QtCore/QLocale>

namespace belay::ui {
namespace {

constexpr qint64 kMsInSecond = 1000;

bool has(const Device& device, const char* problem) {
    return device.problems.contains(QLatin1String(problem));
}

}  // namespace

QString StateWords::line() const {
    //: A state and what is behind it, e.g. "Ready · safe to unplug"
    return detail.isEmpty() ? text
                            : QCoreApplication::translate("Words", "%1 · %2").arg(text, detail);
}

StateWords Words::live(const Device& device) {
    if (device.unsavedBytes > 0)
        return {tr("Ready, saving"),
                //: %1 is a size such as 3.2 MB
                tr("%1, do not unplug").arg(sizeText(device.unsavedBytes)), "belay-state-saving",
                Tone::Busy};
    // Who has a lent disk open is known at the other end only.
    const bool safe = !device.lent() && device.holders.isEmpty();
    return {tr("Ready"), safe ? tr("safe to unplug") : QString(), "belay-state-ready", Tone::Good};
}

StateWords Words::waiting(const Device& device, const QDateTime& now) {
    QStringList parts;
    if (device.since.isValid())
        //: %1 is a duration such as 0:42
        parts += tr("for %1").arg(durationText(device.since.msecsTo(now)));
    if (device.inFlight > 0)
        parts += tr("%n request(s) held", nullptr, int(device.inFlight));
    if (device.deadline.isValid())
        //: %1 is a duration such as 0:42
        parts += tr("gives up in %1").arg(durationText(now.msecsTo(device.deadline)));
    return {tr("Unplugged, waiting"), parts.join(QStringLiteral(", ")), "belay-state-waiting",
            Tone::Held};
}

StateWords Words::needsAttention(const Device& device) {
    StateWords words{tr("Needs attention"), {}, "belay-state-attention", Tone::Problem};
    if (has(device, "different-disk")) {
        words.text = problemName(QStringLiteral("different-disk"));
        words.detail = tr("Nothing was sent to it. Plug in the right one, or stop the device.");
    } else if (has(device, "data-may-be-missing")) {
        words.text = problemName(QStringLiteral("data-may-be-missing"));
        words.detail = tr("The other end lost what it had not saved. Check the disk.");
    } else if (has(device, "incompatible")) {
        words.text = problemName(QStringLiteral("incompatible"));
        words.detail = tr("Update Belay at the other end.");
    } else if (has(device, "daemon-keeps-dying") || has(device, "kernel-refused")) {
        words.text = problemName(QStringLiteral("kernel-refused"));
        words.detail = tr("Press Recover to try again, or stop the device.");
    } else {
        words.detail = device.explanation;
    }
    return words;
}

StateWords Words::of(const Device& device, const QDateTime& now) {
    const QString& state = device.state;
    if (state == QLatin1String("live"))
        return live(device);
    if (state == QLatin1String("waiting"))
        return waiting(device, now);
    if (state == QLatin1String("needs-attention"))
        return needsAttention(device);
    if (state == QLatin1String("starting"))
        return {stateName(state), {}, "belay-state-starting", Tone::Busy};
    if (state == QLatin1String("resuming"))
        return {stateName(state),
                device.inFlight > 0 ? tr("%n request(s) to go", nullptr, int(device.inFlight))
                                    : QString(),
                "belay-state-resuming", Tone::Busy};
    if (state == QLatin1String("crashed") || state == QLatin1String("recovering"))
        return {stateName(state), tr("nothing is lost"), "belay-state-restarting", Tone::Busy};
    if (state == QLatin1String("failed"))
        return {stateName(state),
                tr("Programs got errors. Press Recover once it is plugged in again."),
                "belay-state-failed", Tone::Problem};
    if (state == QLatin1String("stopping"))
        return {stateName(state), {}, "belay-state-stopping", Tone::Busy};
    return {stateName(state), device.explanation, "belay-state-attention", Tone::Neutral};
}

QString Words::stateName(const QString& state) {
    if (state == QLatin1String("starting"))
        return tr("Connecting…");
    if (state == QLatin1String("live"))
        return tr("Ready");
    if (state == QLatin1String("waiting"))
        return tr("Unplugged, waiting");
    if (state == QLatin1String("resuming"))
        return tr("Catching up…");
    if (state == QLatin1String("crashed") || state == QLatin1String("recovering"))
        return tr("Restarting service…");
    if (state == QLatin1String("failed"))
        return tr("Stopped waiting");
    if (state == QLatin1String("needs-attention"))
        return tr("Needs attention");
    if (state == QLatin1String("stopping"))
        return tr("Disconnecting…");
    if (state == QLatin1String("gone"))
        return tr("Disconnected");
    return state;
}

QString Words::problemName(const QString& problem) {
    if (problem == QLatin1String("different-disk"))
        return tr("Different disk");
    if (problem == QLatin1String("data-may-be-missing"))
        return tr("Data may be missing");
    if (problem == QLatin1String("incompatible"))
        return tr("Peer too old");
    if (problem == QLatin1String("daemon-keeps-dying") ||
        problem == QLatin1String("kernel-refused"))
        return tr("Cannot restart");
    return problem;
}

NoticeWords Words::waitingNotice(const Device& device, const Gadget* gadget) {
    NoticeWords words;
    QString advice;
    if (gadget == nullptr || !gadget->present) {
        words.summary = tr("“%1” was unplugged");
        advice = tr("Plug it back in. Programs that use it wait until then.");
    } else if (gadget->link == QLatin1String("connecting")) {
        words.summary = tr("“%1” has lost its connection");
        advice = tr("Programs that use it wait until it is back.");
    } else {
        words.summary = tr("“%1” does not answer");
        advice = tr("Choose Recover, or unplug it and plug it in again.");
    }
    words.summary = words.summary.arg(device.title());
    QStringList body;
    if (device.unsavedBytes > 0)
        //: %1 is a size such as 3.2 MB
        body += tr("%1 are not saved yet: keep the gadget switched on.")
                    .arg(sizeText(device.unsavedBytes));
    body += advice;
    if (device.deadline.isValid())
        //: %1 is a time such as 14:05
        body += tr("They get errors if it is not back by %1.").arg(timeText(device.deadline));
    words.body = body.join(QLatin1Char(' '));
    return words;
}

NoticeWords Words::notice(const Device& device, const Gadget* gadget) {
    if (device.state == QLatin1String("waiting"))
        return waitingNotice(device, gadget);
    const StateWords words = of(device, Clock::current().now());
    QStringList body;
    if (device.unsavedBytes > 0)
        body += tr("%1 are not saved yet.").arg(sizeText(device.unsavedBytes));
    if (!words.detail.isEmpty())
        body += words.detail;
    //: A device and what is the matter with it, e.g. "“disk”: Stopped waiting"
    return {tr("“%1”: %2").arg(device.title(), words.text), body.join(QLatin1Char(' '))};
}

NoticeWords Words::back(const Device& device, bool hadFailed) {
    return {tr("“%1” is back").arg(device.title()),
            hadFailed ? tr("Programs that got errors may have to be started again.")
                      : tr("Programs that waited for it go on.")};
}

QString Words::link(const Gadget& gadget) {
    if (!gadget.present || gadget.link == QLatin1String("absent"))
        return tr("Not plugged in");
    if (gadget.link == QLatin1String("connecting"))
        return tr("Connecting…");
    if (gadget.link == QLatin1String("open"))
        return tr("Connected");
    if (gadget.link == QLatin1String("refused"))
        return tr("Not compatible");
    if (gadget.link == QLatin1String("trouble"))
        return tr("Trouble");
    return gadget.link;
}

Tone Words::linkTone(const Gadget& gadget) {
    if (!gadget.present)
        return Tone::Neutral;
    if (gadget.link == QLatin1String("open"))
        return Tone::Good;
    if (gadget.link == QLatin1String("connecting"))
        return Tone::Busy;
    return Tone::Problem;
}

QString Words::speed(uint mbps) {
    const QLocale locale;
    if (mbps == 0)
        return {};
    return mbps < 1000
               //: %1 is a number of megabits per second
               ? tr("%1 Mbit/s").arg(locale.toString(mbps))
               //: %1 is a number of gigabits per second
               : tr("%1 Gbit/s").arg(locale.toString(double(mbps) / 1000, 'g', 3));
}

QString Words::policy(const QString& policy, uint seconds) {
    if (policy == QLatin1String("wait"))
        return tr("Keep waiting");
    if (policy == QLatin1String("wait-limited"))
        //: %1 is a duration such as 5:00
        return tr("Wait up to %1").arg(durationText(qint64(seconds) * kMsInSecond));
    if (policy == QLatin1String("fail-fast"))
        return tr("Fail after 5 seconds");
    return policy;
}

QString Words::direction(const Device& device) {
    return device.lent() ? tr("Lent to the gadget") : tr("From the gadget");
}

QString Words::holder(const bus::Holder& holder) {
    if (holder.kind == QLatin1String("mount"))
        //: %1 is a mount point
        return tr("Mounted at %1").arg(holder.name);
    if (holder.kind == QLatin1String("process"))
        //: %1 is a process, e.g. "1234 (dd)"
        return tr("Used by %1").arg(holder.name);
    if (holder.kind == QLatin1String("swap"))
        return tr("Used as swap space");
    //: %1 is another block device
    return tr("Part of %1").arg(holder.name);
}

QString Words::operation(const QString& op) {
    if (op == QLatin1String("read"))
        return tr("Read");
    if (op == QLatin1String("write"))
        return tr("Write");
    if (op == QLatin1String("flush"))
        return tr("Save");
    if (op == QLatin1String("discard"))
        return tr("Discard");
    if (op == QLatin1String("write-zeroes"))
        return tr("Write zeroes");
    return op;
}

QString Words::requestState(const QString& state) {
    if (state == QLatin1String("sent"))
        return tr("Sent");
    if (state == QLatin1String("parked"))
        return tr("Held");
    if (state == QLatin1String("replayed"))
        return tr("Held, will be sent again");
    if (state == QLatin1String("answered"))
        return tr("Answered");
    return state;
}

QString Words::error(const QString& name) {
    if (name == QLatin1String("NotAuthorized"))
        return tr("The administrator does not allow this.");
    if (name == QLatin1String("NotAuthorizedCanObtain"))
        return tr(
            "A password is needed, and no program is running that could ask for it. Start "
            "your desktop's authentication agent, or use the command line as root.");
    if (name == QLatin1String("LinkDown"))
        return tr("The gadget is not there. Plug it in and try again.");
    if (name == QLatin1String("TimedOut"))
        return tr("What is not saved yet cannot be saved now. Plug the gadget in and try again.");
    if (name == QLatin1String("WrongPeer"))
        return tr("This is not the disk that went away. Plug in the right one.");
    if (name == QLatin1String("NotFound"))
        return tr("It is gone meanwhile.");
    return {};
}

}  // namespace belay::ui
