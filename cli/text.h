// Text from elsewhere, made fit for a terminal: what a service or an engine wrote must not move
// the cursor, set a title, or hide something.
#ifndef RESMGR_CLI_TEXT_H_
#define RESMGR_CLI_TEXT_H_

#include <string>
#include <string_view>

namespace resmgr::cli {

// One line: each control character (C0, DEL, C1), each character that changes the direction of
// writing, and each byte that is no UTF-8 becomes '?'; line ends and tabs become a space.
std::string printable(std::string_view text);

// Columns that printable text takes: 2 for wide characters (East Asian, emoji), 0 for combining.
int display_width(std::string_view text);

// The longest beginning that fits into `width` columns; where something is cut off it ends in '…'.
std::string shorten(std::string_view text, int width);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_TEXT_H_
