#include "agent/catalog/service_reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/catalog/rules.h"

namespace resmgr::catalog {
namespace {

using std::chrono::hours;

constexpr Millis kMaxTimeout = hours{24};
constexpr Millis kMaxIdle = hours{24 * 30};
constexpr Millis kMaxLifetime = hours{24 * 365};
constexpr Millis kMinInterval{20};
constexpr Millis kMaxInterval{60'000};
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kTiB = kMiB * kMiB;
// The engine refuses less.
constexpr std::int64_t kMinMemory = 6 * kMiB;
constexpr std::int64_t kMaxMemory = 64 * kTiB;
// PID_MAX_LIMIT of a 64-bit kernel.
constexpr std::int64_t kMaxPids = 4'194'304;
constexpr int kMaxWarm = 1'000;
constexpr double kMinCpus = 0.01;
constexpr double kMaxCpus = 1024;

constexpr char kAllowedTimeout[] = "a duration above \"0s\", up to \"24h\"";

template <typename T>
void take(T& target, std::optional<T> value) {
  if (value) target = *std::move(value);
}

void read_description(const TableReader& top, Service& service) {
  for (const char* key : {"name", "image", "container_port"}) top.require(key);
  take(service.name, top.text("name", check_service_name));
  service.title = top.text("title", check_title).value_or(service.name);
  take(service.description, top.text("description", check_description));
  take(service.icon, top.text("icon", check_icon));
  take(service.image, top.text("image", check_image));
  take(service.build, top.text("build", check_build));
  take(service.url_path, top.text("url_path", check_url_path));
}

void read_process(const TableReader& top, Service& service) {
  service.container_port = static_cast<int>(
      top.integer("container_port", 1, 65'535, "a port number from 1 to 65535").value_or(0));
  service.command = top.texts("command", check_command_word);
  service.env = top.pairs("env", check_env_name, check_env_value);
  take(service.start_timeout,
       top.duration("start_timeout", Millis{1}, kMaxTimeout, kAllowedTimeout));
  take(service.stop_timeout, top.duration("stop_timeout", Millis{1}, kMaxTimeout, kAllowedTimeout));
  take(service.pull, top.choice<PullPolicy>("pull", {{"missing", PullPolicy::missing},
                                                     {"always", PullPolicy::always},
                                                     {"never", PullPolicy::never}}));
}

void read_probe_table(const TableReader& top, Service& service) {
  const auto probe = top.table("probe", {"http", "tcp", "interval"});
  if (!probe) return;
  take(service.probe.interval, probe->duration("interval", kMinInterval, kMaxInterval,
                                               "a duration from \"20ms\" to \"60s\""));
  const auto path = probe->text("http", check_probe_path);
  const auto tcp = probe->boolean("tcp");
  if (probe->has("http") && probe->has("tcp")) {
    probe->fault("tcp", "a probe is 'http' or 'tcp', not both");
  }
  if (tcp == false) probe->fault("tcp", "'tcp' is false: write probe = \"none\" for no probe");
  if (path) {
    service.probe.kind = ProbeKind::http;
    service.probe.path = *path;
  }
}

void read_probe(const TableReader& top, Service& service, bool is_text) {
  if (is_text) {
    take(service.probe.kind, top.choice<ProbeKind>("probe", {{"none", ProbeKind::none}}));
  } else {
    read_probe_table(top, service);
  }
  if (service.network != NetworkMode::none) return;
  // Nothing can be reached in there, so nothing can be asked whether it is ready.
  if (top.has("probe") && service.probe.kind != ProbeKind::none) {
    top.fault("probe", "a probe needs a network: write probe = \"none\" with network = \"none\"");
  }
  service.probe.kind = ProbeKind::none;
}

void read_resources(const TableReader& top, Service& service) {
  const auto resources = top.table("resources", {"cpus", "memory", "pids", "shm"});
  if (!resources) return;
  take(service.cpus,
       resources->number("cpus", kMinCpus, kMaxCpus, "a number of cores from 0.01 to 1024"));
  take(service.memory_bytes,
       resources->size("memory", kMinMemory, kMaxMemory, "a size from \"6MiB\" to \"64TiB\""));
  take(service.pids, resources->integer("pids", 1, kMaxPids, "a number from 1 to 4194304"));
  take(service.shm_bytes,
       resources->size("shm", 64 * kKiB, kTiB, "a size from \"64KiB\" to \"1TiB\""));
}

void read_security(const TableReader& top, Service& service, FaultList& doubts) {
  const auto security =
      top.table("security", {"read_only", "capabilities", "user", "network", "frame_ancestors"});
  if (!security) return;
  take(service.read_only, security->boolean("read_only"));
  take(service.user, security->text("user", check_user));
  take(service.network,
       security->choice<NetworkMode>(
           "network", {{"isolated", NetworkMode::isolated}, {"none", NetworkMode::none}}));
  service.frame_ancestors = security->texts("frame_ancestors", check_frame_ancestor);
  // Sorted and single, so that the order in the file does not count as a change.
  std::set<std::string> capabilities;
  for (const std::string& name : security->texts("capabilities", check_capability)) {
    capabilities.insert(canonical_capability(name));
  }
  service.capabilities.assign(capabilities.begin(), capabilities.end());
  for (const std::string& name : service.capabilities) {
    if (!breaks_isolation(name)) continue;
    doubts.add(security->position("capabilities"),
               "with the capability " + name + " a container can take over the host");
  }
}

void read_volumes(const TableReader& top, Service& service, FaultList& doubts) {
  std::set<std::string> paths;
  for (const TableReader& entry : top.tables("volumes", {"name", "path", "keep"})) {
    entry.require("name");
    entry.require("path");
    Volume volume;
    take(volume.name, entry.text("name", check_volume_name));
    take(volume.path, entry.text("path", check_volume_path));
    take(volume.keep, entry.boolean("keep"));
    if (!volume.path.empty() && !paths.insert(volume.path).second) {
      entry.fault("path", "two volumes have the path '" + volume.path + "'");
    }
    if (!volume.name.empty() && placeholders(volume.name).empty()) {
      doubts.add(entry.position("name"), "the volume '" + volume.name +
                                             "' is shared by all users; {userId} in its name "
                                             "gives each one of their own");
    }
    service.volumes.push_back(std::move(volume));
  }
}

void read_idle(const TableReader& top, Service& service) {
  const auto idle = top.table("idle", {"timeout", "warn", "probe", "network_bytes", "cpu_percent"});
  if (!idle) return;
  IdlePolicy& policy = service.idle;
  take(policy.timeout,
       idle->duration("timeout", Millis{0}, kMaxIdle, "a duration up to \"30d\"; \"0s\" is never"));
  const auto warn =
      idle->duration("warn", Millis{0}, kMaxIdle, "a duration shorter than 'timeout'");
  if (warn && policy.timeout.count() > 0 && *warn >= policy.timeout) {
    idle->fault("warn", "'warn' must be shorter than 'timeout'");
  }
  // It holds for the lifetime too, where there is no timeout that it could be half of.
  policy.warn = warn.value_or(policy.timeout.count() > 0 ? std::min(policy.warn, policy.timeout / 2)
                                                         : policy.warn);
  take(policy.probe, idle->choice<IdleProbe>(
                         "probe", {{"none", IdleProbe::none}, {"jupyter", IdleProbe::jupyter}}));
  take(policy.network_bytes, idle->integer("network_bytes", 0, kTiB, "a number of bytes from 0"));
  take(policy.cpu_percent,
       idle->number("cpu_percent", 0, kMaxCpus * 100, "a percentage of one core from 0"));
}

void read_lifetime(const TableReader& top, Service& service) {
  const auto lifetime = top.table("lifetime", {"max"});
  if (!lifetime) return;
  take(service.lifetime_max, lifetime->duration("max", Millis{0}, kMaxLifetime,
                                                "a duration up to \"365d\"; \"0s\" is no limit"));
}

void read_gateway(const TableReader& top, Service& service) {
  const auto gateway = top.table("gateway", {"path", "authorization"});
  if (!gateway) return;
  take(service.gateway.path, gateway->text("path", check_gateway_path));
  take(service.gateway.authorization, gateway->text("authorization", check_authorization));
}

}  // namespace

// A placeholder in a text that nobody can fill before there is a task.
bool depends_on_task(const std::string& text) {
  const auto names = placeholders(text);
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name == "userId" || name == "taskId"; });
}

void read_warm(const toml::table& document, const TableReader& top, Service& service,
               FaultList& faults) {
  const auto warm = top.integer("warm", 0, kMaxWarm, "a number of containers from 0 to 1000");
  service.warm = static_cast<int>(warm.value_or(0));
  if (service.warm == 0) return;
  const auto refuse = [&](const toml::node_view<const toml::node>& where, const std::string& what) {
    faults.add(where.node()->source(),
               what +
                   " depends on who asks ({userId}, {taskId}): the containers of a service with "
                   "'warm' are made before anybody does");
  };
  for (std::size_t i = 0; i < service.command.size(); ++i) {
    if (depends_on_task(service.command[i])) refuse(document["command"][i], "'command'");
  }
  for (const auto& [name, value] : service.env) {
    if (depends_on_task(value)) refuse(document["env"][name], "'" + name + "' in 'env'");
  }
  const auto volumes = document["volumes"];
  for (std::size_t i = 0; i < service.volumes.size(); ++i) {
    if (depends_on_task(service.volumes[i].name)) refuse(volumes[i]["name"], "'name'");
  }
  if (service.pull == PullPolicy::always) {
    top.fault("pull",
              "'warm' and pull = \"always\" exclude each other: a warm container is as old "
              "as its image; resmgr images pull gets a newer one, and new containers");
  }
}

Service read_service(const toml::table& document, FaultList& faults, FaultList& doubts) {
  const TableReader top(
      document, "",
      {"name",           "title",   "description", "icon",     "image",   "build",
       "container_port", "command", "url_path",    "env",      "probe",   "start_timeout",
       "stop_timeout",   "pull",    "resources",   "security", "volumes", "idle",
       "lifetime",       "gateway", "warm"},
      faults);
  Service service;
  read_description(top, service);
  read_process(top, service);
  read_resources(top, service);
  read_security(top, service, doubts);
  const toml::node* probe = document.get("probe");
  read_probe(top, service, probe != nullptr && probe->is_string());
  read_volumes(top, service, doubts);
  read_idle(top, service);
  read_lifetime(top, service);
  read_gateway(top, service);
  read_warm(document, top, service, faults);
  return service;
}

}  // namespace resmgr::catalog
