#include "cli/progress.h"

#include "cli/text.h"
#include "common/event.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

constexpr Millis kBetween{100};
constexpr char kBeginOfLine[] = "\r\033[K";

}  // namespace

ProgressLine::ProgressLine(const Surroundings& surroundings, bool wanted)
    : surroundings_(surroundings),
      wanted_(wanted && surroundings.err.is_terminal() && surroundings.variable("TERM") != "dumb"),
      begin_(surroundings.clock.since_boot()) {}

ProgressLine::~ProgressLine() {
  try {
    clear();
  } catch (const std::exception&) {
    // Standard error is gone; there is nobody to tell.
    shown_ = false;
  }
}

void ProgressLine::show(std::string_view text) {
  const Millis now = surroundings_.clock.since_boot();
  if (!wanted_ || (shown_ && text == text_ && now - last_ < kBetween)) return;
  text_ = text;
  last_ = now;
  shown_ = true;
  const std::string line = printable(text) + " " + format_duration(now - begin_);
  surroundings_.err.write(kBeginOfLine + shorten(line, surroundings_.err.width() - 1));
  surroundings_.err.flush();
}

void ProgressLine::clear() {
  if (!shown_) return;
  shown_ = false;
  surroundings_.err.write(kBeginOfLine);
  surroundings_.err.flush();
}

std::string_view start_phase(const Json& task) {
  std::string_view phase = "preparing its container (pulls the image if it is missing)";
  for (const Json& event : array_at(task, "events")) {
    const std::string type = string_or(event, "type");
    if (type == event_type::kImagePulled) phase = "creating its container";
    if (type == event_type::kCreated) phase = "starting its container";
    if (type == event_type::kStarted) phase = "waiting until it is ready";
    if (type == event_type::kStopRequested) phase = "stopping";
  }
  return phase;
}

}  // namespace resmgr::cli
