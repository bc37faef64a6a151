#include "cli/report.h"

#include <string>
#include <string_view>

#include "cli/text.h"

namespace resmgr::cli {
namespace {

constexpr std::size_t kMostTasks = 10;

// A message may have several lines (all faults of a file); each is made printable.
std::string printable_lines(std::string_view text) {
  std::string lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines += printable(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    lines += '\n';
    text.remove_prefix(end + 1);
  }
}

}  // namespace

void print_error(TextStream& err, const Error& error) {
  std::string text = "resmgr: " + printable_lines(error.message()) + "\n";
  for (const FieldError& fault : error.fields) {
    // The message may hold them already.
    if (error.message().find(fault.detail) != std::string::npos) continue;
    text += "  " + printable(fault.pointer) + ": " + printable(fault.detail) + "\n";
  }
  for (std::size_t i = 0; i < error.task_ids.size() && i < kMostTasks; ++i) {
    text += "  task " + printable(error.task_ids[i]) + "\n";
  }
  if (error.task_ids.size() > kMostTasks) text += "  and more\n";
  std::string hint = error.hint();
  if (hint.empty() && error.retry_after) {
    hint = "again in " + std::to_string(error.retry_after->count()) + " s";
  }
  if (!hint.empty()) text += "Try: " + printable_lines(hint) + "\n";
  err.write(text);
}

}  // namespace resmgr::cli
