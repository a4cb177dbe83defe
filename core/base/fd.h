#pragma once

#include <unistd.h>

#include <utility>

namespace belay {

// Owns one file descriptor and closes it. Not thread-safe.
class Fd {
 public:
    Fd() = default;
    // Takes ownership; -1 means empty.
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    // Gives up ownership.
    int release() { return std::exchange(fd_, -1); }
    // Closes now. Errors of close(2) are of no use here: what must be durable is fsync'ed before.
    void reset() {
        if (fd_ >= 0)
            ::close(std::exchange(fd_, -1));
    }

 private:
    int fd_ = -1;
};

}  // namespace belay
