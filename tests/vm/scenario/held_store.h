#pragma once

#include "core/base/fd.h"

#include <QByteArray>
#include <QString>
#include <cstddef>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace scenario {

// A file system with one file, "disk", whose writes and syncs can be held back: asked for by the
// kernel, done only when the test says so, whatever has become of the process that wrote; or be
// lost, as a page cache loses what it cannot write back.
//
// - It speaks the kernel's FUSE protocol (include/uapi/linux/fuse.h) from a thread of its own.
// - Nothing is cached in the kernel, and writes do not wait for each other (FOPEN_DIRECT_IO with
//   FOPEN_PARALLEL_DIRECT_WRITES): as with a store on a network, a late write can land after a
//   newer one, and nothing but its writer's lock keeps it from doing so.
// - Unmounted with its object; whoever still uses the file gets errors.
class HeldStore {
 public:
    // Mounts it on `folder`, which is made.
    explicit HeldStore(QString folder);
    ~HeldStore();
    HeldStore(const HeldStore&) = delete;
    HeldStore& operator=(const HeldStore&) = delete;

    // The next write, and no other, is held back until release().
    void holdNext();
    bool isHolding() const;
    // It lands now, and is answered.
    void release();
    // The next sync, and no other, is held back until releaseSync().
    void holdNextSync();
    bool isHoldingSync() const;
    // It is done and answered now.
    void releaseSync();
    // The next sync fails (EIO), and everything written since the one before is gone.
    void failNextSync();
    // Writes that have landed.
    int landed() const;
    QByteArray content(std::size_t offset, std::size_t length) const;

 private:
    struct Held {
        std::uint64_t request = 0;
        std::size_t offset = 0;
        std::vector<char> data;
    };

    void serve();
    void handle(std::span<const char> message);
    void answer(std::uint64_t request, int error, const void* data = nullptr,
                std::size_t size = 0) const;
    void write(std::uint64_t request, std::size_t offset, std::span<const char> data);
    void land(const Held& held);
    void sync(std::uint64_t request);

    const QString folder_;
    belay::Fd device_;
    mutable std::mutex mutex_;
    std::vector<char> bytes_;
    std::vector<char> synced_;
    bool failNextSync_ = false;
    bool holdNextSync_ = false;
    std::uint64_t heldSync_ = 0;  // the request, 0: none
    bool holdNext_ = false;
    bool holding_ = false;
    Held held_;
    int landed_ = 0;
    std::thread thread_;
};

}  // namespace scenario
