#pragma once

#include "core/base/bytes.h"
#include "core/base/error.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace belay {

class Arena;

// A slice of an Arena, given back when destroyed. Keeps the memory mapped as long as it lives.
class Buffer {
 public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer();

    // Exactly the length asked for; page-aligned.
    ByteSpan bytes() const { return bytes_; }
    explicit operator bool() const { return arena_ != nullptr; }

 private:
    friend class Arena;
    Buffer(std::shared_ptr<Arena> arena, ByteSpan bytes)
        : arena_(std::move(arena)), bytes_(bytes) {}
    std::shared_ptr<Arena> arena_;
    ByteSpan bytes_;
};

// Transfer memory of fixed size, handed out in slices: it bounds what a link has in flight.
//
// - Slices never span two chunks, so one may be as long as a chunk (kChunkBytes) at most.
// - Not thread-safe; no system call after construction but for takeAnywhere().
class Arena : public std::enable_shared_from_this<Arena> {
 public:
    static constexpr std::size_t kChunkBytes = 1 << 20;
    static constexpr std::size_t kPageBytes = 4096;

    // Anonymous memory. `bytes` is rounded up to whole chunks.
    static Result<std::shared_ptr<Arena>> heap(std::size_t bytes);
    // Memory of others (usbfs, a dma-buf): chunks of kChunkBytes each, page-aligned, which `owner`
    // unmaps when the arena and all its buffers are gone.
    static std::shared_ptr<Arena> over(std::vector<std::byte*> chunks, std::shared_ptr<void> owner);

    // A slice of `length` bytes (1 .. kChunkBytes), or nothing when there is no room now.
    std::optional<Buffer> take(std::size_t length);
    // The same, but what is available() is to be had: if it is free in pieces only, as others keep
    // their slices, ordinary memory takes its place and counts like the arena's own. Nothing also
    // if the system has no memory.
    std::optional<Buffer> takeAnywhere(std::size_t length);

    std::size_t capacity() const { return chunks_.size() * kChunkBytes; }
    std::size_t available() const { return availablePages_ * kPageBytes; }

 private:
    friend class Buffer;
    static constexpr std::size_t kChunkPages = kChunkBytes / kPageBytes;
    struct Chunk {
        std::byte* base;
        std::size_t freePages = kChunkPages;
        // A bit for each page, 64 in a word: searched and marked word by word, as a long slice
        // takes all of them.
        std::array<std::uint64_t, kChunkPages / 64> used{};

        // How many pages from `page` on are all used, or all free.
        std::size_t run(std::size_t page, bool areUsed) const;
        // The first of so many free pages in a row; kChunkPages if there are none.
        std::size_t findFree(std::size_t pages) const;
        void mark(std::size_t page, std::size_t pages, bool areUsed);
    };

    Arena(std::vector<std::byte*> chunks, std::shared_ptr<void> owner);
    void giveBack(ByteSpan bytes);

    std::vector<Chunk> chunks_;
    std::size_t availablePages_;
    std::shared_ptr<void> owner_;
};

}  // namespace belay
