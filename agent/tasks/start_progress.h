// How far the starts that are under way have come. In memory only: a process that takes over a
// start knows the step once it takes it.
#ifndef RESMGR_AGENT_TASKS_START_PROGRESS_H_
#define RESMGR_AGENT_TASKS_START_PROGRESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/clock.h"
#include "common/guarded.h"

namespace resmgr::tasks {

enum class StartStep {
  queued,    // for one of the places in which containers are made
  pulling,   // the image
  creating,  // the container
  starting,  // the container
  probing,   // whether the service answers
};
std::string_view to_string(StartStep step);

// How far an image has come. Neither of the numbers ever shrinks.
struct PullState {
  std::int64_t done_bytes = 0;
  std::optional<std::int64_t> total_bytes;  // grows while layers become known; empty: not known yet
  std::string status;                       // the engine's own words
};

struct StartProgress {
  StartStep step = StartStep::queued;
  Instant since{};                // when the step began
  std::string image;              // that is pulled; empty in other steps
  std::optional<PullState> pull;  // empty until the engine has told something, and in other steps
};

// Thread-safe.
class StartTracker {
 public:
  // The clock must outlive it.
  explicit StartTracker(const Clock& clock) : clock_(clock) {}

  // The start is at this step, at which it may have been before. `image` is what is pulled.
  void enter(const std::string& task_id, StartStep step, std::string_view image = {});
  // The start has ended.
  void drop(const std::string& task_id);

  // Without `pull`. Empty: it does not start, or nobody knows how far it is.
  std::optional<StartProgress> find(const std::string& task_id) const;

 private:
  const Clock& clock_;
  mutable Guarded<std::unordered_map<std::string, StartProgress>> starts_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_START_PROGRESS_H_
