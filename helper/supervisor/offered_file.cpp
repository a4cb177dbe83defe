#include "helper/supervisor/offered_file.h"

#include "core/base/log.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

namespace belay::helper {
namespace {

// Each with the number of its medium, which the kernel counts up (BLKGETDISKSEQ). The files are the
// kernel's own: nothing waits.
std::string blockDevices() {
    std::vector<std::string> devices;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/class/block", failed)) {
        std::string sequence;
        std::ifstream(entry.path() / "diskseq") >> sequence;
        devices.push_back(entry.path().filename().string() + " " + sequence + "\n");
    }
    std::ranges::sort(devices);
    std::string all;
    for (const std::string& device : devices)
        all += device;
    return all;
}

}  // namespace

OfferedFile::OfferedFile(Ring& ring, ContentRecords& records, Source source)
    : ring_(ring), records_(records), source_(std::move(source)), place_(source_.path) {}

OfferedFile::~OfferedFile() = default;

FileOpening OfferedFile::opening() const {
    FileOpening opening;
    opening.recordDir = records_.directory();
    opening.path = place_;
    opening.readOnly = source_.readOnly;
    opening.blockSize = source_.blockSize;
    opening.byName = source_.byName;
    opening.fd = source_.file.get();
    if (isKnown()) {
        opening.known = record_;
        opening.fd = witness_.get();
        // Where the medium came back to is a name that is worth as much as any.
        opening.byName = source_.byName || place_ != source_.path;
    }
    return opening;
}

void OfferedFile::open(Opened callback) {
    FileOpening asked = opening();
    if (isBlockDevice() && isKnown())
        if (std::string present = blockDevices(); present != searched_) {
            searched_ = std::move(present);
            asked.mediumBytes = deviceBytes_;
        }
    opener_ = std::make_unique<FileOpener>(
        ring_, asked, [this, callback = std::move(callback)](Result<OpenedFile> file) {
            ring_.destroyLater(std::move(opener_));
            opened(std::move(file), callback);
        });
}

void OfferedFile::opened(Result<OpenedFile> file, const Opened& callback) {
    if (!file) {
        place_ = source_.path;
        callback(tl::make_unexpected(std::move(file.error())));
        return;
    }
    place_ = file->path;
    searched_.clear();
    if (file->witness)
        know(*file);
    Fd witness(::fcntl(witness_.get(), F_DUPFD_CLOEXEC, 0));
    if (!witness)
        callback(systemError("pass on", source_.path));
    else
        callback(ForWorker{std::move(file->own), std::move(witness)});
}

void OfferedFile::know(OpenedFile& file) {
    if (isKnown() && file.record.uuid != record_.uuid) {
        log::notice("{}: another file or medium has taken its place", source_.path);
        blockSize_ = 0;
    }
    witness_ = std::move(file.witness);
    witnessProves_ = false;
    record_ = file.record;
    deviceBytes_ = file.deviceBytes;
    source_.file.reset();
}

void OfferedFile::take(Fd witness, std::function<void()> known) {
    FileOpening asked = opening();
    asked.known.reset();
    asked.byName = false;
    asked.fd = witness.get();
    asked.onlyKnow = true;
    opener_ = std::make_unique<FileOpener>(
        ring_, asked, [this, known = std::move(known)](Result<OpenedFile> file) {
            ring_.destroyLater(std::move(opener_));
            if (file) {
                know(*file);
                witnessProves_ = true;
            } else {
                log::warning("{}", file.error().message());
            }
            known();
        });
}

bool OfferedFile::isGone() const {
    return isKnown() && isBlockDevice() && !store::isStill(record_, witness_.get());
}

void OfferedFile::noteBlockSize(std::uint32_t blockSize) {
    blockSize_ = blockSize;
    if (isKnown())
        records_.noteBlockSize(record_, blockSize);
}

Json OfferedFile::addMessage(std::uint32_t id, const std::string& label, Duration patience) const {
    return {{"type", "store-add"},
            {"store",
             {{"id", id},
              {"label", label},
              {"path", source_.path},
              {"readOnly", source_.readOnly},
              {"blockSize", blockSize_ != 0 ? blockSize_ : source_.blockSize},
              {"lastBlockSize", record_.blockSize},
              {"uuid", record_.uuid.toString()},
              {"replaced", record_.replaced},
              {"losses", record_.losses},
              {"witnessProves", witnessProves_}}},
            {"patienceMs", patience / std::chrono::milliseconds(1)}};
}

void OfferedFile::endUse(std::function<void()> done) {
    if (isKnown())
        records_.end(record_, witness_.get(), source_.path, std::move(done));
    else
        done();
}

}  // namespace belay::helper
