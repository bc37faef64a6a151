// Cuts a stream of bytes into lines.
#ifndef RESMGR_AGENT_ENGINE_LINE_SPLITTER_H_
#define RESMGR_AGENT_ENGINE_LINE_SPLITTER_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "common/error.h"

namespace resmgr::engine {

// Holds at most one unfinished line of kLongestLine bytes.
class LineSplitter {
 public:
  static constexpr std::size_t kLongestLine = 1 << 20;

  // Gives every line that is complete now to `on_line`, without its end (LF or CRLF); empty lines
  // are passed over. Throws Error(unavailable) if a line is longer than kLongestLine.
  void feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, end);
      if (piece.size() > kLongestLine - rest_.size()) {
        throw Error(ErrorKind::unavailable,
                    "cannot read the container engine's answer: a line is longer than 1 MiB");
      }
      if (end == std::string_view::npos) {
        rest_ += piece;
        return;
      }
      bytes.remove_prefix(end + 1);
      std::string line = std::exchange(rest_, {});
      line += piece;
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) on_line(line);
    }
  }

  // What came after the last line's end.
  const std::string& rest() const { return rest_; }

 private:
  std::string rest_;
};

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_LINE_SPLITTER_H_
