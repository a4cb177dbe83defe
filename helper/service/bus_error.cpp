#include "helper/service/bus_error.h"

#include <array>

namespace belay::service {
namespace {

struct Row {
    int code;
    const char* kind;
};

constexpr std::array kKinds = {
    Row{ENOENT, "NotFound"},
    Row{ENODEV, "NotFound"},
    Row{EEXIST, "Exists"},
    Row{EBUSY, "Busy"},
    Row{EINVAL, "InvalidArgument"},
    Row{ETIMEDOUT, "TimedOut"},
    Row{ENOTCONN, "LinkDown"},
    Row{EPERM, "UnsavedData"},
    Row{ESTALE, "WrongPeer"},
    Row{EPROTO, "Incompatible"},
    Row{EPROTONOSUPPORT, "Incompatible"},
    Row{ECANCELED, "Cancelled"},
    Row{0, "Failed"},
};

}  // namespace

BusError BusError::of(const Error& error) {
    const char* kind = "Kernel";
    for (const Row& row : kKinds) {
        if (row.code == error.code)
            kind = row.kind;
    }
    return make(kind, QString::fromStdString(error.message()));
}

BusError BusError::make(const char* kind, const QString& text) {
    return {QStringLiteral("org.belay.Error.") + QLatin1String(kind), text};
}

}  // namespace belay::service
