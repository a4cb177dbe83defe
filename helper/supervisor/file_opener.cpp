#include "helper/supervisor/file_opener.h"

#include "core/base/abandoned.h"
#include "core/base/log.h"
#include "helper/supervisor/content_records.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

namespace belay::helper {
namespace {

constexpr const char* kProcessName = "belay-open";
constexpr int kSocket = 3;
constexpr const char* kWrongKind =
    "It is neither a regular file nor a block device: choose one of these";
// When a process that has answered is surely dead, if it can die at all.
constexpr auto kBurial = std::chrono::seconds(1);

std::string pathOf(int fd) {
    return fmt::format("/proc/self/fd/{}", fd);
}

// -- what is asked, and answered

// Of a record, what tells whether it is still the same, and what is kept with it.
Json toJson(const store::CleanRecord& record) {
    return {
        {"uuid", record.uuid.toString()}, {"place", record.place}, {"replaced", record.replaced},
        {"losses", record.losses},        {"use", record.use},     {"blockSize", record.blockSize}};
}

store::CleanRecord recordFrom(const Json& json) {
    return {.uuid = Uuid::parse(json.at("uuid").get<std::string>()).value_or(Uuid{}),
            .place = json.at("place").get<std::uint64_t>(),
            .replaced = json.at("replaced").get<std::uint64_t>(),
            .clean = {},
            .losses = json.at("losses").get<std::uint64_t>(),
            .use = json.at("use").get<std::uint64_t>(),
            .blockSize = json.at("blockSize").get<std::uint32_t>()};
}

Json toJson(const FileOpening& opening) {
    Json json = {{"recordDir", opening.recordDir}, {"path", opening.path},
                 {"byName", opening.byName},       {"readOnly", opening.readOnly},
                 {"blockSize", opening.blockSize}, {"mediumBytes", opening.mediumBytes},
                 {"onlyKnow", opening.onlyKnow}};
    if (opening.known)
        json["known"] = toJson(*opening.known);
    return json;
}

FileOpening openingFrom(const Json& json, const std::vector<Fd>& fds) {
    FileOpening opening;
    opening.recordDir = json.at("recordDir").get<std::string>();
    opening.path = json.at("path").get<std::string>();
    opening.fd = fds.empty() ? -1 : fds.front().get();
    opening.byName = json.at("byName").get<bool>();
    opening.readOnly = json.at("readOnly").get<bool>();
    opening.blockSize = json.at("blockSize").get<std::uint32_t>();
    opening.mediumBytes = json.at("mediumBytes").get<std::uint64_t>();
    opening.onlyKnow = json.at("onlyKnow").get<bool>();
    if (json.contains("known"))
        opening.known = recordFrom(json.at("known"));
    return opening;
}

// -- in the process

struct Kind {
    bool isBlockDevice = false;
    std::uint64_t bytes = 0;
    std::uint32_t blockSize = 0;  // a block device's own
};

Result<Kind> kindOf(int fd, const std::string& path) {
    struct stat info {};
    if (::fstat(fd, &info) < 0)
        return systemError("look at", path);
    if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
        return errorFrom(EINVAL, "offer", path, kWrongKind);
    Kind kind{.isBlockDevice = S_ISBLK(info.st_mode),
              .bytes = static_cast<std::uint64_t>(info.st_size)};
    int own = 0;
    if (kind.isBlockDevice &&
        (::ioctl(fd, BLKGETSIZE64, &kind.bytes) != 0 || ::ioctl(fd, BLKSSZGET, &own) != 0))
        return systemError("ask for the size of", path);
    kind.blockSize = static_cast<std::uint32_t>(own);
    return kind;
}

// Told by the store as well, but in its worker, and not as what a caller can mend.
Result<void> checkBlockSize(const Kind& kind, const std::string& path, std::uint32_t blockSize) {
    const auto what = [&] { return fmt::format("offer with a block size of {}", blockSize); };
    if (blockSize != 0 && blockSize < kind.blockSize)
        return errorFrom(EINVAL, what(), path,
                         fmt::format("It has blocks of {} bytes: use {} or more", kind.blockSize,
                                     kind.blockSize));
    if (blockSize != 0 && kind.bytes % blockSize != 0)
        return errorFrom(EINVAL, what(), path,
                         fmt::format("Its size, {} bytes, is no multiple of that", kind.bytes));
    return {};
}

Result<Fd> openPath(const std::string& place, int flags, const std::string& shown) {
    Fd fd(::open(place.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd)
        return systemError("open", shown);
    return fd;
}

// A description that one user may have. What is no file or disk is not opened for use: to open it
// may do something (O_PATH does not open it).
Result<Fd> openOwn(const FileOpening& opening, const std::string& place) {
    struct stat info {};
    if (::stat(place.c_str(), &info) < 0)
        return systemError("open", opening.path);
    if (S_ISDIR(info.st_mode))
        return errorFrom(EISDIR, "open", opening.path);
    if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
        return errorFrom(EINVAL, "offer", opening.path, kWrongKind);
    int flags = opening.readOnly ? O_RDONLY : O_RDWR;
    // O_EXCL without O_CREAT claims a block device for us alone (open(2)).
    if (S_ISBLK(info.st_mode))
        flags |= O_EXCL;
    return openPath(place, flags, opening.path);
}

// What somebody opened for reading only is not written to because we are root.
Result<void> checkMode(const FileOpening& opening) {
    const int mode = ::fcntl(opening.fd, F_GETFL) & O_ACCMODE;
    if (mode == O_WRONLY || (mode == O_RDONLY && !opening.readOnly))
        return errorFrom(EACCES, "offer", opening.path,
                         "It was opened for reading only: offer it read-only, or open it for "
                         "reading and writing");
    return {};
}

Result<OpenedFile> openFirst(const FileOpening& opening, const std::string& place) {
    OpenedFile file;
    file.path = opening.path;
    if (!opening.onlyKnow) {
        auto own = openOwn(opening, place);
        if (!own)
            return tl::make_unexpected(std::move(own.error()));
        file.own = std::move(*own);
    }
    auto witness = openPath(file.own ? pathOf(file.own.get()) : place, O_RDONLY, opening.path);
    if (!witness)
        return tl::make_unexpected(std::move(witness.error()));
    file.witness = std::move(*witness);
    const auto kind = kindOf(file.witness.get(), opening.path);
    if (!kind)
        return tl::make_unexpected(kind.error());
    file.deviceBytes = kind->isBlockDevice ? kind->bytes : 0;
    if (auto fits = checkBlockSize(*kind, opening.path, opening.blockSize); !fits)
        return tl::make_unexpected(std::move(fits.error()));
    auto record = ContentRecords::begin(opening.recordDir, file.witness.get(), opening.path,
                                        !opening.readOnly);
    if (!record)
        return tl::make_unexpected(std::move(record.error()));
    file.record = *record;
    return file;
}

// Of ours none is looked at: a read of one may hang with its other end.
std::optional<std::string> findMedium(const FileOpening& opening) {
    constexpr std::uint64_t kSysfsBlock = 512;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/class/block", failed)) {
        const std::string name = entry.path().filename();
        std::uint64_t size = 0;
        if (name.starts_with("ublkb") || !(std::ifstream(entry.path() / "size") >> size) ||
            size != opening.mediumBytes / kSysfsBlock)
            continue;
        std::string node = "/dev/" + name;
        std::ranges::replace(node, '!', '/');
        const auto fd = openPath(node, O_RDONLY, node);
        if (!fd)
            continue;
        const auto found = store::unrecorded(fd->get(), node);
        if (found && found->uuid == opening.known->uuid)
            return node;
    }
    return std::nullopt;
}

Result<OpenedFile> openAgain(FileOpening opening) {
    const bool named = opening.byName && ::access(opening.path.c_str(), F_OK) == 0;
    std::string place = named || opening.fd < 0 ? opening.path : pathOf(opening.fd);
    auto own = openOwn(opening, place);
    if (!own && opening.mediumBytes != 0)
        if (const auto found = findMedium(opening)) {
            place = opening.path = *found;
            own = openOwn(opening, place);
        }
    if (!own)
        return tl::make_unexpected(std::move(own.error()));
    if (store::isStill(*opening.known, own->get())) {
        OpenedFile file;
        file.own = std::move(*own);
        file.path = opening.path;
        return file;
    }
    own->reset();
    opening.blockSize = 0;
    return openFirst(opening, place);
}

Result<OpenedFile> open(const FileOpening& opening) {
    if (opening.known)
        return openAgain(opening);
    if (opening.fd < 0)
        return openFirst(opening, opening.path);
    if (auto fits = opening.onlyKnow ? Result<void>() : checkMode(opening); !fits)
        return tl::make_unexpected(std::move(fits.error()));
    return openFirst(opening, pathOf(opening.fd));
}

Result<void> answer(const Fd& socket, const Result<OpenedFile>& file) {
    Json message = {{"type", "opened"}};
    std::vector<int> fds;
    if (file) {
        message.update({{"path", file->path}, {"deviceBytes", file->deviceBytes}});
        message["has"] = {{"own", bool(file->own)}, {"witness", bool(file->witness)}};
        if (file->witness)
            message["record"] = toJson(file->record);
        for (const Fd* fd : {&file->own, &file->witness})
            if (*fd)
                fds.push_back(fd->get());
    } else {
        message["error"] = helper::toJson(file.error());
    }
    auto packet = Packet::pack(message, fds);
    return packet ? Packet::send(socket, *packet) : tl::make_unexpected(packet.error());
}

}  // namespace

// -- whoever asks

FileOpener::FileOpener(Ring& ring, const FileOpening& opening, Callback callback)
    : ring_(ring), callback_(std::move(callback)), path_(opening.path) {
    reapAbandoned();
    if (auto started = start(opening); !started)
        failed_ = ring_.callAfter(Duration::zero(), [this, error = started.error()] {
            failed_.reset();
            finish(tl::make_unexpected(error));
        });
}

FileOpener::~FileOpener() {
    if (failed_)
        ring_.cancel(*failed_);
}

Result<void> FileOpener::start(const FileOpening& opening) {
    auto pair = Channel::pair();
    if (!pair)
        return tl::make_unexpected(pair.error());
    std::vector<Fd> fds;
    fds.push_back(std::move(pair->second));
    auto child = Child::spawn(
        ring_, {.path = {}, .args = {kProcessName, kOpenFileArgument}, .fds = std::move(fds)},
        [](int) {});
    if (!child)
        return tl::make_unexpected(std::move(child.error()));
    child_ = std::move(*child);
    channel_ = std::make_unique<Channel>(
        ring_, std::move(pair->first),
        [this](const Json& message, std::vector<Fd> answers) { answered(message, answers); },
        [this](const Error& error) { finish(tl::make_unexpected(error)); });
    channel_->send(toJson(opening),
                   opening.fd < 0 ? std::vector<int>() : std::vector<int>{opening.fd});
    return {};
}

void FileOpener::answered(const Json& message, std::vector<Fd>& fds) {
    if (message.contains("error")) {
        finish(tl::make_unexpected(errorFromJson(message.at("error"))));
        return;
    }
    OpenedFile file;
    file.path = message.at("path").get<std::string>();
    file.deviceBytes = message.at("deviceBytes").get<std::uint64_t>();
    auto next = fds.begin();
    for (const auto& [name, fd] :
         {std::pair("own", &file.own), std::pair("witness", &file.witness)})
        if (message.at("has").at(name).get<bool>() && next != fds.end())
            *fd = std::move(*next++);
    if (file.witness)
        file.record = recordFrom(message.at("record"));
    finish(std::move(file));
}

void FileOpener::finish(Result<OpenedFile> file) {
    if (!callback_)
        return;
    ring_.destroyLater(std::move(channel_));
    child_.reset();
    ring_.callAfter(kBurial, [] { reapAbandoned(); });
    // The callback may destroy this opener.
    const Callback callback = std::exchange(callback_, nullptr);
    callback(std::move(file));
}

int openFileMain() {
    log::setup("belay-open", log::Level::Notice);
    const Fd socket(kSocket);
    pollfd readable{socket.get(), POLLIN, 0};
    ::poll(&readable, 1, -1);
    const auto asked = Packet::receive(socket);
    if (!asked || !*asked)
        return EXIT_FAILURE;
    return answer(socket, open(openingFrom((*asked)->message, (*asked)->fds))) ? EXIT_SUCCESS
                                                                               : EXIT_FAILURE;
}

}  // namespace belay::helper
