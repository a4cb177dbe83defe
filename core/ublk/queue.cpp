#include "core/ublk/queue.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace belay::ublk {

static_assert(sizeof(off_t) == 8, "what is at UBLKSRV_IO_BUF_OFFSET needs _FILE_OFFSET_BITS=64");

std::optional<Request> Request::decode(const uapi::IoDesc& descriptor) {
    Request request{
        .fua = (descriptor.opFlags & uapi::kIoFua) != 0,
        .noUnmap = (descriptor.opFlags & uapi::kIoNoUnmap) != 0,
        .offset = descriptor.startSector * uapi::kSectorBytes,
        .length = std::uint64_t{descriptor.sectors} * uapi::kSectorBytes,
    };
    switch (descriptor.opFlags & uapi::kOpMask) {
        case uapi::kOpRead:
            request.op = Op::Read;
            return request;
        case uapi::kOpWrite:
            request.op = Op::Write;
            return request;
        case uapi::kOpFlush:
            request.op = Op::Flush;
            request.offset = 0;
            request.length = 0;
            return request;
        case uapi::kOpDiscard:
            request.op = Op::Discard;
            return request;
        case uapi::kOpWriteZeroes:
            request.op = Op::WriteZeroes;
            return request;
        default:
            return std::nullopt;
    }
}

// The commands that the kernel has; they outlive a Queue that is destroyed under them.
struct Queue::Tags {
    enum class Where : std::uint8_t { Nowhere, Kernel, Server };
    struct Slot final : Operation {
        Tags* tags = nullptr;
        Tag tag{};
        Where where = Where::Nowhere;

        void complete(int result, std::uint32_t) override { tags->completed(*this, result); }
    };

    explicit Tags(QueueListener& l) : listener(&l) {}

    void send(Ring& ring, int node, Slot& slot, std::uint32_t operation, int result) {
        io_uring_sqe* const sqe = ring.prepare(&slot);
        sqe->opcode = IORING_OP_URING_CMD;
        sqe->fd = node;
        sqe->cmd_op = operation;
        const uapi::IoCommand command{
            .queueId = 0, .tag = slot.tag.value, .result = result, .address = 0};
        std::memcpy(reinterpret_cast<std::byte*>(sqe) + uapi::kCommandOffsetInSqe, &command,
                    sizeof command);
        slot.where = Where::Kernel;
        ++inKernel;
    }

    void completed(Slot& slot, int result) {
        --inKernel;
        slot.where = Where::Nowhere;
        if (listener == nullptr) {
            if (inKernel == 0)
                delete this;
            return;
        }
        if (result == 0) {
            slot.where = Where::Server;
            ++inServer;
            listener->requestArrived(slot.tag);
        } else if (result != -ENODEV) {
            // No retry: a queue with a dead tag loses requests, and no kernel notices.
            tellGone(result, "talk to");
        } else if (inKernel == 0 && inServer == 0) {
            tellGone(result, "serve");
        }
    }

    void tellGone(int code, const char* what) {
        if (gone)
            return;
        gone = true;
        listener->queueGone(Error{what, diskName(id), -code, {}});
    }

    QueueListener* listener;
    DeviceId id{};
    std::vector<Slot> slots;
    unsigned inKernel = 0;
    unsigned inServer = 0;
    bool gone = false;
};

Queue::Queue(Ring& ring, QueueListener& listener)
    : ring_(ring), tags_(std::make_unique<Tags>(listener)) {}

Queue::~Queue() {
    if (descriptors_ != nullptr)
        ::munmap(const_cast<uapi::IoDesc*>(descriptors_), mappedBytes_);
    tags_->listener = nullptr;
    if (tags_->inKernel > 0)
        static_cast<void>(tags_.release());
}

Result<void> Queue::open(DeviceId id, std::uint16_t depth) {
    const std::string path = serverNode(id);
    Fd node(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!node)
        return systemError("open", path,
                           errno == EACCES ? "Give this node to the server's user" : "");
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t bytes = (depth * sizeof(uapi::IoDesc) + page - 1) / page * page;
    // Offset 0 is queue 0. Writable is refused (EPERM).
    void* const memory = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, node.get(), 0);
    if (memory == MAP_FAILED)
        return systemError("map", path);
    node_ = std::move(node);
    descriptors_ = static_cast<const uapi::IoDesc*>(memory);
    mappedBytes_ = bytes;
    depth_ = depth;
    tags_->id = id;
    tags_->slots = std::vector<Tags::Slot>(depth);
    for (std::uint16_t i = 0; i < depth; ++i) {
        tags_->slots[i].tags = tags_.get();
        tags_->slots[i].tag = Tag(i);
    }
    return {};
}

void Queue::fetchAll() {
    for (Tags::Slot& slot : tags_->slots)
        tags_->send(ring_, node_.get(), slot, uapi::kFetchReq, 0);
}

std::int64_t Queue::copyFromRequest(Tag tag, ByteSpan to, std::uint32_t offset) const {
    const std::uint64_t position = uapi::userCopyOffset(0, tag.value, offset);
    const ssize_t done = ::pread(node_.get(), to.data(), to.size(), static_cast<off_t>(position));
    return done < 0 ? -errno : done;
}

std::int64_t Queue::copyToRequest(Tag tag, ConstByteSpan from, std::uint32_t offset) const {
    const std::uint64_t position = uapi::userCopyOffset(0, tag.value, offset);
    const ssize_t done =
        ::pwrite(node_.get(), from.data(), from.size(), static_cast<off_t>(position));
    return done < 0 ? -errno : done;
}

void Queue::commit(Tag tag, int result) {
    Tags::Slot& slot = tags_->slots[tag.value];
    if (slot.where != Tags::Where::Server)
        return;
    --tags_->inServer;
    tags_->send(ring_, node_.get(), slot, uapi::kCommitAndFetchReq, result);
}

unsigned Queue::inServer() const {
    return tags_->inServer;
}

}  // namespace belay::ublk
