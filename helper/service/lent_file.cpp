#include "helper/service/lent_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

namespace belay::service {
namespace {

tl::unexpected<BusError> refuse(const QString& text) {
    return tl::make_unexpected(BusError::make("InvalidArgument", text));
}

}  // namespace

tl::expected<LentFile, BusError> LentFile::from(int fd) {
    LentFile file;
    file.fd = Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    struct stat status {};
    const int flags = ::fcntl(file.fd.get(), F_GETFL);
    if (!file.fd || flags < 0 || ::fstat(file.fd.get(), &status) < 0)
        return refuse(QStringLiteral("This is no open file"));
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        return refuse(QStringLiteral("Only regular files and block devices can be lent"));
    const int access = flags & O_ACCMODE;
    if ((flags & O_PATH) != 0 || access == O_WRONLY)
        return refuse(QStringLiteral("The file is not open for reading"));
    file.writable = access == O_RDWR;
    // pwrite(2) on such a descriptor ignores the offset, so what is written would go astray.
    if (file.writable && (flags & O_APPEND) != 0)
        return refuse(QStringLiteral("The file is open for appending: open it without O_APPEND"));
    std::error_code error;
    file.name =
        std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", file.fd.get()), error);
    return file;
}

}  // namespace belay::service
