#include "core/wire/label.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace belay::wire {
namespace {

struct Character {
    char32_t code = 0;
    std::size_t bytes = 0;  // 0: not UTF-8
};

// The ranges of lead bytes with what may follow, as RFC 3629 section 4 has them.
struct LeadBytes {
    std::uint8_t first;
    std::uint8_t last;
    std::size_t length;
    std::uint8_t payloadMask;
    std::uint8_t secondFirst;
    std::uint8_t secondLast;
};
constexpr std::array kLeadBytes{
    LeadBytes{0xC2, 0xDF, 2, 0x1F, 0x80, 0xBF}, LeadBytes{0xE0, 0xE0, 3, 0x0F, 0xA0, 0xBF},
    LeadBytes{0xE1, 0xEC, 3, 0x0F, 0x80, 0xBF}, LeadBytes{0xED, 0xED, 3, 0x0F, 0x80, 0x9F},
    LeadBytes{0xEE, 0xEF, 3, 0x0F, 0x80, 0xBF}, LeadBytes{0xF0, 0xF0, 4, 0x07, 0x90, 0xBF},
    LeadBytes{0xF1, 0xF3, 4, 0x07, 0x80, 0xBF}, LeadBytes{0xF4, 0xF4, 4, 0x07, 0x80, 0x8F},
};

std::uint8_t byteAt(std::string_view text, std::size_t i) {
    return static_cast<std::uint8_t>(text[i]);
}

// The first character of a text that is not empty.
Character firstOf(std::string_view text) {
    const std::uint8_t lead = byteAt(text, 0);
    if (lead < 0x80)
        return {lead, 1};
    const auto* form = std::ranges::find_if(
        kLeadBytes, [lead](const LeadBytes& f) { return lead >= f.first && lead <= f.last; });
    if (form == kLeadBytes.end() || text.size() < form->length)
        return {};
    if (byteAt(text, 1) < form->secondFirst || byteAt(text, 1) > form->secondLast)
        return {};
    char32_t code = lead & form->payloadMask;
    for (std::size_t i = 1; i < form->length; ++i) {
        if ((byteAt(text, i) & 0xC0) != 0x80)
            return {};
        code = code << 6 | (byteAt(text, i) & 0x3F);
    }
    return {code, form->length};
}

struct Range {
    char32_t first;
    char32_t last;
};
// Unicode's general categories Cc, Cf (but for the joiners U+200C and U+200D, which emoji and
// several scripts need), Zl, Zp, and what looks like nothing though it is a letter.
constexpr std::array kHidden{
    Range{0x0000, 0x001F},   Range{0x007F, 0x009F}, Range{0x00AD, 0x00AD}, Range{0x061C, 0x061C},
    Range{0x115F, 0x1160},   Range{0x180B, 0x180F}, Range{0x200B, 0x200B}, Range{0x200E, 0x200F},
    Range{0x2028, 0x202E},   Range{0x2060, 0x206F}, Range{0x3164, 0x3164}, Range{0xFDD0, 0xFDEF},
    Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0}, Range{0xFFF0, 0xFFFC}, Range{0x1D173, 0x1D17A},
    Range{0xE0000, 0xE0FFF},
};

bool isHidden(char32_t code) {
    if ((code & 0xFFFE) == 0xFFFE)
        return true;
    return std::ranges::any_of(
        kHidden, [code](const Range& r) { return code >= r.first && code <= r.last; });
}

}  // namespace

std::optional<std::string> printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const Character character = firstOf(text);
        if (character.bytes == 0)
            return std::nullopt;
        out += isHidden(character.code) ? "?" : text.substr(0, character.bytes);
        text.remove_prefix(character.bytes);
    }
    return out;
}

std::string fitLabel(std::string_view text, std::size_t maxBytes) {
    std::string out;
    while (!text.empty()) {
        const Character character = firstOf(text);
        const bool shown = character.bytes != 0 && !isHidden(character.code);
        const std::string_view piece = shown ? text.substr(0, character.bytes) : "?";
        if (out.size() + piece.size() > maxBytes)
            break;
        out += piece;
        text.remove_prefix(std::max<std::size_t>(character.bytes, 1));
    }
    return out;
}

}  // namespace belay::wire
