// How far the starts that are under way have come. In memory only: a process that takes over a
// start knows the step once it takes it.
#ifndef RESMGR_AGENT_TASKS_START_PROGRESS_H_
#define RESMGR_AGENT_TASKS_START_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

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

  bool operator==(const PullState&) const = default;
};

// Where a start waits for one of the places in which containers are made.
struct QueuePlace {
  int position = 1;                     // 1 = the next one
  std::optional<Millis> expected_wait;  // as the starts of late tell; empty: nothing tells yet

  bool operator==(const QueuePlace&) const = default;
};

struct StartProgress {
  StartStep step = StartStep::queued;
  Instant since{};                  // when the step began
  std::string image;                // that is pulled; empty in other steps
  std::optional<PullState> pull;    // empty until the engine has told something, and in other steps
  std::optional<QueuePlace> place;  // while it is queued

  bool operator==(const StartProgress&) const = default;
};

struct TaskStart {
  std::string task_id;
  StartProgress progress;
};

// Thread-safe.
class StartTracker {
 public:
  struct Sources {
    // How far the pull of an image is.
    std::function<std::optional<PullState>(const std::string& image)> pull_of;
    // Where a task waits; empty: it does not.
    std::function<std::optional<QueuePlace>(const std::string& task_id)> place_of;
  };
  // The clock must outlive it.
  StartTracker(const Clock& clock, Sources sources) : clock_(clock), sources_(std::move(sources)) {}

  // The start is at this step, at which it may have been before. `image` is what is pulled.
  void enter(const std::string& task_id, StartStep step, std::string_view image = {});
  // The start has ended.
  void drop(const std::string& task_id);

  // Empty: it does not start, or nobody knows how far it is.
  std::optional<StartProgress> find(const std::string& task_id) const;
  std::vector<TaskStart> all() const;

  // Calls `listener` whenever a start came to another step, or told() was called: on any thread, so
  // it must be quick, and it may call nothing of this object. Returns a number for unsubscribe(),
  // after which it is called no more: that waits for a call that is under way.
  int subscribe(std::function<void()> listener) const;
  void unsubscribe(int subscription) const;
  // A pull has come further.
  void told() const;

 private:
  struct Listeners {
    int last = 0;
    std::map<int, std::function<void()>> all;
  };

  // With what others know of it.
  StartProgress completed(const std::string& task_id, StartProgress progress) const;

  const Clock& clock_;
  const Sources sources_;
  mutable Guarded<Listeners> listeners_;
  mutable Guarded<std::unordered_map<std::string, StartProgress>> starts_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_START_PROGRESS_H_
