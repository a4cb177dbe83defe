#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace belay::wire {

// Labels come from a peer and end up in windows, terminals and password prompts.

// Longest label in bytes.
inline constexpr std::size_t kMaxLabelBytes = 63;

// `text` with '?' for every character that shows nothing or changes how its neighbours are shown
// (control characters, line separators, direction overrides, invisible formats, tags,
// noncharacters); the other text stays as it is. Nothing when `text` is not UTF-8 (RFC 3629:
// no overlong forms, no surrogates, nothing beyond U+10FFFF).
std::optional<std::string> printable(std::string_view text);

// The same, but with '?' also for each byte that is not UTF-8, cut after the last whole character
// within `maxBytes`: what may be sent of a label of ours.
std::string fitLabel(std::string_view text, std::size_t maxBytes = kMaxLabelBytes);

}  // namespace belay::wire
