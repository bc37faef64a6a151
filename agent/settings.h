// The agent's configuration: the table of its keys, and their values as each room wants them.
#ifndef RESMGR_AGENT_SETTINGS_H_
#define RESMGR_AGENT_SETTINGS_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/api/server.h"
#include "agent/engine/docker_engine.h"
#include "agent/identity/authenticator.h"
#include "agent/journal/retention.h"
#include "agent/sinks/blockchain_sink.h"
#include "agent/sinks/postgres_address.h"
#include "agent/sinks/seq_sink.h"
#include "agent/sinks/status.h"
#include "agent/tasks/task_service.h"
#include "common/config.h"
#include "common/destination.h"
#include "common/log.h"

namespace resmgr {

// Every key of resmgr.toml (resmgr.toml(5)).
std::span<const ConfigKey> agent_keys();

// Whether Agent::reload() puts another value of it ("section.name") into effect; others wait for
// the next start.
bool takes_effect_on_reload(std::string_view key);

struct Settings {
  std::string name;
  std::string data_dir;
  std::string run_dir;
  log::Level log_level = log::Level::information;
  std::vector<std::string> services_dirs;
  api::ServerOptions server;
  identity::AuthOptions auth;
  engine::DockerOptions engine;
  journal::RetentionRules retention;
  tasks::TaskOptions tasks;  // less agent_id and secret_key, which lie in the data directory
  sinks::PumpOptions pumps;
  std::optional<sinks::PostgresOptions> postgres;  // less agent_id; absent: off
  std::optional<sinks::BlockchainOptions> blockchain;
  std::optional<sinks::SeqOptions> seq;  // absent: off
  std::optional<Destination> identity;   // absent: off
};

// Throws Error(config) for a value that is out of range, naming key and origin.
Settings settings_from(const Config& config);

// Ports of the host, both included.
struct PortRange {
  int low = 0;
  int high = 0;
};
// "LOW-HIGH", of 1 to 65535 and in this order. Empty for anything else.
std::optional<PortRange> parse_port_range(std::string_view text);

// Where an ordinary user's agent keeps its things; the host's directories for root, and for whoever
// may write to /var/lib/resmgr.
std::string default_data_dir();
std::string default_run_dir();

}  // namespace resmgr

#endif  // RESMGR_AGENT_SETTINGS_H_
