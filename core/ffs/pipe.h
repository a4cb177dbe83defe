#pragma once

#include "core/ffs/aio.h"
#include "core/ffs/fifo.h"

#include <cstdint>
#include <vector>

namespace belay::ffs {

class Pipe;

// One AIO request on an endpoint.
struct Request {
    iocb control{};
    Pipe* pipe = nullptr;
    std::size_t length = 0;
    std::int64_t result = 0;
    bool done = false;
};

// The requests under way on one endpoint, oldest first: an endpoint completes them in the order
// of submission. A slab of fixed size; addresses never change.
class Pipe {
 public:
    Pipe(int fd, std::size_t capacity) : fd_(fd), slots_(capacity) {}
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    int fd() const { return fd_; }
    bool empty() const { return count_ == 0; }
    bool full() const { return count_ == slots_.size(); }
    bool halfFull() const { return count_ >= slots_.size() / 2; }

    // The slot behind the newest request, for a new one; !full().
    std::size_t nextSlot() const { return (first_ + count_) % slots_.size(); }
    Request& push(std::size_t length) {
        Request& request = slots_[nextSlot()];
        request.pipe = this;
        request.length = length;
        request.done = false;
        bytes_ += length;
        ++count_;
        return request;
    }
    // Takes the newest back, which was not started.
    void unpush() {
        --count_;
        bytes_ -= slots_[nextSlot()].length;
    }
    std::size_t frontSlot() const { return first_; }
    Request& front() { return slots_[first_]; }
    void pop() {
        bytes_ -= slots_[first_].length;
        first_ = (first_ + 1) % slots_.size();
        --count_;
    }
    // Bytes of all requests under way: so much memory FunctionFS holds for them.
    std::size_t bytes() const { return bytes_; }

    // Calls `visit` on every request whose event is not in.
    template <class Visit>
    void forEachPending(Visit visit) {
        for (std::size_t i = 0; i < count_; ++i)
            if (Request& request = slots_[(first_ + i) % slots_.size()]; !request.done)
                visit(request);
    }

 private:
    int fd_;
    std::vector<Request> slots_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
};

// A payload on its way, cut into requests from front to back.
struct Payload {
    std::byte* data = nullptr;
    std::size_t length = 0;
    std::uint64_t cookie = 0;
    std::size_t done = 0;
};

// Payloads of one direction, in order, and how far they have been cut into requests.
class PayloadQueue {
 public:
    void push(std::byte* data, std::size_t length, std::uint64_t cookie) {
        payloads_.push({data, length, cookie, 0});
    }
    // The next piece to submit, of at most `limit` bytes; empty when all is cut.
    ByteSpan cut(std::size_t limit) {
        while (cutting_ < payloads_.size()) {
            const Payload& payload = payloads_.at(cutting_);
            const std::size_t length = std::min(limit, payload.length - cutBytes_);
            const ByteSpan piece(payload.data + cutBytes_, length);
            cutBytes_ += length;
            if (cutBytes_ == payload.length) {
                ++cutting_;
                cutBytes_ = 0;
            }
            if (length > 0)
                return piece;
        }
        return {};
    }
    // Takes back the piece that was cut last.
    void uncut(ByteSpan piece) {
        if (cutBytes_ == 0) {
            --cutting_;
            cutBytes_ = payloads_.at(cutting_).length;
        }
        cutBytes_ -= piece.size();
    }
    bool hasUncut() const { return cutting_ < payloads_.size(); }
    // The oldest payload gained `bytes`.
    void advance(std::size_t bytes) { payloads_.front().done += bytes; }
    // True when the oldest payload is complete and not yet taken by popComplete().
    bool hasComplete() {
        return cutting_ > 0 && payloads_.front().done == payloads_.front().length;
    }
    // Takes the oldest payload, which is complete; returns its cookie.
    std::uint64_t popComplete() {
        const std::uint64_t cookie = payloads_.front().cookie;
        payloads_.pop();
        --cutting_;
        return cookie;
    }

 private:
    Fifo<Payload> payloads_;
    std::size_t cutting_ = 0;   // index of the payload being cut
    std::size_t cutBytes_ = 0;  // how much of it is cut
};

}  // namespace belay::ffs
