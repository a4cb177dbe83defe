#include "tests/sim/kernel.h"

#include "tests/sim/wire_text.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace belay::sim {
namespace {

constexpr std::uint32_t kMostBlocks = 4;  // of one request

std::string textOf(const Kernel::Request& request) {
    return rangeText(request.op, std::uint64_t{request.first} * kBlockBytes,
                     request.count * kBlockBytes);
}

}  // namespace

Kernel::Kernel(Context& context, ModelDisk& model, std::uint32_t number)
    : context_(context), device_(number), model_(model), tags_(context.settings.depth) {}

void Kernel::setServer(RequestTaker* server) {
    server_ = server;
    if (server == nullptr)
        return;
    std::vector<std::uint16_t> again;
    for (std::uint16_t i = 0; i < tags_.size(); ++i)
        if (tags_[i].underWay)
            again.push_back(i);
    for (std::size_t i = again.size(); i > 1; --i)
        std::swap(again[i - 1], again[context_.random.below(i)]);
    for (const std::uint16_t tag : again)
        server_->requestArrived(device_, Tag(tag));
}

void Kernel::startWork() {
    toIssue_ = context_.settings.requests;
    issueNext();
}

void Kernel::issueNext() {
    if (toIssue_ == 0)
        return;
    stalled_ = underWay_ == tags_.size();
    if (stalled_)
        return;  // the next answer goes on
    --toIssue_;
    issueAny();
    context_.time.after(1 + context_.random.below(context_.settings.maxPause),
                        [this] { issueNext(); });
}

void Kernel::issueAny() {
    Random& random = context_.random;
    const std::uint32_t first = random.below(context_.settings.blocks);
    const std::uint32_t count =
        1 + random.below(std::min(kMostBlocks, context_.settings.blocks - first));
    const std::uint32_t dice = random.below(100);
    const std::uint16_t fua = random.percent(20) ? wire::kFlagFua : std::uint16_t{0};
    if (dice < 35)
        issue(wire::Op::Read, first, count, 0);
    else if (dice < 75)
        issue(wire::Op::Write, first, count, fua);
    else if (dice < 90)
        issue(wire::Op::Flush, 0, 0, 0);
    else if (dice < 95)
        issue(wire::Op::Discard, first, count, 0);
    else
        issue(wire::Op::WriteZeroes, first, count, fua);
}

void Kernel::issue(wire::Op op, std::uint32_t first, std::uint32_t count, std::uint16_t flags) {
    const auto free = std::ranges::find(tags_, false, &Request::underWay);
    Request& request = *free;
    request = {true, op, flags, first, count, 0, 0};
    if (op == wire::Op::Write)
        request.value = ++lastValue_;
    request.begun =
        wire::changesData(op) ? model_.beginWrite(first, count, request.value) : model_.now();
    ++underWay_;
    const Tag tag(static_cast<std::uint16_t>(free - tags_.begin()));
    context_.note("kernel: {}, tag {}: {}{}{}", device_.value, tag.value, textOf(request),
                  op == wire::Op::Write ? fmt::format(" = {}", request.value) : "",
                  (flags & wire::kFlagFua) != 0 ? ", FUA" : "");
    if (server_ != nullptr)
        server_->requestArrived(device_, tag);
}

Blocks Kernel::payloadOf(Tag tag) const {
    const Request& own = request(tag);
    return Blocks(own.count, own.value);
}

void Kernel::complete(Tag tag, int result, const Blocks& data, bool byPolicy) {
    const Request request = tags_[tag.value];
    context_.note("kernel: {}, tag {}: {} answered: {}", device_.value, tag.value, textOf(request),
                  result);
    if (!request.underWay) {
        context_.broken("a request was answered twice");
        return;
    }
    tags_[tag.value].underWay = false;
    --underWay_;
    if (std::exchange(stalled_, false))
        context_.time.after(1, [this] { issueNext(); });
    const bool ok = result >= 0;
    const bool moves = request.op == wire::Op::Read || request.op == wire::Op::Write;
    if (ok && result != static_cast<int>(moves ? request.count * kBlockBytes : 0))
        context_.broken("{} was answered with {}", textOf(request), result);
    if (!ok && !byPolicy && result != -EOPNOTSUPP)
        ++errors_;
    if (ok && request.op == wire::Op::Read)
        checkRead(request, data);
    if (wire::changesData(request.op))
        model_.endWrite(request.begun, request.first, request.count, ok,
                        (request.flags & wire::kFlagFua) != 0);
    if (request.op == wire::Op::Flush)
        lastFlushOk_ = ok;
    if (request.op == wire::Op::Flush && ok)
        model_.flushed(request.begun);
}

void Kernel::checkRead(const Request& request, const Blocks& data) {
    if (data.size() != request.count) {
        context_.broken("{} returned {} blocks", textOf(request), data.size());
        return;
    }
    for (std::uint32_t i = 0; i < request.count; ++i)
        if (!model_.mayRead(request.first + i, data[i], request.begun))
            context_.broken("block {} reads as {}, which it cannot be", request.first + i, data[i]);
}

std::string Kernel::waiting() const {
    std::string list;
    for (std::size_t i = 0; i < tags_.size(); ++i)
        if (tags_[i].underWay)
            list += fmt::format(" [{}, tag {}: {}]", device_.value, i, textOf(tags_[i]));
    return list;
}

}  // namespace belay::sim
