#include "helper/service/options.h"

#include <algorithm>

namespace belay::service {
namespace {

constexpr Options::Known kCommon = {"auth.no_user_interaction", QMetaType::Bool};

QString wordsFor(QMetaType::Type type) {
    switch (type) {
        case QMetaType::Bool:
            return QStringLiteral("boolean (b)");
        case QMetaType::UInt:
            return QStringLiteral("number (u)");
        default:
            return QStringLiteral("string (s)");
    }
}

}  // namespace

std::optional<Options> Options::parse(const QVariantMap& values, Call& call,
                                      std::initializer_list<Known> known) {
    for (auto value = values.begin(); value != values.end(); ++value) {
        const auto matches = [&](const Known& each) {
            return value.key() == QLatin1String(each.name);
        };
        const auto* const found = std::find_if(known.begin(), known.end(), matches);
        const Known* const option =
            found != known.end() ? found : (matches(kCommon) ? &kCommon : nullptr);
        if (option == nullptr) {
            call.fail(
                BusError::make("InvalidArgument",
                               QStringLiteral("There is no option \"%1\" here").arg(value.key())));
            return std::nullopt;
        }
        if (value->typeId() != option->type) {
            call.fail(
                BusError::make("InvalidArgument", QStringLiteral("The option \"%1\" wants a %2")
                                                      .arg(value.key(), wordsFor(option->type))));
            return std::nullopt;
        }
    }
    Options options(values);
    if (options.flag(kCommon.name))
        call.forbidInteraction();
    return options;
}

}  // namespace belay::service
