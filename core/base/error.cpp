#include "core/base/error.h"

#include <cstdlib>
#include <system_error>

namespace belay {

std::string Error::message() const {
    std::string text = what;
    if (!object.empty())
        text += (text.empty() ? "" : " ") + object;
    if (code != 0)
        text += ": " + std::system_category().message(code);
    if (!hint.empty())
        text += ". " + hint;
    return text;
}

tl::unexpected<Error> systemError(std::string what, std::string object, std::string hint) {
    return errorFrom(errno, std::move(what), std::move(object), std::move(hint));
}

tl::unexpected<Error> errorFrom(int code, std::string what, std::string object, std::string hint) {
    return tl::make_unexpected(
        Error{std::move(what), std::move(object), std::abs(code), std::move(hint)});
}

tl::unexpected<Error> failure(std::string what, std::string object, std::string hint) {
    return tl::make_unexpected(Error{std::move(what), std::move(object), 0, std::move(hint)});
}

}  // namespace belay
