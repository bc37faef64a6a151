// How far the starts that are under way have come, as the messages that followers of the events
// get beside those: {type: "task.progress", time, taskId, task}. They are in no journal and have no
// number. There is one a task, the latest: who is slow misses some, and nothing waits for anyone.
#ifndef RESMGR_AGENT_API_PROGRESS_BOARD_H_
#define RESMGR_AGENT_API_PROGRESS_BOARD_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "agent/journal/journal.h"
#include "agent/tasks/start_progress.h"
#include "common/clock.h"
#include "common/event.h"

namespace resmgr::api {

// All must outlive who has it.
struct FeedSources {
  journal::Journal& journal;
  const tasks::StartTracker& starts;
  const Clock& clock;
};

// Of one thread.
class ProgressBoard {
 public:
  using Message = std::shared_ptr<const std::string>;

  // From the first change to the look at all of them: a task is told of four times a second at the
  // most, and a start that takes less is not worth a word.
  static constexpr std::chrono::milliseconds kInterval{250};

  explicit ProgressBoard(const FeedSources& sources) : sources_(sources) {}

  // Looks how far the starts are. Whether there is something new. Throws Error where the journal
  // can't be read.
  bool refresh();
  // An event that followers get from now on: after the end of a start nothing is told of it.
  void note(const Event& event);
  // Nobody follows.
  void clear();

  // The first message after `seen` that is of that user's tasks (empty: of anyone's); null: there
  // is none. `seen` becomes the place to go on from; 0 is the beginning.
  Message next(std::uint64_t& seen, const std::string& user_id) const;

 private:
  struct Told {
    std::string task_id;
    std::string user_id;
    tasks::StartProgress progress;
    Message text;
  };

  void tell(const Task& task, const tasks::StartProgress& progress);
  void erase(const std::string& task_id);

  const FeedSources sources_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Told> told_;  // in the order in which they came; one a task
  std::unordered_map<std::string, std::uint64_t> places_;  // in it, by task
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_PROGRESS_BOARD_H_
