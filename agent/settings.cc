#include "agent/settings.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "agent/gateway_settings.h"
#include "common/destination.h"
#include "common/error.h"
#include "common/key_file.h"
#include "common/time_format.h"

namespace resmgr {
namespace {

std::int64_t in_range(const Config& config, std::string_view key, std::int64_t low,
                      std::int64_t high) {
  const std::int64_t value = config.integer(key);
  if (value >= low && value <= high) return value;
  throw Error(ErrorKind::config, "cannot use " + std::string(key) + " '" + std::to_string(value) +
                                     "' (" + config.origin(key) + "): it is not from " +
                                     std::to_string(low) + " to " + std::to_string(high));
}

int count(const Config& config, std::string_view key, int least = 0) {
  constexpr std::int64_t kMost = 1'000'000;
  return static_cast<int>(in_range(config, key, least, kMost));
}

// 0, or so much that a host still takes a task.
double overcommit(const Config& config, std::string_view key) {
  constexpr double kLeast = 0.1;
  constexpr double kMost = 100;
  const double value = config.number(key);
  if (value == 0 || (value >= kLeast && value <= kMost)) return value;
  throw Error(ErrorKind::config, "cannot use " + std::string(key) + " (" + config.origin(key) +
                                     "): it is neither 0 nor from 0.1 to 100");
}

Millis duration_in_range(const Config& config, std::string_view key, Millis low, Millis high) {
  const Millis value = config.duration(key);
  if (value >= low && value <= high) return value;
  throw Error(ErrorKind::config, "cannot use " + std::string(key) + " '" + format_duration(value) +
                                     "' (" + config.origin(key) + "): it is not from " +
                                     format_duration(low) + " to " + format_duration(high));
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string engine_socket(const Config& config) {
  const std::string docker_host = environment("DOCKER_HOST");
  const bool said = config.is_set("engine.socket") || docker_host.empty();
  return said ? config.text("engine.socket") : docker_host;
}

// The range is handed to the engine as it stands.
void check_port_range(const Config& config) {
  const std::string range = config.text("engine.port_range");
  if (range.empty() || parse_port_range(range)) return;
  throw Error(ErrorKind::config, "cannot use engine.port_range '" + range + "' (" +
                                     config.origin("engine.port_range") +
                                     "): it is no range LOW-HIGH of ports from 1 to 65535");
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

void check_publish_address(const Config& config) {
  const std::string address = config.text("engine.publish_address");
  if (is_loopback(address) || config.boolean("engine.allow_neighbours")) return;
  throw Error(ErrorKind::config,
              "cannot use engine.publish_address '" + address + "' (" +
                  config.origin("engine.publish_address") +
                  "): tasks could reach each other's ports through the host's address",
              "publish on 127.0.0.1, or set allow_neighbours = true if that is acceptable");
}

api::ServerOptions server_options(const Config& config) {
  api::ServerOptions server;
  server.listen = config.text_list("server.listen");
  server.socket_group = config.text("server.socket_group");
  server.public_url = config.text("server.public_url");
  server.cors_origins = config.text_list("server.cors_origins");
  server.trusted_proxies = config.text_list("server.trusted_proxies");
  server.allow_plaintext = config.boolean("server.allow_plaintext");
  server.max_connections = static_cast<std::size_t>(count(config, "server.max_connections", 1));
  server.max_connections_per_address =
      static_cast<std::size_t>(count(config, "server.max_connections_per_address", 1));
  server.max_body_bytes =
      static_cast<std::size_t>(in_range(config, "server.max_body_bytes", 1'024, 16LL << 20));
  // Short answers are made on these; more than a few would take from the containers.
  server.io_threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4);
  return server;
}

identity::AuthOptions auth_options(const Config& config) {
  identity::AuthOptions auth;
  auth.hmac_key_file = config.text("auth.hmac_key_file");
  auth.public_key_file = config.text("auth.public_key_file");
  auth.jwks_file = config.text("auth.jwks_file");
  auth.jwks_url = config.text("auth.jwks_url");
  auth.jwks_ca_file = config.text("auth.ca_file");
  auth.issuer = config.text("auth.issuer");
  auth.audience = config.text("auth.audience");
  auth.admin_role = config.text("auth.admin_role");
  auth.user_claims = config.text_list("auth.user_claims");
  auth.role_claims = config.text_list("auth.role_claims");
  auth.leeway = Millis{1'000 * in_range(config, "auth.leeway_seconds", 0, 600)};
  auth.map_subject = config.boolean("auth.map_subject");
  return auth;
}

tasks::TaskOptions task_options(const Config& config) {
  check_publish_address(config);
  check_port_range(config);
  tasks::TaskOptions tasks;
  tasks.publish_address = config.text("engine.publish_address");
  tasks.port_range = config.text("engine.port_range");
  tasks.log_max_bytes = config.size("engine.log_max_size");
  tasks.concurrent_starts = count(config, "engine.concurrent_starts");
  tasks.sample_interval =
      duration_in_range(config, "engine.sample_interval", Millis{100}, Millis{3'600'000});
  tasks.limits.tasks_per_user = count(config, "limits.tasks_per_user");
  tasks.limits.tasks_per_user_and_service = count(config, "limits.tasks_per_user_and_service");
  tasks.limits.tasks_per_service = count(config, "limits.tasks_per_service");
  tasks.limits.tasks_per_host = count(config, "limits.tasks_per_host");
  tasks.limits.starts_per_user_per_minute = count(config, "limits.starts_per_user_per_minute");
  tasks.limits.memory_overcommit = overcommit(config, "limits.memory_overcommit");
  tasks.limits.cpu_overcommit = overcommit(config, "limits.cpu_overcommit");
  tasks.limits.min_free_disk_bytes = config.size("limits.min_free_disk");
  return tasks;
}

sinks::PumpOptions pump_options(const Config& config) {
  constexpr Millis kLeast{1};
  constexpr Millis kMost = std::chrono::hours(1);
  sinks::PumpOptions pumps;
  pumps.backoff_min = duration_in_range(config, "sinks.backoff_min", kLeast, kMost);
  pumps.backoff_max = duration_in_range(config, "sinks.backoff_max", pumps.backoff_min, kMost);
  return pumps;
}

Secret postgres_password(const Config& config) {
  const std::string text = config.text("postgres.password");
  if (!text.empty()) return Secret::of(text);
  const std::string file = config.text("postgres.password_file");
  if (file.empty()) return {};
  warn_if_exposed(file);
  return Secret::in_file(file);
}

// Whoever may read the settings could read a password in the URL.
void warn_of_password_in_file(const Config& config, const sinks::PostgresAddress& address) {
  const std::string origin = config.origin("postgres.url");
  const auto line = origin.rfind(':');
  if (!address.url_has_password() || line == std::string::npos) return;
  warn_if_exposed(origin.substr(0, line));
}

std::optional<sinks::PostgresOptions> postgres_options(const Config& config) {
  sinks::PostgresOptions postgres;
  postgres.url = config.text("postgres.url");
  if (postgres.url.empty()) return std::nullopt;
  postgres.schema = config.text("postgres.schema");
  postgres.ca_file = config.text("postgres.ca_file");
  postgres.password = postgres_password(config);
  postgres.timeout = duration_in_range(config, "sinks.timeout", Millis{1'000}, Millis{600'000});
  // Throws where the URL can't be read: at the start, and not when it is first wanted.
  warn_of_password_in_file(config, sinks::PostgresAddress(postgres));
  return postgres;
}

std::optional<sinks::BlockchainOptions> blockchain_options(const Config& config) {
  const auto destination = destination_from(config, "blockchain", "token");
  if (!destination) return std::nullopt;
  return sinks::BlockchainOptions{
      *destination, duration_in_range(config, "sinks.timeout", Millis{1'000}, Millis{600'000})};
}

log::Level level(const Config& config, std::string_view key) {
  try {
    return log::level_from(config.text(key));
  } catch (const Error& error) {
    throw Error(ErrorKind::config,
                "cannot use " + std::string(key) + " '" + config.text(key) + "' (" +
                    config.origin(key) + "): it is no level",
                error.hint());
  }
}

std::optional<sinks::SeqOptions> seq_options(const Config& config) {
  constexpr std::int64_t kLeastSpool = 1 << 20;
  const auto destination = destination_from(config, "seq", "api_key");
  if (!destination) return std::nullopt;
  sinks::SeqOptions seq;
  seq.destination = *destination;
  seq.least = level(config, "seq.level");
  seq.timeout = duration_in_range(config, "sinks.timeout", Millis{1'000}, Millis{600'000});
  seq.spool_bytes = config.size("seq.spool_max");
  if (seq.spool_bytes >= kLeastSpool) return seq;
  throw Error(ErrorKind::config, "cannot use seq.spool_max '" + format_size(seq.spool_bytes) +
                                     "' (" + config.origin("seq.spool_max") +
                                     "): it is less than " + format_size(kLeastSpool));
}

journal::RetentionRules retention_rules(const Config& config) {
  journal::RetentionRules rules;
  rules.events = config.duration("retention.events");
  rules.tasks = config.duration("retention.tasks");
  rules.pin_max_bytes = config.size("retention.pin_max");
  return rules;
}

constexpr char kHostDataDir[] = "/var/lib/resmgr";

// Root, and whom the host's data directory is for: the account of the packages.
bool is_the_hosts_account() { return geteuid() == 0 || access(kHostDataDir, W_OK) == 0; }

}  // namespace

Settings settings_from(const Config& config) {
  Settings settings;
  settings.name = config.text("agent.name");
  if (settings.name.empty()) settings.name = host_name();
  settings.data_dir = config.text("agent.data_dir");
  if (settings.data_dir.empty()) settings.data_dir = default_data_dir();
  settings.run_dir = config.text("agent.run_dir");
  if (settings.run_dir.empty()) settings.run_dir = default_run_dir();
  settings.log_level = level(config, "agent.log_level");
  settings.services_dirs = config.text_list("agent.services_dirs");
  settings.server = server_options(config);
  settings.server.socket_path = settings.run_dir + "/agent.sock";
  settings.auth = auth_options(config);
  settings.engine.url = engine_socket(config);
  settings.engine.registry_auth_file = config.text("engine.registry_auth_file");
  settings.retention = retention_rules(config);
  settings.tasks = task_options(config);
  settings.tasks.host_name = settings.name;
  settings.tasks.data_dir = settings.data_dir;
  settings.tasks.gateway = gateway_from(config);
  settings.server.gateway = settings.tasks.gateway;
  settings.pumps = pump_options(config);
  settings.postgres = postgres_options(config);
  if (settings.postgres) settings.postgres->host = settings.name;
  settings.blockchain = blockchain_options(config);
  settings.seq = seq_options(config);
  settings.identity = destination_from(config, "identity", "token");
  return settings;
}

std::optional<PortRange> parse_port_range(std::string_view text) {
  constexpr int kMostPort = 65'535;
  PortRange range;
  const char* const end = text.data() + text.size();
  const auto low = std::from_chars(text.data(), end, range.low);
  if (low.ec != std::errc() || low.ptr == end || *low.ptr != '-') return std::nullopt;
  const auto high = std::from_chars(low.ptr + 1, end, range.high);
  if (high.ec != std::errc() || high.ptr != end) return std::nullopt;
  if (range.low < 1 || range.low > range.high || range.high > kMostPort) return std::nullopt;
  return range;
}

std::string default_data_dir() {
  if (is_the_hosts_account()) return kHostDataDir;
  const std::string data_home = environment("XDG_DATA_HOME");
  return (data_home.empty() ? environment("HOME") + "/.local/share" : data_home) + "/resmgr";
}

std::string default_run_dir() {
  if (is_the_hosts_account()) return "/run/resmgr";
  const std::string runtime = environment("XDG_RUNTIME_DIR");
  return (runtime.empty() ? "/run/user/" + std::to_string(getuid()) : runtime) + "/resmgr";
}

}  // namespace resmgr
