#include "core/base/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace belay {
namespace {

// Linux 6.3 and newer log a line about whoever does not say this or its opposite.
constexpr unsigned kNoExecSeal = 0x8;

constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;

}  // namespace

Result<Fd> memoryFile(const char* name) {
    constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    Fd fd(::memfd_create(name, kFlags | kNoExecSeal));
    if (!fd && errno == EINVAL)
        fd = Fd(::memfd_create(name, kFlags));
    if (!fd)
        return systemError("make memory to share", name);
    return fd;
}

Result<Fd> SharedMemory::create(const char* name, std::size_t bytes) {
    auto made = memoryFile(name);
    if (!made)
        return made;
    Fd fd = std::move(*made);
    if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) < 0 ||
        ::fcntl(fd.get(), F_ADD_SEALS, kSizeSeals | F_SEAL_SEAL) < 0)
        return systemError("size memory to share", name);
    return fd;
}

Result<std::size_t> SharedMemory::check(const Fd& fd, std::size_t least, std::size_t most) {
    const int seals = ::fcntl(fd.get(), F_GET_SEALS);
    struct stat status {};
    if (seals < 0 || ::fstat(fd.get(), &status) < 0)
        return systemError("look at shared memory");
    const auto size = static_cast<std::size_t>(status.st_size);
    if ((seals & kSizeSeals) != kSizeSeals || size < least || size > most)
        return failure("shared memory of the wrong size");
    return size;
}

Result<SharedMemory> SharedMemory::map(Fd fd, std::size_t least, std::size_t most) {
    const auto size = check(fd, least, most);
    if (!size)
        return tl::make_unexpected(size.error());
    void* memory = ::mmap(nullptr, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED)
        return systemError("map shared memory");
    return SharedMemory(std::move(fd), {static_cast<std::byte*>(memory), *size});
}

// Not by madvise(2), which refuses for memory that is locked (madvise_remove).
Result<void> SharedMemory::giveBack(ByteSpan part) {
    if (part.empty())
        return {};
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const auto offset = static_cast<std::size_t>(part.data() - bytes_.data());
    const std::size_t begin = (offset + page - 1) / page * page;
    const std::size_t end = (offset + part.size()) / page * page;
    if (begin >= end)
        return {};
    if (::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    static_cast<off_t>(begin), static_cast<off_t>(end - begin)) < 0)
        return systemError("give shared memory back");
    return {};
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)), bytes_(std::exchange(other.bytes_, {})) {}

SharedMemory::~SharedMemory() {
    if (!bytes_.empty())
        ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace belay
