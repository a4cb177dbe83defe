#include "core/base/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace belay {
namespace {

std::size_t pagesFor(std::size_t length) {
    return (length + Arena::kPageBytes - 1) / Arena::kPageBytes;
}

}  // namespace

Buffer::Buffer(Buffer&& other) noexcept
    : arena_(std::move(other.arena_)), bytes_(std::exchange(other.bytes_, {})) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    if (this != &other) {
        if (arena_)
            arena_->giveBack(bytes_);
        arena_ = std::move(other.arena_);
        bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
}

Buffer::~Buffer() {
    if (arena_)
        arena_->giveBack(bytes_);
}

Arena::Arena(std::vector<std::byte*> chunks, std::shared_ptr<void> owner)
    : availablePages_(chunks.size() * kChunkPages), owner_(std::move(owner)) {
    for (std::byte* base : chunks)
        chunks_.push_back(Chunk{.base = base});
}

std::size_t Arena::Chunk::run(std::size_t page, bool areUsed) const {
    std::size_t length = 0;
    while (page + length < kChunkPages) {
        const std::size_t bit = (page + length) % 64;
        const std::uint64_t word = used[(page + length) / 64];
        const auto same =
            static_cast<std::size_t>(std::countr_one((areUsed ? word : ~word) >> bit));
        length += same;
        if (same < 64 - bit)
            break;
    }
    return length;
}

std::size_t Arena::Chunk::findFree(std::size_t pages) const {
    std::size_t page = 0;
    while (page + pages <= kChunkPages) {
        page += run(page, true);
        const std::size_t free = run(page, false);
        if (free >= pages)
            return page;
        page += free;
    }
    return kChunkPages;
}

void Arena::Chunk::mark(std::size_t page, std::size_t pages, bool areUsed) {
    for (std::size_t left = pages; left > 0;) {
        const std::size_t bit = page % 64;
        const std::size_t count = std::min(left, 64 - bit);
        const std::uint64_t mask = ~std::uint64_t{0} >> (64 - count) << bit;
        if (areUsed)
            used[page / 64] |= mask;
        else
            used[page / 64] &= ~mask;
        page += count;
        left -= count;
    }
    freePages = areUsed ? freePages - pages : freePages + pages;
}

Result<std::shared_ptr<Arena>> Arena::heap(std::size_t bytes) {
    const std::size_t count = (bytes + kChunkBytes - 1) / kChunkBytes;
    const std::size_t length = count * kChunkBytes;
    void* memory =
        ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return systemError("allocate transfer memory");
    std::shared_ptr<void> owner(memory, [length](void* m) { ::munmap(m, length); });
    std::vector<std::byte*> chunks;
    for (std::size_t i = 0; i < count; ++i)
        chunks.push_back(static_cast<std::byte*>(memory) + i * kChunkBytes);
    return over(std::move(chunks), std::move(owner));
}

std::shared_ptr<Arena> Arena::over(std::vector<std::byte*> chunks, std::shared_ptr<void> owner) {
    return std::shared_ptr<Arena>(new Arena(std::move(chunks), std::move(owner)));
}

std::optional<Buffer> Arena::take(std::size_t length) {
    const std::size_t pages = pagesFor(length);
    if (length == 0 || pages > kChunkPages || pages > availablePages_)
        return std::nullopt;
    for (Chunk& chunk : chunks_) {
        if (chunk.freePages < pages)
            continue;
        const std::size_t first = chunk.findFree(pages);
        if (first == kChunkPages)
            continue;
        chunk.mark(first, pages, true);
        availablePages_ -= pages;
        return Buffer(shared_from_this(), ByteSpan(chunk.base + first * kPageBytes, length));
    }
    return std::nullopt;
}

std::optional<Buffer> Arena::takeAnywhere(std::size_t length) {
    if (auto slice = take(length))
        return slice;
    const std::size_t pages = pagesFor(length);
    if (length == 0 || pages > kChunkPages || pages > availablePages_)
        return std::nullopt;
    void* memory =
        ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return std::nullopt;
    availablePages_ -= pages;
    return Buffer(shared_from_this(), ByteSpan(static_cast<std::byte*>(memory), length));
}

void Arena::giveBack(ByteSpan bytes) {
    const std::size_t pages = pagesFor(bytes.size());
    for (Chunk& chunk : chunks_) {
        if (bytes.data() < chunk.base || bytes.data() >= chunk.base + kChunkBytes)
            continue;
        const std::size_t first = static_cast<std::size_t>(bytes.data() - chunk.base) / kPageBytes;
        chunk.mark(first, pages, false);
        availablePages_ += pages;
        return;
    }
    ::munmap(bytes.data(), bytes.size());
    availablePages_ += pages;
}

}  // namespace belay
