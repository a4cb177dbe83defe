#include "core/wire/control_codec.h"

#include "core/base/crc32c.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace belay::wire {
namespace {

constexpr std::string_view kMagic = "BELY";
// HELLO and OPEN have both in the same place.
static_assert(HelloLayout::kMagic.end() == OpenLayout::kMagic.end() &&
              HelloLayout::kVersion.offset == OpenLayout::kVersion.offset);

tl::unexpected<Error> refuse(std::string_view kind, std::string_view problem,
                             std::string value = {}, std::string hint = {}) {
    return failure(fmt::format("{} refused: {}", kind, problem), std::move(value), std::move(hint));
}

template <const Field& F>
void putUuid(ByteSpan out, const Uuid& uuid) {
    static_assert(F.size == sizeof uuid.bytes);
    std::ranges::copy(std::as_bytes(std::span(uuid.bytes)), slot<F>(out).begin());
}

template <const Field& F>
Uuid getUuid(ConstByteSpan bytes) {
    Uuid uuid;
    static_assert(F.size == sizeof uuid.bytes);
    std::ranges::copy(part<F>(bytes), std::as_writable_bytes(std::span(uuid.bytes)).begin());
    return uuid;
}

template <class L>
std::uint32_t crcOf(ConstByteSpan bytes) {
    return crc32c(bytes.first(L::kCrc.offset));
}

template <class L>
void seal(ByteSpan out) {
    put<L::kCrc>(out, crcOf<L>(out));
}

void putMagic(ByteSpan out) {
    std::ranges::copy(std::as_bytes(std::span(kMagic)), slot<HelloLayout::kMagic>(out).begin());
}

// Length and CRC, which every data stage has.
template <class L>
Result<void> checkFrame(std::string_view kind, ConstByteSpan data) {
    if (data.size() != L::kBytes)
        return refuse(kind, "wrong length",
                      fmt::format("{} bytes instead of {}", data.size(), L::kBytes));
    if (const auto crc = get<L::kCrc>(data); crc != crcOf<L>(data))
        return refuse(kind, "wrong CRC",
                      fmt::format("{:#010x} instead of {:#010x}", crc, crcOf<L>(data)));
    return {};
}

// Magic and version first: another version may have another length.
template <class L>
Result<void> checkGreeting(std::string_view kind, ConstByteSpan data) {
    const auto version = peekVersion(data);
    if (!version)
        return refuse(kind, "no Belay message");
    if (*version != kNativeVersion)
        return refuse(kind, "unknown version",
                      fmt::format("{} instead of {}", *version, kNativeVersion),
                      "Install the same version of Belay at both ends of the cable.");
    return checkFrame<L>(kind, data);
}

Result<void> checkLimits(std::string_view kind, std::uint32_t maxTransfer,
                         std::uint16_t maxOutstanding) {
    if (maxTransfer == 0 || maxTransfer % kTransferUnitBytes != 0)
        return refuse(kind, "longest transfer is no multiple of 512 bytes",
                      fmt::format("{}", maxTransfer));
    if (maxOutstanding == 0)
        return refuse(kind, "no request may be outstanding");
    return {};
}

}  // namespace

std::array<std::byte, HelloLayout::kBytes> encode(const Hello& hello) {
    using L = HelloLayout;
    std::array<std::byte, L::kBytes> out{};
    putMagic(out);
    put<L::kVersion>(out, hello.version);
    put<L::kRoles>(out, hello.roles);
    put<L::kFeatures>(out, hello.features);
    put<L::kMaxTransfer>(out, hello.maxTransfer);
    put<L::kMaxOutstanding>(out, hello.maxOutstanding);
    put<L::kMaxExports>(out, hello.maxExports);
    putUuid<L::kGadget>(out, hello.gadget);
    putUuid<L::kBootId>(out, hello.bootId);
    put<L::kVerifier>(out, hello.verifier.value);
    seal<L>(out);
    return out;
}

std::array<std::byte, OpenLayout::kBytes> encode(const Open& open) {
    using L = OpenLayout;
    std::array<std::byte, L::kBytes> out{};
    putMagic(out);
    put<L::kVersion>(out, open.version);
    put<L::kMaxOutstanding>(out, open.maxOutstanding);
    put<L::kFeatures>(out, open.features);
    put<L::kMaxTransfer>(out, open.maxTransfer);
    put<L::kEpoch>(out, open.epoch.value);
    putUuid<L::kHost>(out, open.host);
    seal<L>(out);
    return out;
}

std::array<std::byte, OpenedLayout::kBytes> encode(const Opened& opened) {
    using L = OpenedLayout;
    std::array<std::byte, L::kBytes> out{};
    put<L::kEpoch>(out, opened.epoch.value);
    put<L::kState>(out, static_cast<std::uint8_t>(opened.state));
    put<L::kReason>(out, static_cast<std::uint8_t>(opened.reason));
    seal<L>(out);
    return out;
}

std::array<std::byte, StatusLayout::kBytes> encode(const Status& status) {
    using L = StatusLayout;
    std::array<std::byte, L::kBytes> out{};
    put<L::kEpoch>(out, status.epoch.value);
    put<L::kChanges>(out, status.changes);
    put<L::kReceived>(out, status.received);
    put<L::kSent>(out, status.sent);
    put<L::kVerifier>(out, status.verifier.value);
    seal<L>(out);
    return out;
}

std::optional<std::uint16_t> peekVersion(ConstByteSpan data) {
    using L = HelloLayout;
    if (data.size() < L::kVersion.end() ||
        !std::ranges::equal(part<L::kMagic>(data), std::as_bytes(std::span(kMagic))))
        return std::nullopt;
    return get<L::kVersion>(data);
}

Result<Hello> decodeHello(ConstByteSpan data) {
    using L = HelloLayout;
    constexpr std::string_view kKind = "HELLO";
    if (auto sound = checkGreeting<L>(kKind, data); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    Hello hello{.version = get<L::kVersion>(data),
                .roles = get<L::kRoles>(data),
                .features = get<L::kFeatures>(data),
                .maxTransfer = get<L::kMaxTransfer>(data),
                .maxOutstanding = get<L::kMaxOutstanding>(data),
                .maxExports = get<L::kMaxExports>(data),
                .gadget = getUuid<L::kGadget>(data),
                .bootId = getUuid<L::kBootId>(data),
                .verifier = Verifier(get<L::kVerifier>(data))};
    if (hello.roles == 0)
        return refuse(kKind, "no role");
    if ((hello.roles & ~(kRoleLend | kRoleAttach)) != 0)
        return refuse(kKind, "unknown roles", fmt::format("{:#06x}", hello.roles));
    if (auto sound = checkLimits(kKind, hello.maxTransfer, hello.maxOutstanding); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    if (hello.maxExports == 0 || hello.maxExports > kMaxExports)
        return refuse(kKind, "number of exports is not 1 to 256",
                      fmt::format("{}", hello.maxExports));
    if (hello.gadget.isNil())
        return refuse(kKind, "no gadget uuid");
    return hello;
}

Result<Open> decodeOpen(ConstByteSpan data) {
    using L = OpenLayout;
    constexpr std::string_view kKind = "OPEN";
    if (auto sound = checkGreeting<L>(kKind, data); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    Open open{.version = get<L::kVersion>(data),
              .features = get<L::kFeatures>(data),
              .maxTransfer = get<L::kMaxTransfer>(data),
              .maxOutstanding = get<L::kMaxOutstanding>(data),
              .epoch = Epoch(get<L::kEpoch>(data)),
              .host = getUuid<L::kHost>(data)};
    if (open.epoch.value == 0)
        return refuse(kKind, "no epoch");
    if (auto sound = checkLimits(kKind, open.maxTransfer, open.maxOutstanding); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    if (open.host.isNil())
        return refuse(kKind, "no host uuid");
    return open;
}

Result<Opened> decodeOpened(ConstByteSpan data) {
    using L = OpenedLayout;
    constexpr std::string_view kKind = "OPENED";
    if (auto sound = checkFrame<L>(kKind, data); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    const auto state = get<L::kState>(data);
    const auto reason = get<L::kReason>(data);
    if (state > static_cast<std::uint8_t>(OpenState::Refused))
        return refuse(kKind, "unknown state", fmt::format("{}", state));
    if (reason > static_cast<std::uint8_t>(RefusedReason::Internal))
        return refuse(kKind, "unknown reason", fmt::format("{}", reason));
    if (!isZero(part<L::kReserved>(data)))
        return refuse(kKind, "reserved bytes are not 0");
    const Opened opened{.epoch = Epoch(get<L::kEpoch>(data)),
                        .state = OpenState(state),
                        .reason = RefusedReason(reason)};
    if (opened.state == OpenState::Refused && opened.reason == RefusedReason::None)
        return refuse(kKind, "refusal without a reason");
    if (opened.state != OpenState::Refused && opened.reason != RefusedReason::None)
        return refuse(kKind, "reason without a refusal", fmt::format("{}", reason));
    if ((opened.state == OpenState::Ready || opened.state == OpenState::Draining) &&
        opened.epoch.value == 0)
        return refuse(kKind, "no epoch");
    return opened;
}

Result<Status> decodeStatus(ConstByteSpan data) {
    using L = StatusLayout;
    if (auto sound = checkFrame<L>("STATUS", data); !sound)
        return tl::make_unexpected(std::move(sound.error()));
    return Status{.epoch = Epoch(get<L::kEpoch>(data)),
                  .changes = get<L::kChanges>(data),
                  .received = get<L::kReceived>(data),
                  .sent = get<L::kSent>(data),
                  .verifier = Verifier(get<L::kVerifier>(data))};
}

RefusedReason judgeOpen(ConstByteSpan data, const Hello& offer) {
    const auto version = peekVersion(data);
    if (version && *version != offer.version)
        return RefusedReason::Version;
    const auto open = decodeOpen(data);
    if (!open)
        return RefusedReason::BadMessage;
    if ((open->features & ~offer.features) != 0)
        return RefusedReason::Features;
    if (open->maxTransfer > offer.maxTransfer || open->maxOutstanding > offer.maxOutstanding)
        return RefusedReason::Limits;
    return RefusedReason::None;
}

}  // namespace belay::wire
