#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/ring.h"
#include "core/base/units.h"
#include "core/ublk/device.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace belay::ublk {

// One request of the block layer, in bytes.
struct Request {
    enum class Op : std::uint8_t { Read, Write, Flush, Discard, WriteZeroes };
    Op op = Op::Read;
    // Write: durable before it is answered.
    bool fua = false;
    // WriteZeroes: the blocks must stay allocated.
    bool noUnmap = false;
    std::uint64_t offset = 0;
    // 0 for Flush. Discard and WriteZeroes may exceed 4 GiB.
    std::uint64_t length = 0;

    // Nothing for an operation that our devices do not advertise: answer it with -EOPNOTSUPP.
    static std::optional<Request> decode(const uapi::IoDesc& descriptor);
};

// Called from the event ring, never from inside a Queue function.
class QueueListener {
 public:
    // The request with this tag is the server's until commit().
    virtual void requestArrived(Tag tag) = 0;
    // No request will arrive any more; told once. ENODEV: the device was stopped, every tag has
    // been given back, and the Queue may be destroyed. Any other code: the queue is broken, and
    // only the end of the process makes the kernel see that.
    virtual void queueGone(const Error& reason) = 0;

 protected:
    ~QueueListener() = default;
};

// The only hardware queue of one ublk device: requests in, results out.
//
// - Belongs to the thread that runs `ring`, for good: the kernel binds each tag to the task that
//   fetched it (and 6.12 loses requests whose bytes another thread copies while the server dies).
// - Holds the only references to /dev/ublkcN. They, and the ring, must not leak into another
//   process: the kernel notices a server's death by their release.
// - Destroyed before queueGone(ENODEV), it leaves the kernel's commands behind; right only for a
//   process that is about to exit.
class Queue {
 public:
    // `ring` and `listener` must outlive the queue.
    Queue(Ring& ring, QueueListener& listener);
    ~Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    // Opens /dev/ublkcN and maps the descriptors. EBUSY or ENOENT from open: not yet, try again
    // (the release of a dead server's file, or the node's making, is under way). Can be called
    // again after an error.
    Result<void> open(DeviceId id, std::uint16_t depth);
    // Asks for a request on every tag. The commands go out with the ring's next submit, all at
    // once if it has `depth` free entries.
    void fetchAll();

    // What the request is; valid from requestArrived() to commit().
    const uapi::IoDesc& descriptor(Tag tag) const { return descriptors_[tag.value]; }
    std::optional<Request> request(Tag tag) const { return Request::decode(descriptor(tag)); }

    // Copies a write's bytes, from `offset` within the request. Bytes copied or a negative errno;
    // the caller must compare with what it asked for: before Linux 6.19 the result is 0 if the
    // memory cannot be pinned (mappings of usbfs or of a dma-buf), and whoever answers such a
    // write with success has lost it.
    std::int64_t copyFromRequest(Tag tag, ByteSpan to, std::uint32_t offset) const;
    // The same for a read's bytes.
    std::int64_t copyToRequest(Tag tag, ConstByteSpan from, std::uint32_t offset) const;

    // Answers the request: bytes done (the whole length, or 0 for a flush), or a negative errno.
    // Goes out with the ring's next submit, together with everything else of the turn.
    void commit(Tag tag, int result);

    std::uint16_t depth() const { return depth_; }
    // Requests that arrived and are not committed.
    unsigned inServer() const;

 private:
    struct Tags;

    Ring& ring_;
    std::unique_ptr<Tags> tags_;
    Fd node_;
    const uapi::IoDesc* descriptors_ = nullptr;
    std::size_t mappedBytes_ = 0;
    std::uint16_t depth_ = 0;
};

}  // namespace belay::ublk
