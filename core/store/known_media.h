#pragma once

#include "core/base/error.h"
#include "core/base/uuid.h"

#include <sys/types.h>

#include <optional>
#include <string>

namespace belay::store {

// By which names block devices are known, in the directory of the records (clean_record.h).
//
// - What names a medium may be among the bytes that its user writes: a new partition table, a new
//   file system. It is the same disk nevertheless. So each name that a medium had in our hands
//   leads to the identity that it had first, and so does its diskSequence(), until the next boot.
// - Used by who has the lock of the directory.
class KnownMedia {
 public:
    explicit KnownMedia(std::string directory) : directory_(std::move(directory)) {}

    // As which the medium is known that is in `device` just now; nothing if it came only now.
    std::optional<Uuid> stayed(dev_t device) const;
    // As which a medium is known that says `now` of itself.
    Uuid find(const Uuid& now) const;
    // From now on it is known as `store` for as long as it stays there.
    Result<void> stays(dev_t device, const Uuid& store) const;
    // What is known as `store` says `now` of itself: it will be found by that, too.
    Result<void> learn(const Uuid& store, const Uuid& now) const;

 private:
    std::string nameFor(const Uuid& medium) const;
    // Empty where the kernel has no number for it.
    std::string instanceName(dev_t device) const;

    const std::string directory_;
};

}  // namespace belay::store
