// The composition root: the rooms of the agent, in the order in which they start. No logic.
#ifndef RESMGR_AGENT_AGENT_H_
#define RESMGR_AGENT_AGENT_H_

#include <memory>
#include <string>

#include "agent/api/metrics.h"
#include "agent/api/server.h"
#include "agent/catalog/catalog.h"
#include "agent/directories.h"
#include "agent/engine/docker_engine.h"
#include "agent/engine/metered_engine.h"
#include "agent/identity/authenticator.h"
#include "agent/identity/user_directory.h"
#include "agent/journal/head_mark.h"
#include "agent/journal/journal.h"
#include "agent/journal/retention.h"
#include "agent/settings.h"
#include "agent/sinks/diagnostics.h"
#include "agent/sinks/status.h"
#include "agent/tasks/task_service.h"
#include "common/clock.h"
#include "common/json.h"

namespace resmgr {

class Agent {
 public:
  // Takes the directories, opens the journal, reads keys and catalog. Throws Error.
  explicit Agent(Settings settings);
  // Stops in the reverse order: listener first, journal last. Containers go on.
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Settles with the engine what an earlier process left, listens, and says where in agent.json.
  void run();

  // Whether it can work: the journal's writer answers, be it that it can't write, and each of the
  // server's threads turns within `patience`. Hangs where the writer does. After run().
  bool is_alive(Millis patience);

  // Puts into effect what takes_effect_on_reload(), and reads the catalog and the key files again.
  // Throws Error(config), and then all is as it was. No request notices it.
  void reload(const Settings& fresh);

 private:
  void add_sinks();
  sinks::BilledBefore billed_before() const;
  Json check_host();
  void write_agent_json();
  void record(const char* event_type) noexcept;

  const Settings settings_;
  const SystemClock clock_;
  LockedDirectory data_;
  LockedDirectory run_;
  const std::string agent_id_;
  std::unique_ptr<sinks::Diagnostics> diagnostics_;  // null: nobody reads the log along
  journal::Journal journal_;
  journal::HeadMark mark_;
  api::Metrics metrics_;
  engine::DockerEngine docker_;
  engine::MeteredEngine engine_;
  identity::Authenticator authenticator_;
  const std::unique_ptr<identity::UserDirectory> users_;  // null: not configured
  sinks::Pumps pumps_;  // ends after all that writes to the journal, and before the journal
  tasks::TaskService tasks_;
  journal::Retention retention_;
  std::unique_ptr<api::Server> server_;
};

}  // namespace resmgr

#endif  // RESMGR_AGENT_AGENT_H_
