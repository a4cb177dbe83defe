#include "ui/window/gadget_actions.h"

#include "core/base/fd.h"
#include "ui/model/format.h"
#include "ui/model/service.h"
#include "ui/model/words.h"
#include "ui/window/lend_dialog.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <QtCore/QDir>
#include <QtCore/QFile>
#include <QtWidgets/QMenu>
#include <cerrno>
#include <cstring>

namespace belay::ui {
namespace {

// A menu of more would not fit on a screen.
constexpr int kMostShares = 50;

QString textOf(const bus::Share& share) {
    QStringList parts{sizeText(share.size)};
    if (share.readOnly)
        parts += GadgetActions::tr("read-only");
    if (share.attached)
        parts += GadgetActions::tr("attached");
    //: A share: %1 is its name, %2 its size and what else there is to say
    return GadgetActions::tr("%1 (%2)").arg(
        QString(share.label).replace(QLatin1Char('&'), QLatin1String("&&")),
        parts.join(QStringLiteral(", ")));
}

}  // namespace

GadgetActions::GadgetActions(Service& service, QWidget* window)
    : QObject(window), service_(service), window_(window) {}

bool GadgetActions::connected(const QString& path) const {
    const Gadget* const gadget = service_.gadget(path);
    return gadget != nullptr && gadget->present && gadget->link == QLatin1String("open") &&
           service_.standing() == Service::Standing::Running;
}

bool GadgetActions::canForget(const QString& path) const {
    const Gadget* const gadget = service_.gadget(path);
    return gadget != nullptr && !gadget->present &&
           service_.standing() == Service::Standing::Running;
}

void GadgetActions::finished(const QString& summary, const Outcome& outcome) {
    if (outcome.ok) {
        if (!outcome.object.isEmpty())
            emit made(outcome.object);
        return;
    }
    if (outcome.dismissed())
        return;
    const QString words = Words::error(outcome.error);
    emit failed(summary + QLatin1Char(' ') + (words.isEmpty() ? outcome.message : words));
}

void GadgetActions::fillAttachMenu(QMenu& menu, const QString& path) {
    menu.clear();
    const Gadget* const gadget = service_.gadget(path);
    if (gadget == nullptr)
        return;
    // Without a session it does not tell what it shares.
    if (gadget->shares.isEmpty())
        menu.addAction(connected(path) ? tr("This gadget shares nothing") : Words::link(*gadget))
            ->setEnabled(false);
    int listed = 0;
    for (const bus::Share& share : gadget->shares) {
        if (++listed > kMostShares)
            break;
        QAction* const action = menu.addAction(textOf(share));
        action->setEnabled(!share.attached && connected(path));
        connect(action, &QAction::triggered, this,
                [this, path, uuid = share.uuid] { attach(path, uuid); });
    }
    menu.addSeparator();
    QAction* const automatic = menu.addAction(tr("Attach everything automatically"));
    automatic->setCheckable(true);
    automatic->setChecked(gadget->autoAttach);
    connect(automatic, &QAction::triggered, this, [this, path](bool on) {
        service_.setAutoAttach(path, on, this, [this](const Outcome& outcome) {
            finished(tr("This was not changed."), outcome);
        });
    });
}

void GadgetActions::attach(const QString& path, const QString& share) {
    service_.attach(path, share, this, [this](const Outcome& outcome) {
        finished(tr("It could not be attached."), outcome);
    });
}

void GadgetActions::lend(const QString& path, const QString& file) {
    const Gadget* const gadget = service_.gadget(path);
    if (gadget == nullptr)
        return;
    auto* const dialog = new LendDialog(gadget->title(), window_);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, path, dialog] { lendFile(path, *dialog); });
    dialog->open();
    if (file.isEmpty())
        dialog->browse();
    else
        dialog->setFile(file);
}

void GadgetActions::lendFile(const QString& path, const LendDialog& dialog) {
    const QString file = dialog.file();
    const bool readOnly = dialog.readOnly();
    // What is lent is what the user can open: belayd gets the descriptor, not the name. A pipe
    // must not hold us up.
    const Fd opened(::open(QFile::encodeName(file).constData(),
                           (readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK));
    if (!opened) {
        const int error = errno;
        const QString hint = !readOnly && (error == EACCES || error == EROFS)
                                 ? tr("Tick “Read-only” to lend it without writing to it.")
                                 : QString();
        emit failed(tr("“%1” cannot be opened: %2. %3")
                        .arg(QDir::toNativeSeparators(file),
                             QString::fromLocal8Bit(std::strerror(error)), hint)
                        .trimmed());
        return;
    }
    struct stat status {};
    if (::fstat(opened.get(), &status) < 0 ||
        !(S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))) {
        emit failed(tr("“%1” is neither a file nor a block device. Choose a disk image.")
                        .arg(QDir::toNativeSeparators(file)));
        return;
    }
    service_.lend(
        path, opened.get(), dialog.label(), readOnly, dialog.blockSize(), this,
        [this](const Outcome& outcome) { finished(tr("It could not be lent."), outcome); });
}

void GadgetActions::forget(const QString& path) {
    service_.forget(path, this, [this](const Outcome& outcome) {
        finished(tr("The gadget was not forgotten."), outcome);
    });
}

}  // namespace belay::ui
