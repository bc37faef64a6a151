#include "cli/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace resmgr::cli {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t length = 1;  // bytes
};

// The character at the front (RFC 3629); empty if the bytes there are no UTF-8.
std::optional<Character> first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return Character{lead, 1};
  Character found;
  char32_t least = 0;
  if ((lead & 0xe0) == 0xc0) {
    found = {lead & 0x1fU, 2};
    least = 0x80;
  } else if ((lead & 0xf0) == 0xe0) {
    found = {lead & 0x0fU, 3};
    least = 0x800;
  } else if ((lead & 0xf8) == 0xf0) {
    found = {lead & 0x07U, 4};
    least = 0x10000;
  } else {
    return std::nullopt;
  }
  if (text.size() < found.length) return std::nullopt;
  for (std::size_t i = 1; i < found.length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    found.code = found.code << 6 | (byte(i) & 0x3fU);
  }
  const bool surrogate = found.code >= 0xd800 && found.code <= 0xdfff;
  if (found.code < least || found.code > 0x10ffff || surrogate) return std::nullopt;
  return found;
}

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](Range r) { return r.first <= code && code <= r.last; });
}

// Marks, embeddings, overrides and isolates of direction (Unicode, annex 9), the separators of
// lines and paragraphs, and tags, which show nothing at all.
constexpr std::array<Range, 6> kDeceptive = {{{0x061c, 0x061c},
                                              {0x200e, 0x200f},
                                              {0x2028, 0x202e},
                                              {0x2066, 0x2069},
                                              {0xfff9, 0xfffb},
                                              {0xe0000, 0xe007f}}};

// The blocks that matter in names and messages, not each single character of annex 11.
constexpr std::array<Range, 13> kWide = {{{0x1100, 0x115f},
                                          {0x2e80, 0x303e},
                                          {0x3041, 0xa4cf},
                                          {0xa960, 0xa97f},
                                          {0xac00, 0xd7a3},
                                          {0xf900, 0xfaff},
                                          {0xfe30, 0xfe6f},
                                          {0xff00, 0xff60},
                                          {0xffe0, 0xffe6},
                                          {0x1f300, 0x1f64f},
                                          {0x1f680, 0x1f6ff},
                                          {0x1f900, 0x1f9ff},
                                          {0x20000, 0x3fffd}}};

constexpr std::array<Range, 7> kCombining = {{{0x0300, 0x036f},
                                              {0x0483, 0x0489},
                                              {0x0591, 0x05bd},
                                              {0x1ab0, 0x1aff},
                                              {0x200b, 0x200d},
                                              {0x20d0, 0x20ff},
                                              {0xfe00, 0xfe0f}}};

int width_of(char32_t code) {
  if (code < 0x300) return 1;
  if (within(kCombining, code)) return 0;
  return within(kWide, code) ? 2 : 1;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_character(text);
    const std::size_t length = character ? character->length : 1;
    const char32_t code = character ? character->code : 0xfffd;
    if (code == '\n' || code == '\r' || code == '\t') {
      line += ' ';
    } else if (!character || code < 0x20 || (code >= 0x7f && code < 0xa0) ||
               within(kDeceptive, code)) {
      line += '?';
    } else {
      line += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return line;
}

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const auto character = first_character(text);
    width += character ? width_of(character->code) : 1;
    text.remove_prefix(character ? character->length : 1);
  }
  return width;
}

std::string shorten(std::string_view text, int width) {
  if (display_width(text) <= width) return std::string(text);
  if (width < 1) return {};
  std::size_t kept = 0;
  int used = 0;
  while (kept < text.size()) {
    const auto character = first_character(text.substr(kept));
    const int next = character ? width_of(character->code) : 1;
    if (used + next > width - 1) break;
    used += next;
    kept += character ? character->length : 1;
  }
  return std::string(text.substr(0, kept)) + "…";
}

}  // namespace resmgr::cli
