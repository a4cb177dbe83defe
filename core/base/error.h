#pragma once

#include <cerrno>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace belay {

// A failure as a value: what was being done, on which object, and why.
//
// - `code` is an errno (positive), or 0 when no system call failed;
// - `hint` is a sentence for the user that says what to do next, or empty.
struct Error {
    std::string what;
    std::string object;
    int code = 0;
    std::string hint;

    // One line for a log or a terminal: "open /dev/x: Permission denied. Run it as root."
    std::string message() const;

    bool operator==(const Error&) const = default;
};

template <class T>
using Result = tl::expected<T, Error>;

// An Error with the calling thread's errno.
tl::unexpected<Error> systemError(std::string what, std::string object = {}, std::string hint = {});

// An Error with the given errno value, as io_uring and libaio return it (sign is ignored).
tl::unexpected<Error> errorFrom(int code, std::string what, std::string object = {},
                                std::string hint = {});

// An Error that no system call reported.
tl::unexpected<Error> failure(std::string what, std::string object = {}, std::string hint = {});

}  // namespace belay
