#include "helper/service/gadget_object.h"

#include "helper/service/authority.h"
#include "helper/service/bus_service.h"
#include "helper/service/gadget1_adaptor.h"
#include "helper/service/lent_file.h"
#include "helper/service/options.h"
#include "helper/service/views.h"
#include "helper/supervisor/fleet.h"
#include "helper/supervisor/words.h"

#include <algorithm>

namespace belay::service {
namespace {

BusError gadgetGone() {
    return BusError::make("NotFound", QStringLiteral("The gadget is gone"));
}

const helper::ShareView* find(const helper::GadgetView& gadget, const std::string& share) {
    const auto uuid = Uuid::parse(share);
    const auto found = std::find_if(gadget.shares.begin(), gadget.shares.end(),
                                    [&](const helper::ShareView& each) {
                                        return each.label == share || (uuid && each.uuid == *uuid);
                                    });
    return found == gadget.shares.end() ? nullptr : &*found;
}

events::Asked lending(const std::string& file, const helper::LendTerms& terms) {
    return {.action = std::string(events::Asked::kLend),
            .file = file,
            .readOnly = terms.readOnly ? "true" : "",
            .blockSize = terms.blockSize != 0 ? std::to_string(terms.blockSize) : ""};
}

// Answers with the device that the fleet has made.
helper::FleetInterface::DeviceDone answer(BusService& service, const Call& call) {
    return [&service, call](const Result<std::string>& device) {
        if (!device) {
            call.fail(device.error());
            return;
        }
        // Whoever reads the answer must find the object.
        service.deviceChanged(*device);
        call.reply({QVariant::fromValue(QDBusObjectPath(devicePath(*device)))});
    };
}

// The options of Lend and LendPath; fails the call, and gives nothing, if one is wrong.
std::optional<helper::LendTerms> lendTerms(const QVariantMap& values, Call& call) {
    const auto options = Options::parse(values, call,
                                        {{"label", QMetaType::QString},
                                         {"read-only", QMetaType::Bool},
                                         {"block-size", QMetaType::UInt}});
    if (!options)
        return std::nullopt;
    const uint blockSize = options->number("block-size");
    if (options->has("block-size") && !helper::isOfferedBlockSize(blockSize)) {
        call.fail(BusError::make(
            "InvalidArgument",
            QStringLiteral(
                "The block size can be %1, and not %2; without the option \"block-size\" "
                "it is chosen")
                .arg(QLatin1String(helper::kOfferedBlockSizes.data()))
                .arg(blockSize)));
        return std::nullopt;
    }
    return helper::LendTerms{options->text("label").toStdString(), options->flag("read-only"),
                             blockSize};
}

}  // namespace

GadgetObject::GadgetObject(BusService& service, const QDBusConnection& bus, const std::string& id)
    : ExportedObject(bus, gadgetPath(id), bus::kGadgetInterface), service_(service), id_(id) {
    new Gadget1Adaptor(this);
}

void GadgetObject::refresh(bool tell) {
    if (const auto view = service_.fleet()->gadget(id_))
        publish(propertiesOf(*view), tell);
}

void GadgetObject::aboutToBeRead(const QString& caller, bool all) {
    if (all)
        service_.watchedBy(caller);
}

void GadgetObject::ask(const Call& call, const char* action, const QString& thing,
                       std::function<void(uint)> act) {
    const auto view = service_.fleet()->gadget(id_);
    if (!view) {
        call.fail(gadgetGone());
        return;
    }
    const QString title = titleOf(*view);
    const QString device = thing.isEmpty() ? title : QStringLiteral("%1, %2").arg(thing, title);
    service_.authority().ask(call, action, {{QStringLiteral("device"), device}},
                             [&service = service_, id = id_, call, act = std::move(act)](uint uid) {
                                 if (service.fleet()->gadget(id))
                                     act(uid);
                                 else
                                     call.fail(gadgetGone());
                             });
}

QDBusObjectPath GadgetObject::Attach(const QString& share, const QVariantMap& values) {
    Call call = takeCall();
    if (!Options::parse(values, call))
        return {};
    const auto view = service_.fleet()->gadget(id_);
    const auto* const offered = view ? find(*view, share.toStdString()) : nullptr;
    if (offered == nullptr) {
        const bool known = view && view->sharesKnown;
        call.fail(BusError::make(
            known ? "NotFound" : "LinkDown",
            known ? QStringLiteral("The gadget shares nothing called \"%1\"").arg(share)
                  : QStringLiteral("No session with the gadget is open, so what it shares is not "
                                   "known. Try again when Link is \"open\"")));
        return {};
    }
    if (const auto device = service_.attachedDevice(id_, offered->uuid)) {
        call.reply({QVariant::fromValue(QDBusObjectPath(devicePath(*device)))});
        return {};
    }
    ask(call, "org.belay.attach", QString::fromStdString(offered->label),
        [&service = service_, id = id_, uuid = offered->uuid, label = offered->label,
         call](uint uid) {
            // Somebody else's answer may have been quicker.
            if (const auto device = service.attachedDevice(id, uuid)) {
                call.reply({QVariant::fromValue(QDBusObjectPath(devicePath(*device)))});
                return;
            }
            service.askedOfGadget(uid, id,
                                  {.action = std::string(events::Asked::kAttach), .share = label});
            service.fleet()->attach(id, uuid.toString(), answer(service, call));
        });
    return {};
}

QDBusObjectPath GadgetObject::Lend(const QDBusUnixFileDescriptor& descriptor,
                                   const QVariantMap& values) {
    Call call = takeCall();
    auto terms = lendTerms(values, call);
    if (!terms)
        return {};
    auto checked = LentFile::from(descriptor.fileDescriptor());
    if (!checked) {
        call.fail(checked.error());
        return {};
    }
    const auto file = std::make_shared<LentFile>(std::move(*checked));
    terms->readOnly = terms->readOnly || !file->writable;
    ask(call, "org.belay.lend", QString::fromStdString(file->name),
        [&service = service_, id = id_, file, terms = *terms, call](uint uid) {
            service.askedOfGadget(uid, id, lending(file->name, terms));
            service.fleet()->lend(id, std::move(file->fd), file->name, terms,
                                  answer(service, call));
        });
    return {};
}

QDBusObjectPath GadgetObject::LendPath(const QString& path, const QVariantMap& values) {
    Call call = takeCall();
    const auto terms = lendTerms(values, call);
    if (!terms)
        return {};
    if (!path.startsWith(QLatin1Char('/'))) {
        call.fail(BusError::make("InvalidArgument",
                                 QStringLiteral("The path must be absolute, and begin with /")));
        return {};
    }
    ask(call, "org.belay.lend-path", path,
        [&service = service_, id = id_, name = path.toStdString(), terms = *terms, call](uint uid) {
            service.askedOfGadget(uid, id, lending(name, terms));
            service.fleet()->lendPath(id, name, terms, answer(service, call));
        });
    return {};
}

void GadgetObject::SetAuto(bool on, const QVariantMap& values) {
    Call call = takeCall();
    if (!Options::parse(values, call))
        return;
    if (const auto view = service_.fleet()->gadget(id_); view && view->autoAttach == on) {
        call.reply();
        return;
    }
    ask(call, "org.belay.attach", {}, [&service = service_, id = id_, on, call](uint uid) {
        const auto set = service.fleet()->setAutoAttach(id, on);
        if (!set) {
            call.fail(set.error());
            return;
        }
        service.askedOfGadget(uid, id,
                              {.action = std::string(on ? events::Asked::kAutoAttachOn
                                                        : events::Asked::kAutoAttachOff)});
        call.reply();
    });
}

void GadgetObject::Forget(const QVariantMap& values) {
    Call call = takeCall();
    if (!Options::parse(values, call))
        return;
    ask(call, "org.belay.set-policy", {}, [&service = service_, id = id_, call](uint uid) {
        const auto forgotten = service.fleet()->forget(id);
        if (!forgotten) {
            call.fail(forgotten.error());
            return;
        }
        service.askedOfGadget(uid, id, {.action = std::string(events::Asked::kForget)});
        call.reply();
    });
}

}  // namespace belay::service
