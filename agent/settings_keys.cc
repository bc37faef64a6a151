// The table of the configuration's keys.
#include <array>

#include "agent/settings.h"

namespace resmgr {
namespace {

constexpr auto kKeys = std::to_array<ConfigKey>({
    {"agent", "name", ConfigType::text, "",
     "name of this host in tasks and records (default: the host's)"},
    {"agent", "data_dir", ConfigType::text, "", "where the journal and the keys lie"},
    {"agent", "run_dir", ConfigType::text, "", "where the socket and agent.json lie"},
    {"agent", "log_level", ConfigType::text, "info",
     "verbose, debug, info, warning, error or fatal"},
    {"agent", "services_dirs", ConfigType::text_list, "/etc/resmgr/services.d",
     "folders of service definitions"},

    {"server", "listen", ConfigType::text_list, "127.0.0.1:7070",
     "addresses to listen on, HOST:PORT"},
    {"server", "socket_group", ConfigType::text, "resmgr", "group that may use the socket"},
    {"server", "public_url", ConfigType::text, "", "URL under which users reach the agent"},
    {"server", "cors_origins", ConfigType::text_list, "", "web origins that may call the API"},
    {"server", "trusted_proxies", ConfigType::text_list, "", "addresses of proxies in front"},
    {"server", "allow_plaintext", ConfigType::boolean, "false",
     "a proxy in front does TLS: other addresses than loopback may be listened on"},
    {"server", "max_connections", ConfigType::integer, "4096", "connections at once"},
    {"server", "max_connections_per_address", ConfigType::integer, "256",
     "connections at once from one address; loopback and trusted_proxies are exempt"},
    {"server", "max_body_bytes", ConfigType::integer, "65536", "size of a request's body"},

    {"auth", "hmac_key_file", ConfigType::text, "",
     "file with the shared key of HS256 tokens, 32 bytes or more"},
    {"auth", "public_key_file", ConfigType::text, "",
     "PEM file with the public key of the tokens' issuer"},
    {"auth", "jwks_file", ConfigType::text, "", "JSON Web Key Set in a file"},
    {"auth", "jwks_url", ConfigType::text, "", "JSON Web Key Set at an URL"},
    {"auth", "ca_file", ConfigType::text, "",
     "CA certificates for jwks_url (default: the system's)"},
    {"auth", "issuer", ConfigType::text, "", "required iss claim"},
    {"auth", "audience", ConfigType::text, "", "required aud claim"},
    {"auth", "admin_role", ConfigType::text, "admin", "role of those who may do everything"},
    {"auth", "user_claims", ConfigType::text_list,
     "sub,http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
     "claims that may hold the user's id; the first that is there counts"},
    {"auth", "role_claims", ConfigType::text_list,
     "role,roles,http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
     "claims that may hold roles"},
    {"auth", "leeway_seconds", ConfigType::integer, "30", "how far clocks may differ"},
    {"auth", "map_subject", ConfigType::boolean, "false", "make a UUID of a subject that is none"},

    {"engine", "socket", ConfigType::text, "unix:///var/run/docker.sock",
     "the Docker engine (DOCKER_HOST is honoured)"},
    {"engine", "publish_address", ConfigType::text, "127.0.0.1",
     "address on which the tasks' ports are published"},
    {"engine", "port_range", ConfigType::text, "",
     "host ports for tasks, LOW-HIGH (default: the engine chooses)"},
    {"engine", "allow_neighbours", ConfigType::boolean, "false",
     "publish_address may be other than loopback, though tasks can then reach each other's ports"},
    {"engine", "concurrent_starts", ConfigType::integer, "0",
     "starts at the engine at once (0: two a core)"},
    {"engine", "registry_auth_file", ConfigType::text, "",
     "Docker's config.json with the registries' credentials"},
    {"engine", "sample_interval", ConfigType::duration, "10s",
     "time between two samples of a task's use"},
    {"engine", "log_max_size", ConfigType::size, "10MiB",
     "what the engine keeps of a task's output"},

    {"limits", "tasks_per_user", ConfigType::integer, "0",
     "tasks at once of one user (0: no limit)"},
    {"limits", "tasks_per_user_and_service", ConfigType::integer, "0",
     "tasks at once of one user and service (0: no limit)"},
    {"limits", "tasks_per_service", ConfigType::integer, "0",
     "tasks at once of one service (0: no limit)"},
    {"limits", "tasks_per_host", ConfigType::integer, "0",
     "tasks at once on this host (0: no limit)"},
    {"limits", "starts_per_user_per_minute", ConfigType::integer, "0",
     "starts of one user within a minute (0: no limit)"},
    {"limits", "memory_overcommit", ConfigType::number, "0",
     "how many times the host's memory may be promised to active tasks (0: no limit)"},
    {"limits", "cpu_overcommit", ConfigType::number, "0",
     "how many times the host's cores may be promised to active tasks (0: no limit)"},
    {"limits", "min_free_disk", ConfigType::size, "1GiB",
     "no start is admitted with less disk free"},

    {"postgres", "url", ConfigType::text, "",
     "PostgreSQL that gets the tasks, postgresql://USER@HOST:PORT/DATABASE (empty: none)", true},
    {"postgres", "schema", ConfigType::text, "public", "schema of the tables there"},
    {"postgres", "ca_file", ConfigType::text, "",
     "CA certificates for the server (default: as sslrootcert and PGSSLROOTCERT say)"},
    {"postgres", "password_file", ConfigType::text, "",
     "file with the password (default: as the URL, PGPASSWORD and .pgpass say)"},
    {"postgres", "password", ConfigType::text, "", "the same in the environment", true, true},

    {"identity", "url", ConfigType::text, "",
     "IdentityService that tells users' names, https://HOST (empty: none)"},
    {"identity", "ca_file", ConfigType::text, "", "CA certificates for it (default: the system's)"},
    {"identity", "token_file", ConfigType::text, "", "file with the token that it wants"},
    {"identity", "token", ConfigType::text, "", "the same in the environment", true, true},

    {"blockchain", "url", ConfigType::text, "",
     "BlockchainService that gets usage records, the whole URL (empty: none)"},
    {"blockchain", "ca_file", ConfigType::text, "",
     "CA certificates for it (default: the system's)"},
    {"blockchain", "token_file", ConfigType::text, "", "file with the token that it wants"},
    {"blockchain", "token", ConfigType::text, "", "the same in the environment", true, true},

    {"seq", "url", ConfigType::text, "",
     "Seq that gets what happens and the agent's log, https://HOST:PORT (empty: none)"},
    {"seq", "api_key_file", ConfigType::text, "", "file with the API key for it"},
    {"seq", "api_key", ConfigType::text, "", "the same, in the environment alone", true, true},
    {"seq", "ca_file", ConfigType::text, "", "CA certificates for it (default: the system's)"},
    {"seq", "level", ConfigType::text, "information", "least level of what it gets"},
    {"seq", "spool_max", ConfigType::size, "64MiB",
     "what is kept of the agent's log for it; the oldest gives way"},

    {"sinks", "backoff_min", ConfigType::duration, "1s",
     "least wait before a destination that is away is tried again"},
    {"sinks", "backoff_max", ConfigType::duration, "60s", "longest such wait"},
    {"sinks", "timeout", ConfigType::duration, "30s", "time limit of one delivery"},

    {"gateway", "base", ConfigType::text, "",
     "origin under which browsers reach tasks through nginx, https://tasks.HOST (empty: none)"},
    {"gateway", "mode", ConfigType::text, "host",
     "host: each task has a host name of its own; path: all lie below /t/"},

    {"retention", "tasks", ConfigType::duration, "",
     "how long a task is kept after its end (default: for ever)"},
    {"retention", "events", ConfigType::duration, "90d",
     "how long an event is kept (0s: for ever)"},
    {"retention", "pin_max", ConfigType::size, "10GiB",
     "size of the journal up to which events wait for a destination that has not got them"},
});

}  // namespace

std::span<const ConfigKey> agent_keys() { return kKeys; }

bool takes_effect_on_reload(std::string_view key) {
  return key.starts_with("auth.") || key.starts_with("limits.") || key == "agent.log_level" ||
         key == "agent.services_dirs";
}

}  // namespace resmgr
