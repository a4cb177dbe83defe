#include "tests/vm/scenario/held_store.h"

#include "tests/vm/scenario/failure.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <QDir>
#include <algorithm>
#include <array>
#include <cerrno>

namespace scenario {
namespace {

constexpr std::uint64_t kRootInode = FUSE_ROOT_ID;
constexpr std::uint64_t kFile = 2;
constexpr std::uint32_t kMostWritten = 128 << 10;  // 32 pages, what FUSE has without more flags
constexpr std::uint32_t kParallelDirectWrites = 1 << 6;  // linux/fuse.h has it since 6.2

template <class T>
T bodyOf(std::span<const char> message) {
    T body{};
    const std::size_t at = sizeof(fuse_in_header);
    memcpy(&body, message.data() + at, std::min(sizeof body, message.size() - at));
    return body;
}

fuse_attr attributes(std::uint64_t node, std::size_t size) {
    fuse_attr attr{};
    attr.ino = node;
    attr.mode = node == kRootInode ? S_IFDIR | 0755 : S_IFREG | 0666;
    attr.nlink = 1;
    attr.size = size;
    attr.blocks = size / 512;
    attr.blksize = 4096;
    return attr;
}

}  // namespace

HeldStore::HeldStore(QString folder) : folder_(std::move(folder)) {
    require(QDir().mkpath(folder_), "cannot make " + folder_);
    device_ = belay::Fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    require(bool(device_), QString("no /dev/fuse: %1").arg(strerror(errno)));
    // The workers are nobody's friends: allow_other.
    const QByteArray options = "fd=" + QByteArray::number(device_.get()) +
                               ",rootmode=40755,user_id=0,group_id=0,allow_other";
    require(::mount("held", qPrintable(folder_), "fuse.held", MS_NOSUID | MS_NODEV,
                    options.constData()) == 0,
            QString("cannot mount %1: %2").arg(folder_, strerror(errno)));
    thread_ = std::thread([this] { serve(); });
}

HeldStore::~HeldStore() {
    release();
    releaseSync();
    // The kernel ends the session, and with it the read that the thread is in.
    ::umount2(qPrintable(folder_), MNT_FORCE | MNT_DETACH);
    thread_.join();
}

void HeldStore::holdNext() {
    const std::lock_guard lock(mutex_);
    holdNext_ = true;
}

bool HeldStore::isHolding() const {
    const std::lock_guard lock(mutex_);
    return holding_;
}

void HeldStore::release() {
    const std::lock_guard lock(mutex_);
    holdNext_ = false;
    if (!std::exchange(holding_, false))
        return;
    land(held_);
    held_ = {};
}

void HeldStore::holdNextSync() {
    const std::lock_guard lock(mutex_);
    holdNextSync_ = true;
}

bool HeldStore::isHoldingSync() const {
    const std::lock_guard lock(mutex_);
    return heldSync_ != 0;
}

void HeldStore::releaseSync() {
    const std::lock_guard lock(mutex_);
    if (heldSync_ != 0)
        sync(std::exchange(heldSync_, 0));
}

void HeldStore::failNextSync() {
    const std::lock_guard lock(mutex_);
    failNextSync_ = true;
}

int HeldStore::landed() const {
    const std::lock_guard lock(mutex_);
    return landed_;
}

QByteArray HeldStore::content(std::size_t offset, std::size_t length) const {
    const std::lock_guard lock(mutex_);
    return QByteArray(bytes_.data() + offset, static_cast<qsizetype>(length));
}

void HeldStore::serve() {
    std::vector<char> buffer(kMostWritten + (64 << 10));
    for (;;) {
        const ssize_t length = ::read(device_.get(), buffer.data(), buffer.size());
        if (length >= static_cast<ssize_t>(sizeof(fuse_in_header)))
            handle(std::span(buffer.data(), static_cast<std::size_t>(length)));
        else if (length < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
            return;  // ENODEV: unmounted
    }
}

void HeldStore::answer(std::uint64_t request, int error, const void* data, std::size_t size) const {
    fuse_out_header header{};
    header.unique = request;
    header.error = -error;
    header.len = static_cast<std::uint32_t>(sizeof header + size);
    std::array<iovec, 2> parts{{{&header, sizeof header}, {const_cast<void*>(data), size}}};
    // Whoever asked may be gone: ENOENT.
    static_cast<void>(::writev(device_.get(), parts.data(), size == 0 ? 1 : 2));
}

void HeldStore::handle(std::span<const char> message) {
    fuse_in_header header{};
    memcpy(&header, message.data(), sizeof header);
    const std::uint64_t request = header.unique;
    const std::lock_guard lock(mutex_);
    switch (header.opcode) {
        case FUSE_INIT: {
            fuse_init_out out{};
            out.major = FUSE_KERNEL_VERSION;
            out.minor = FUSE_KERNEL_MINOR_VERSION;
            out.max_readahead = kMostWritten;
            out.flags = FUSE_BIG_WRITES;
            out.max_write = kMostWritten;
            out.max_background = 64;
            out.congestion_threshold = 64;
            answer(request, 0, &out, sizeof out);
            return;
        }
        case FUSE_LOOKUP: {
            const char* name = message.data() + sizeof header;
            if (header.nodeid != kRootInode || strcmp(name, "disk") != 0) {
                answer(request, ENOENT);
                return;
            }
            fuse_entry_out out{};
            out.nodeid = kFile;
            out.attr = attributes(kFile, bytes_.size());
            answer(request, 0, &out, sizeof out);
            return;
        }
        case FUSE_SETATTR: {
            const auto in = bodyOf<fuse_setattr_in>(message);
            if ((in.valid & FATTR_SIZE) != 0)
                bytes_.resize(in.size);
            [[fallthrough]];
        }
        case FUSE_GETATTR: {
            fuse_attr_out out{};
            out.attr = attributes(header.nodeid, header.nodeid == kFile ? bytes_.size() : 0);
            answer(request, 0, &out, sizeof out);
            return;
        }
        case FUSE_OPEN:
        case FUSE_OPENDIR: {
            fuse_open_out out{};
            if (header.nodeid == kFile)
                // Nor does a close() wait for a write (FOPEN_NOFLUSH): a process that is killed
                // must be able to end.
                out.open_flags = FOPEN_DIRECT_IO | kParallelDirectWrites | FOPEN_NOFLUSH;
            answer(request, 0, &out, sizeof out);
            return;
        }
        case FUSE_READ: {
            const auto in = bodyOf<fuse_read_in>(message);
            const std::size_t begin = std::min<std::size_t>(in.offset, bytes_.size());
            answer(request, 0, bytes_.data() + begin,
                   std::min<std::size_t>(in.size, bytes_.size() - begin));
            return;
        }
        case FUSE_WRITE: {
            const auto in = bodyOf<fuse_write_in>(message);
            write(request, in.offset, message.subspan(sizeof header + sizeof in).first(in.size));
            return;
        }
        case FUSE_STATFS: {
            fuse_statfs_out out{};
            out.st.bsize = out.st.frsize = 4096;
            out.st.namelen = 255;
            answer(request, 0, &out, sizeof out);
            return;
        }
        case FUSE_FSYNC:
            if (std::exchange(holdNextSync_, false))
                heldSync_ = request;
            else
                sync(request);
            return;
        case FUSE_FLUSH:
        case FUSE_RELEASE:
        case FUSE_RELEASEDIR:
        case FUSE_ACCESS:
            answer(request, 0);
            return;
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:  // what is under way goes on
            return;
        default:
            answer(request, ENOSYS);
    }
}

void HeldStore::write(std::uint64_t request, std::size_t offset, std::span<const char> data) {
    Held written{request, offset, {data.begin(), data.end()}};
    if (std::exchange(holdNext_, false)) {
        held_ = std::move(written);
        holding_ = true;
    } else {
        land(written);
    }
}

void HeldStore::land(const Held& held) {
    if (held.offset + held.data.size() > bytes_.size())
        bytes_.resize(held.offset + held.data.size());
    std::ranges::copy(held.data, bytes_.begin() + static_cast<std::ptrdiff_t>(held.offset));
    ++landed_;
    fuse_write_out out{};
    out.size = static_cast<std::uint32_t>(held.data.size());
    answer(held.request, 0, &out, sizeof out);
}

void HeldStore::sync(std::uint64_t request) {
    if (std::exchange(failNextSync_, false)) {
        synced_.resize(bytes_.size());
        bytes_ = synced_;
        answer(request, EIO);
    } else {
        synced_ = bytes_;
        answer(request, 0);
    }
}

}  // namespace scenario
