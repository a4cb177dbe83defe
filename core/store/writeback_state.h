#pragma once

#include "core/base/error.h"
#include "core/base/units.h"
#include "core/base/uuid.h"
#include "core/store/hash.h"

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace belay::store {

// What must outlive the process that wrote to a store: how often acknowledged bytes may have been
// lost, and whether a sync is under way.
//
// - A small file in a directory of this boot, named by the store's uuid, mapped shared: a change
//   is one aligned store to memory, which is why kill -9 finds it either made or not made.
// - The count starts at random, so that a file somebody removed reads as a loss.
// - Used only by who holds the store's lock (but holder()).
class WritebackState {
 public:
    // The state left by the last process. If that had another `instance` (instance.h), its page
    // cache is not there any more: one more loss. With an empty `directory` every open is a loss.
    static Result<WritebackState> open(const std::string& directory, const Uuid& store,
                                       std::uint64_t instance);
    // For a store that nobody writes to: always 0.
    static Result<WritebackState> constant();
    // Which process last opened the store, as a hint for messages.
    static std::optional<pid_t> holder(const std::string& directory, const Uuid& store);

    // The last process ended while syncing, and may have taken the kernel's only report of a failed
    // write-back with it. Nothing else may be asked before settle().
    // - A descriptor of the same file that was opened before that process, the *witness*, can prove
    //   that nothing was lost: the kernel reports to each open file description for itself
    //   (errseq_t), so it must be possible to sync it without an error.
    // - It proves so once. A process that ends between beginProof() and settle() may have taken
    //   that report as well, and its successor finds a loss.
    bool isInDoubt() const { return inDoubt_; }
    void beginProof();
    void settle(bool nothingLost);

    std::uint64_t losses() const;
    // Bytes acknowledged may be lost.
    void lost();
    // Around everything that may consume the kernel's one report of a write-back error.
    void setSyncing(bool syncing);

 private:
    struct File;
    explicit WritebackState(std::shared_ptr<File> file) : file_(std::move(file)) {}
    std::shared_ptr<File> file_;
    bool inDoubt_ = false;
};

// This boot's id (random(4), /proc/sys/kernel/random/boot_id).
Result<Uuid> readBootId();

// What all verifiers of a store have in common while the machine is up: every answer carries one,
// so this is worked out once.
Hash verifierSeed(const Uuid& bootId, const Uuid& store, std::uint64_t recordedLosses);
// The verifier of a store: differs for any two counts of losses of one store and boot.
Verifier verifierOf(const Hash& seed, std::uint64_t losses);

}  // namespace belay::store
