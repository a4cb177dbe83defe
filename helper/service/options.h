#pragma once

#include "helper/service/call.h"

#include <QtCore/QMetaType>
#include <QtCore/QVariantMap>
#include <initializer_list>
#include <optional>

namespace belay::service {

// A method's a{sv} options, checked: all known, all of their type.
class Options {
 public:
    struct Known {
        const char* name;
        QMetaType::Type type;  // Bool or QString
    };

    // Fails the call, and gives nothing, if an option is unknown or of another type. Takes account
    // of auth.no_user_interaction, which every method has.
    static std::optional<Options> parse(const QVariantMap& values, Call& call,
                                        std::initializer_list<Known> known = {});

    // False or empty if it was not given.
    bool flag(const char* name) const { return values_.value(QLatin1String(name)).toBool(); }
    QString text(const char* name) const { return values_.value(QLatin1String(name)).toString(); }

 private:
    explicit Options(QVariantMap values) : values_(std::move(values)) {}

    QVariantMap values_;
};

}  // namespace belay::service
