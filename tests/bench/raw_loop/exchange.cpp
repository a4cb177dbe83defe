#include "tests/bench/raw_loop/exchange.h"

#include "core/base/clock.h"

#include <sys/resource.h>

#include <algorithm>

namespace rawloop {
namespace {

using belay::ByteSpan;
using belay::Result;

// The transfers of one pipe during a job.
struct Lane {
    std::uint32_t started = 0;
    std::uint32_t completed = 0;
    std::uint32_t limit = 0;  // how many may be started by now
};

bool sends(End end, Pipe pipe) {
    const bool towardsHost = pipe == Pipe::MessageIn || pipe == Pipe::PayloadIn;
    return towardsHost == (end == End::Gadget);
}

double cpuSeconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void stamp(ByteSpan buffer, std::uint32_t number) {
    belay::storeLe<std::uint32_t>(buffer, 0, number);
    belay::storeLe<std::uint32_t>(buffer, buffer.size() - sizeof number, number);
}

bool isStamped(ByteSpan buffer, std::uint32_t number) {
    return belay::loadLe<std::uint32_t>(buffer, 0) == number &&
           belay::loadLe<std::uint32_t>(buffer, buffer.size() - sizeof number) == number;
}

class Exchange final : public Transport::Listener {
 public:
    Exchange(const Job& job, End self, Transport& transport)
        : job_(job), self_(self), transport_(transport) {
        const bool host = job.initiator == End::Host;
        request_ = host ? Pipe::MessageOut : Pipe::MessageIn;
        response_ = host ? Pipe::MessageIn : Pipe::MessageOut;
        const bool towardsHost = host == (job.kind == Kind::Read);
        payload_ = towardsHost ? Pipe::PayloadIn : Pipe::PayloadOut;
    }

    Result<void> prepare() {
        std::array<std::uint32_t, kPipes> lengths{};
        lengths[index(payload_)] = job_.payloadBytes;
        if (job_.kind != Kind::Send)
            lengths[index(request_)] = lengths[index(response_)] = kMessageBytes;
        return transport_.prepare(lengths, job_.depth, *this);
    }

    Result<void> drive() {
        for (;;) {
            setLimits();
            for (const Pipe pipe : kAllPipes)
                if (auto started = startAll(pipe); !started)
                    return started;
            if (lane(payload_).completed == job_.count &&
                (job_.kind == Kind::Send || lane(response_).completed == job_.count))
                return {};
            if (auto waited = transport_.wait(); !waited)
                return waited;
            if (wrong_)
                return belay::failure("raw loop: a transfer carried other data than was sent",
                                      name(job_));
        }
    }

    void completed(Pipe pipe) override {
        const std::uint32_t number = lane(pipe).completed++;
        if (!sends(self_, pipe) && !isStamped(transport_.buffer(pipe, number % job_.depth), number))
            wrong_ = true;
    }

 private:
    static std::size_t index(Pipe pipe) { return static_cast<std::size_t>(pipe); }
    Lane& lane(Pipe pipe) { return lanes_[index(pipe)]; }

    void setLimits() {
        const std::uint32_t all = job_.count;
        Lane& payload = lane(payload_);
        if (job_.kind == Kind::Send) {
            payload.limit = all;
            return;
        }
        Lane& request = lane(request_);
        Lane& response = lane(response_);
        const bool read = job_.kind == Kind::Read;
        if (self_ == job_.initiator) {
            // A request's place is free again when its response and, if any, its payload are in.
            const std::uint32_t answered =
                read ? std::min(response.completed, payload.completed) : response.completed;
            request.limit = std::min(all, answered + job_.depth);
            payload.limit = read ? all : request.limit;
            response.limit = all;
        } else {
            request.limit = all;
            payload.limit = read ? request.completed : all;
            response.limit =
                read ? request.completed : std::min(request.completed, payload.completed);
        }
    }

    Result<void> startAll(Pipe pipe) {
        Lane& its = lane(pipe);
        while (its.started < its.limit && its.started - its.completed < job_.depth) {
            const std::uint32_t slot = its.started % job_.depth;
            if (sends(self_, pipe))
                stamp(transport_.buffer(pipe, slot), its.started);
            ++its.started;
            if (auto started = transport_.start(pipe, slot); !started)
                return started;
        }
        return {};
    }

    Job job_;
    End self_;
    Transport& transport_;
    Pipe request_;
    Pipe response_;
    Pipe payload_;
    std::array<Lane, kPipes> lanes_;
    bool wrong_ = false;
};

}  // namespace

Result<Outcome> run(const Job& job, End self, Transport& transport) {
    Exchange exchange(job, self, transport);
    if (auto prepared = exchange.prepare(); !prepared)
        return tl::make_unexpected(prepared.error());
    const double cpuBefore = cpuSeconds();
    const belay::TimePoint begin = belay::Clock::now();
    if (auto driven = exchange.drive(); !driven)
        return tl::make_unexpected(driven.error());
    const std::chrono::duration<double> elapsed = belay::Clock::now() - begin;
    return Outcome{elapsed.count(), cpuSeconds() - cpuBefore};
}

}  // namespace rawloop
