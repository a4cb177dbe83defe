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
        QMetaType::Type type;  // Bool, QString or UInt
    };

    // Fails the call, and gives nothing, if an option is unknown or of another type. Takes account
    // of auth.no_user_interaction, which every method has.
    static std::optional<Options> parse(const QVariantMap& values, Call& call,
                                        std::initializer_list<Known> known = {});

    // False, empty or 0 if it was not given.
    bool flag(const char* name) const { return values_.value(QLatin1String(name)).toBool(); }
    QString text(const char* name) const { return values_.value(QLatin1String(name)).toString(); }
    bool has(const char* name) const { return values_.contains(QLatin1String(name)); }
    uint number(const char* name) const { return values_.value(QLatin1String(name)).toUInt(); }

 private:
    explicit Options(QVariantMap values) : values_(std::move(values)) {}

    QVariantMap values_;
};

}  // namespace belay::service
