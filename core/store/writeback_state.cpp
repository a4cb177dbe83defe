#include "core/store/writeback_state.h"

#include "core/base/fd.h"
#include "core/store/text_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

namespace belay::store {

// The file's whole content, in the machine's own byte order: it never leaves the machine.
struct WritebackState::File {
    static constexpr std::uint64_t kMagic = 0x33'42'57'79'61'6c'65'62;  // "belayWB3"

    std::uint64_t magic = kMagic;
    std::uint64_t word = 0;  // losses * 2 + syncing: one word, so that both change together
    std::uint64_t pid = 0;
    std::uint64_t instance = 0;
    std::uint64_t proving = 0;  // 1: between beginProof() and settle()

    std::uint64_t load() { return std::atomic_ref(word).load(); }
    void store(std::uint64_t value) { std::atomic_ref(word).store(value); }
};

namespace {

std::string stateName(const std::string& directory, const Uuid& store) {
    return directory + "/" + store.toString() + ".writeback";
}

constexpr std::uint64_t kSyncing = 1;
constexpr std::uint64_t kOneLoss = 2;

}  // namespace

Result<WritebackState> WritebackState::open(const std::string& directory, const Uuid& store,
                                            std::uint64_t instance) {
    const File fresh{File::kMagic, randomNonZero64() & ~kSyncing,
                     static_cast<std::uint64_t>(::getpid()), instance, 0};
    if (directory.empty())
        return WritebackState(std::make_shared<File>(fresh));

    const std::string name = stateName(directory, store);
    const std::string hint = "The directory must exist and be writable for this process";
    Fd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd)
        return systemError("open the write-back state", name, hint);
    // Who has made it as root opens it again without privileges, as the directory's owner.
    struct stat owner {};
    if (::geteuid() == 0 && ::stat(directory.c_str(), &owner) == 0 &&
        ::fchown(fd.get(), owner.st_uid, owner.st_gid) != 0)
        return systemError("hand the write-back state over", name, hint);
    File found{};
    const bool known =
        ::pread(fd.get(), &found, sizeof found, 0) == sizeof found && found.magic == File::kMagic;
    // Written, not only made longer, so that the page is there and no store to it can fail.
    const File& first = known ? found : fresh;
    if (::pwrite(fd.get(), &first, sizeof first, 0) != sizeof first)
        return systemError("write the write-back state", name, hint);
    void* memory = ::mmap(nullptr, sizeof(File), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED)
        return systemError("map the write-back state", name, hint);
    WritebackState state(std::shared_ptr<File>(static_cast<File*>(memory),
                                               [](File* file) { ::munmap(file, sizeof *file); }));
    state.file_->pid = fresh.pid;
    if (state.file_->instance != instance) {
        // The count first: a process that is killed in between finds another instance again.
        state.file_->store((state.file_->load() & ~kSyncing) + kOneLoss);
        state.file_->instance = instance;
    } else if (state.file_->load() & kSyncing) {
        if (state.file_->proving != 0)
            state.settle(false);
        else
            state.inDoubt_ = true;
    }
    return state;
}

Result<WritebackState> WritebackState::constant() {
    return WritebackState(std::make_shared<File>());
}

std::optional<pid_t> WritebackState::holder(const std::string& directory, const Uuid& store) {
    if (directory.empty())
        return std::nullopt;
    const Fd fd(::open(stateName(directory, store).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    File found{};
    if (!fd || ::pread(fd.get(), &found, sizeof found, 0) != sizeof found ||
        found.magic != File::kMagic)
        return std::nullopt;
    return static_cast<pid_t>(found.pid);
}

void WritebackState::beginProof() {
    std::atomic_ref(file_->proving).store(1);
}

void WritebackState::settle(bool nothingLost) {
    inDoubt_ = false;
    file_->store((file_->load() & ~kSyncing) + (nothingLost ? 0 : kOneLoss));
    std::atomic_ref(file_->proving).store(0);
}

std::uint64_t WritebackState::losses() const {
    return file_->load() >> 1;
}

void WritebackState::lost() {
    file_->store(file_->load() + kOneLoss);
}

void WritebackState::setSyncing(bool syncing) {
    const std::uint64_t word = file_->load();
    file_->store(syncing ? word | kSyncing : word & ~kSyncing);
}

Result<Uuid> readBootId() {
    const std::string name = "/proc/sys/kernel/random/boot_id";
    const auto text = readTextFile(name);
    if (!text)
        return systemError("read the boot id from", name, "Mount /proc");
    const auto id = Uuid::parse(*text);
    if (!id)
        return failure("not a boot id in", name);
    return *id;
}

Hash verifierSeed(const Uuid& bootId, const Uuid& store, std::uint64_t recordedLosses) {
    return Hash(0).add(bootId).add(store).add(recordedLosses);
}

Verifier verifierOf(const Hash& seed, std::uint64_t losses) {
    return Verifier(Hash(seed).add(losses).value());
}

}  // namespace belay::store
