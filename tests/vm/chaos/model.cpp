#include "tests/vm/chaos/model.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace chaos {
namespace {

[[noreturn]] void die(const std::string& what) {
    std::perror(what.c_str());
    std::exit(2);
}

// A block is made of these; the fourth word and those after it follow from the three before.
struct Stamp {
    std::uint64_t seed;
    std::uint64_t block;
    std::uint64_t generation;
};
static_assert(kBlock % sizeof(std::uint64_t) == 0);

// The next number of a sequence that looks random (splitmix64's step).
std::uint64_t next(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

void write(std::span<std::byte> content, const Stamp& stamp) {
    std::memcpy(content.data(), &stamp, sizeof(stamp));
    std::uint64_t state = stamp.seed ^ (stamp.block << 32) ^ stamp.generation;
    for (std::size_t at = sizeof(stamp); at < kBlock; at += sizeof(state)) {
        const std::uint64_t word = next(state);
        std::memcpy(content.data() + at, &word, sizeof(word));
    }
}

}  // namespace

std::size_t Model::bytesFor(std::uint32_t blocks) {
    return sizeof(Header) + blocks * sizeof(Block);
}

Model::Model(const belay::Fd& file, std::size_t bytes) : bytes_(bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (memory == MAP_FAILED)
        die("cannot map a model");
    header_ = static_cast<Header*>(memory);
    all_ = reinterpret_cast<Block*>(header_ + 1);
    blocks_ = header_->blocks;
}

Model::Model(Model&& other) noexcept
    : header_(std::exchange(other.header_, nullptr)),
      blocks_(other.blocks_),
      all_(other.all_),
      bytes_(other.bytes_) {}

Model::~Model() {
    if (header_ != nullptr)
        ::munmap(header_, bytes_);
}

Model Model::make(const std::string& file, std::uint64_t seed, std::uint32_t blocks) {
    const belay::Fd made(::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!made || ::ftruncate(made.get(), static_cast<off_t>(bytesFor(blocks))) != 0)
        die(file);
    Model model(made, bytesFor(blocks));
    model.header_->seed = seed;
    model.header_->blocks = model.blocks_ = blocks;
    return model;
}

Model Model::open(const std::string& file) {
    const belay::Fd found(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    struct stat status {};
    if (!found || ::fstat(found.get(), &status) != 0)
        die(file);
    return {found, static_cast<std::size_t>(status.st_size)};
}

std::uint32_t Model::writeBegins(std::uint32_t block, bool zeroes) {
    const std::uint32_t generation = ++all_[block].sent;
    if (zeroes)
        all_[block].zeroes = generation;
    return generation;
}

void Model::writeAnswered(std::uint32_t block, std::uint32_t generation, bool durable) {
    all_[block].answered = generation;
    if (durable)
        all_[block].durable = generation;
}

std::vector<std::uint32_t> Model::answered() const {
    std::vector<std::uint32_t> now(blocks_);
    for (std::uint32_t block = 0; block < blocks_; ++block)
        now[block] = all_[block].answered;
    return now;
}

void Model::flushAnswered(const std::vector<std::uint32_t>& answeredBefore) {
    for (std::uint32_t block = 0; block < blocks_; ++block)
        all_[block].durable = std::max(answeredBefore[block], all_[block].durable.load());
    ++header_->flushes;
}

void Model::allowLoss() {
    for (std::uint32_t block = 0; block < blocks_; ++block)
        all_[block].answered = all_[block].durable.load();
}

void Model::fill(std::span<std::byte> content, std::uint32_t block,
                 std::uint32_t generation) const {
    write(content, {header_->seed, block, generation});
}

std::optional<std::uint32_t> Model::generationOf(std::span<const std::byte> content,
                                                 std::uint32_t block) const {
    if (std::ranges::all_of(content, [](std::byte byte) { return byte == std::byte{}; })) {
        const std::uint32_t zeroes = all_[block].zeroes;
        return zeroes != 0 ? std::optional(zeroes) : std::nullopt;
    }
    Stamp stamp{};
    std::memcpy(&stamp, content.data(), sizeof(stamp));
    std::vector<std::byte> whole(kBlock);
    write(whole, stamp);
    if (stamp.seed != header_->seed || stamp.block != block || !std::ranges::equal(whole, content))
        return std::nullopt;
    return static_cast<std::uint32_t>(stamp.generation);
}

std::optional<std::string> Model::take(std::span<const std::byte> content, std::uint32_t block) {
    const std::uint32_t oldest = all_[block].answered;
    const std::uint32_t newest = all_[block].sent;
    const auto generation = generationOf(content, block);
    if (!generation) {
        Stamp stamp{};
        std::memcpy(&stamp, content.data(), sizeof(stamp));
        return fmt::format(
            "block {} is none of its generations {} to {}, but begins with disk {:#x}, block {}, "
            "generation {}",
            block, oldest, newest, stamp.seed, stamp.block, stamp.generation);
    }
    if (*generation < oldest || *generation > newest)
        return fmt::format("block {} shows generation {}, not one of {} to {} ({} is durable)",
                           block, *generation, oldest, newest, all_[block].durable.load());
    all_[block].answered = *generation;
    return std::nullopt;
}

}  // namespace chaos
