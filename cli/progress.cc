#include "cli/progress.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/text.h"
#include "common/event.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

constexpr Millis kBetween{100};
constexpr char kBeginOfLine[] = "\r\033[K";
constexpr std::size_t kBarCells = 20;

// The steps of a start that the agent knows of, beside the pull.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kSteps = {{
    {"queued", "waiting for its turn"},
    {"creating", "creating its container"},
    {"starting", "starting its container"},
    {"probing", "waiting until it is ready"},
}};

std::string progress_bar(double share) {
  const auto cells = static_cast<std::size_t>(share * static_cast<double>(kBarCells));
  return "[" + std::string(cells, '#') + std::string(kBarCells - cells, '.') + "]";
}

std::string queue_phase(const Json& queue) {
  std::string phase = "waiting for its turn: ";
  const std::int64_t before = integer_or(queue, "position", 1) - 1;
  phase += before == 0 ? "it is next" : std::to_string(before) + " before it";
  if (const Json wait = queue.value("expectedWaitSeconds", Json()); wait.is_number()) {
    const Millis expected{static_cast<Millis::rep>(wait.get<double>() * 1'000)};
    phase += ", about " + format_duration(expected);
  }
  return phase;
}

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

std::string pull_phase(const Json& pull) {
  std::string phase = "pulling its image";
  const std::string status = string_or(pull, "status");
  const std::int64_t total = integer_or(pull, "totalBytes", 0);
  if (total <= 0) return status.empty() ? phase : phase + ": " + status;
  const std::int64_t done = std::clamp<std::int64_t>(integer_or(pull, "doneBytes", 0), 0, total);
  const double share = static_cast<double>(done) / static_cast<double>(total);
  phase += " " + progress_bar(share) + " " + std::to_string(static_cast<int>(share * 100)) +
           " %, " + format_size(done) + " of " + format_size(total);
  // What is all there is not yet unpacked.
  if (done == total && !status.empty()) phase += ", " + status;
  return phase;
}

std::string start_phase(const Json& task) {
  const Json& progress = object_at(task, "progress");
  const std::string step = string_or(progress, "step");
  if (step == "pulling") return pull_phase(object_at(progress, "pull"));
  if (step == "queued" && progress.contains("queue")) {
    return queue_phase(object_at(progress, "queue"));
  }
  for (const auto& [name, words] : kSteps) {
    if (name == step) return std::string(words);
  }
  // An agent that was restarted meanwhile may not know yet.
  std::string_view phase = "preparing its container (pulls the image if it is missing)";
  for (const Json& event : array_at(task, "events")) {
    const std::string type = string_or(event, "type");
    if (type == event_type::kImagePulled) phase = "creating its container";
    if (type == event_type::kCreated) phase = "starting its container";
    if (type == event_type::kStarted) phase = "waiting until it is ready";
    if (type == event_type::kStopRequested) phase = "stopping";
  }
  return std::string(phase);
}

}  // namespace resmgr::cli
