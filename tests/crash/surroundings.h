// What is around the agents of the crash suite: the services that they start, and the destinations
// that they tell.
#ifndef RESMGR_TESTS_CRASH_SURROUNDINGS_H_
#define RESMGR_TESTS_CRASH_SURROUNDINGS_H_

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "tests/contract/tiny_registry.h"
#include "tests/support/agent_process.h"
#include "tests/support/postgres_server.h"
#include "tests/unit/common/scripted_server.h"

namespace resmgr::crash {

// A BlockchainService that remembers what it was sent. Thread-safe.
class ChainService {
 public:
  ChainService();

  const std::string& url() const { return server_.url(); }
  // The bodies that came for a task, by the usage hash that they came under.
  using Posts = std::map<std::string, std::set<std::string>>;
  Posts posts_of(const std::string& task_id) const;

 private:
  void serve(Peer& peer);

  mutable std::mutex mutex_;
  std::map<std::string, Posts> posts_;
  ScriptedServer server_;  // ends first
};

// Of all agents. In PostgreSQL each has a schema of its own, which must be made before it starts.
struct Destinations {
  support::PostgresServer postgres;
  ChainService chain;
};
// Made at the first call, whose thread must outlive the others.
Destinations& destinations();
std::string schema_of(const support::AgentProcess& agent);

// `registry` has the image of one of the services.
support::AgentOptions agent_options(engine::TinyRegistry& registry, bool keeps_warm);

// The service whose tasks are stopped for their age at once.
inline constexpr char kPassing[] = "short-lived";

// The prefix of the volumes that go with their tasks.
inline constexpr char kScratch[] = "resmgr-crash-";

}  // namespace resmgr::crash

#endif  // RESMGR_TESTS_CRASH_SURROUNDINGS_H_
