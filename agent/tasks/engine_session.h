// Whether what the engine says now can be believed.
//
// After every (re)connection the agent's own bridge is looked for: it marks the engine on which
// the agent's containers live. An engine that answers a healthy, empty list because it is another
// one, or because its data were moved, must not close the tasks that the journal knows.
#ifndef RESMGR_AGENT_TASKS_ENGINE_SESSION_H_
#define RESMGR_AGENT_TASKS_ENGINE_SESSION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "agent/tasks/task_service.h"
#include "common/clock.h"
#include "common/guarded.h"

namespace resmgr::tasks {

// Thread-safe.
class EngineSession {
 public:
  EngineSession(std::string agent_id, engine::Engine& engine, const journal::Journal& journal);

  // Looks at the marker and makes it where it may be made. From then on answers are believed.
  // Throws unavailable if the engine does not answer, or if it is not the one that the journal
  // speaks of.
  void establish();

  // The event stream broke: what the engine says is unknown until establish(). Says so once.
  void lose(const std::string& cause, const std::string& hint = "");

  bool trusted() const;
  // Counts the connections; what was seen in an earlier one may have changed since.
  std::uint64_t epoch() const;
  EngineHealth health() const;
  // Where the engine keeps its data; it may not be visible from here. Empty until it was reached.
  std::string engine_root() const;
  // EngineInfo::started_at, as it was told at the last connection.
  std::optional<Instant> engine_started() const;
  // What the host has; 0 until the engine was reached, or where it does not say.
  HostCapacity capacity() const;

  // The agent's bridge may have been pruned while it was connected.
  void restore_network();

 private:
  struct Known {
    bool trusted = false;
    std::uint64_t epoch = 0;
    EngineHealth health;
    std::string root_dir;
    std::optional<Instant> started_at;
    HostCapacity capacity;
  };
  engine::NetworkSpec marker() const;
  void create_marker();
  bool journal_has_containers() const;

  const std::string agent_id_;
  engine::Engine& engine_;
  const journal::Journal& journal_;
  mutable Guarded<Known> known_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_ENGINE_SESSION_H_
