// What an ended task printed last: kept in the data directory after its container is removed.
#ifndef RESMGR_AGENT_TASKS_LOG_TAIL_H_
#define RESMGR_AGENT_TASKS_LOG_TAIL_H_

#include <functional>
#include <string>
#include <string_view>

#include "agent/engine/engine.h"

namespace resmgr::tasks {

inline constexpr std::size_t kLogTailBytes = 64 << 10;

// Files <folder>/<task id>.log, mode 0600. Thread-safe for different tasks.
class LogTails {
 public:
  explicit LogTails(std::string folder);  // made where it is missing

  // Reads the container's output from the engine and keeps its last 64 KiB, on disk when it
  // returns. Throws unavailable if the engine does not answer or the disk does not take it.
  void keep(engine::Engine& engine, const std::string& container_id, const std::string& task_id);

  bool has(const std::string& task_id) const;
  void forget(const std::string& task_id) const;
  // Throws not_found if nothing is kept. `options.since` and `follow` have no effect here.
  void read(const std::string& task_id, const engine::LogOptions& options,
            const std::function<bool(std::string_view)>& on_bytes) const;

 private:
  std::string path(const std::string& task_id) const;
  std::string folder_;
};

// The last `lines` lines of a text.
std::string_view last_lines(std::string_view text, int lines);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_LOG_TAIL_H_
