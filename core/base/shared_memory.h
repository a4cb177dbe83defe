#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/fd.h"

#include <cstddef>

namespace belay {

// Memory as an open file (memfd_create(2)): close-on-exec, never executable, to be sized, written
// and sealed by whoever made it. `name` is what /proc shows.
Result<Fd> memoryFile(const char* name);

// Memory that lasts as long as somebody has its descriptor or has it mapped, whichever processes
// come and go meanwhile: a memfd.
//
// - Its size is sealed: whoever has the descriptor, nobody can take pages away from under a mapping
//   (memfd_create(2), "File sealing").
// - The descriptor is close-on-exec.
class SharedMemory {
 public:
    // All zeroes; takes up memory as it is written to. `name` is what /proc shows.
    static Result<Fd> create(const char* name, std::size_t bytes);
    // Maps what create() made, here or in another process. An error if it is anything else, or is
    // not within `least` .. `most` bytes.
    static Result<SharedMemory> map(Fd fd, std::size_t least, std::size_t most);
    // The same without mapping it.
    static Result<std::size_t> check(const Fd& fd, std::size_t least, std::size_t most);

    SharedMemory(SharedMemory&& other) noexcept;
    SharedMemory& operator=(SharedMemory&&) = delete;
    ~SharedMemory();

    ByteSpan bytes() const { return bytes_; }
    // Gives the memory behind whole pages of `part`, which lies in bytes(), back to the system.
    // They are zeroes from then on.
    Result<void> giveBack(ByteSpan part);
    const Fd& fd() const { return fd_; }

 private:
    SharedMemory(Fd fd, ByteSpan bytes) : fd_(std::move(fd)), bytes_(bytes) {}

    Fd fd_;
    ByteSpan bytes_;
};

}  // namespace belay
