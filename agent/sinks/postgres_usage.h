// What PostgreSQL knows of a task that another journal of this agent ended.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_USAGE_H_
#define RESMGR_AGENT_SINKS_POSTGRES_USAGE_H_

#include <memory>
#include <optional>
#include <string>

#include "agent/sinks/postgres_address.h"

namespace resmgr::sinks {

// On a connection of its own, made when it is first asked. For one thread.
class PostgresUsage {
 public:
  explicit PostgresUsage(const PostgresOptions& options);
  ~PostgresUsage();
  PostgresUsage(const PostgresUsage&) = delete;
  PostgresUsage& operator=(const PostgresUsage&) = delete;

  // The hash of the usage record with which a journal other than this one ended the task; empty if
  // there is none, or if nobody can say just now. Takes some seconds at most.
  std::optional<std::string> hash_before(const std::string& task_id, const std::string& journal_id);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_USAGE_H_
