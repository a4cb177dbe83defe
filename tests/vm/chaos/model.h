#pragma once

#include "core/base/fd.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace chaos {

inline constexpr std::size_t kBlock = 4096;

// What a disk may show: of each block of 4 KiB, which of its generations a read may return.
//
// - Each write of a block is a generation of its own, counted from 1; 0 is what the disk was made
//   with. A block has its generation, its number and its disk written all over it.
// - It lives in a file that several processes map: one that writes and reads the disk, one that
//   directs what happens to the disk. It outlives both, as the bytes must.
// - A block belongs to one thread: what one does to it is begun when what it did before is over.
class Model {
 public:
    // Makes the file for a disk of so many blocks; `seed` tells disks apart. Ends the program if it
    // cannot, as does open().
    static Model make(const std::string& file, std::uint64_t seed, std::uint32_t blocks);
    static Model open(const std::string& file);
    Model(Model&& other) noexcept;
    Model& operator=(Model&&) = delete;
    ~Model();

    std::uint32_t blocks() const { return blocks_; }

    // A write of zeroes, or of what fill() makes, is about to be sent: its generation.
    std::uint32_t writeBegins(std::uint32_t block, bool zeroes);
    // It was answered; `durable`: as one with FUA.
    void writeAnswered(std::uint32_t block, std::uint32_t generation, bool durable);
    // What has been answered as a flush begins, for flushAnswered().
    std::vector<std::uint32_t> answered() const;
    void flushAnswered(const std::vector<std::uint32_t>& answeredBefore);
    std::uint64_t flushes() const { return header_->flushes; }
    // From now on a block may show what it had at its last flush, or anything newer.
    void allowLoss();

    // Whether requests may fail: somebody has asked for it.
    bool errorsAllowed() const { return header_->errorsAllowed; }
    void allowErrors(bool allowed) { header_->errorsAllowed = allowed; }
    // Requests that have succeeded, and that have failed.
    std::uint64_t succeeded() const { return header_->succeeded; }
    std::uint64_t failed() const { return header_->failed; }
    void count(bool success) { ++(success ? header_->succeeded : header_->failed); }

    void fill(std::span<std::byte> content, std::uint32_t block, std::uint32_t generation) const;
    // Takes what was read of a block, which from then on has to stay or become newer. What is wrong
    // with it, if something is.
    std::optional<std::string> take(std::span<const std::byte> content, std::uint32_t block);

 private:
    struct Header {
        std::uint64_t seed;
        std::uint32_t blocks;
        std::atomic<bool> errorsAllowed;
        std::atomic<std::uint64_t> succeeded;
        std::atomic<std::uint64_t> failed;
        std::atomic<std::uint64_t> flushes;
    };
    struct Block {
        std::atomic<std::uint32_t> sent;      // the newest generation
        std::atomic<std::uint32_t> answered;  // the oldest that may still show
        std::atomic<std::uint32_t> durable;   // the oldest that may show after a loss
        std::atomic<std::uint32_t> zeroes;    // the newest that is all zeroes, 0 if none is
    };

    Model(const belay::Fd& file, std::size_t bytes);
    static std::size_t bytesFor(std::uint32_t blocks);
    std::optional<std::uint32_t> generationOf(std::span<const std::byte> content,
                                              std::uint32_t block) const;

    Header* header_;
    std::uint32_t blocks_ = 0;
    Block* all_;
    std::size_t bytes_;
};

}  // namespace chaos
