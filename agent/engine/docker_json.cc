#include "agent/engine/docker_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "common/error.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::engine {
namespace {

[[noreturn]] void unreadable(std::string_view what, const std::string& cause) {
  throw Error(ErrorKind::unavailable,
              "cannot read the container engine's answer '" + std::string(what) + "': " + cause,
              "check that the engine is Docker, version 20.10 or newer");
}

Json parse(std::string_view text, std::string_view what) {
  try {
    return parse_json(text, what);
  } catch (const Error& error) {
    unreadable(what, error.message());
  }
}

std::string required_string(const Json& object, std::string_view key, std::string_view what) {
  std::string value = string_or(object, key);
  if (value.empty()) unreadable(what, "it has no '" + std::string(key) + "'");
  return value;
}

int to_int(std::int64_t value) {
  return static_cast<int>(std::clamp<std::int64_t>(value, std::numeric_limits<int>::min(),
                                                   std::numeric_limits<int>::max()));
}

std::optional<int> parse_int(std::string_view text) {
  int value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::map<std::string, std::string> strings_of(const Json& object) {
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : object.items()) {
    if (value.is_string()) result.emplace(key, value.get<std::string>());
  }
  return result;
}

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

ContainerStatus status_from(std::string_view text, std::string_view what) {
  using enum ContainerStatus;
  static constexpr std::array<std::pair<std::string_view, ContainerStatus>, 7> kNames{
      {{"created", created},
       {"running", running},
       {"paused", paused},
       {"restarting", restarting},
       {"removing", removing},
       {"exited", exited},
       {"dead", dead}}};
  const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const auto& entry) { return entry.first == text; });
  if (found == kNames.end()) unreadable(what, "unknown status '" + std::string(text) + "'");
  return found->second;
}

// One port is published for a container; with both address families it may stand there twice.
int published_port(const Json& ports) {
  for (const auto& [exposed, bindings] : ports.items()) {
    if (!exposed.ends_with("/tcp") || !bindings.is_array()) continue;
    for (const Json& binding : bindings) {
      const auto port = parse_int(string_or(binding, "HostPort"));
      if (port && *port > 0 && *port <= 65'535) return *port;
    }
  }
  return 0;
}

std::string address_of(const Json& settings) {
  for (const auto& [name, network] : object_at(settings, "Networks").items()) {
    std::string address = string_or(network, "IPAddress");
    if (!address.empty()) return address;
  }
  return string_or(settings, "IPAddress");
}

Instant from_nanoseconds(std::int64_t nanoseconds) {
  return std::chrono::floor<Millis>(
      std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(nanoseconds)));
}

// The daemon puts what it knows among the container's labels.
bool is_label(std::string_view attribute) {
  static constexpr std::array<std::string_view, 4> kOwn{"name", "image", "exitCode", "signal"};
  return std::find(kOwn.begin(), kOwn.end(), attribute) == kOwn.end();
}

}  // namespace

std::string to_string(ApiVersion version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

std::optional<ApiVersion> parse_api_version(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = parse_int(text.substr(0, dot));
  const auto minor = parse_int(text.substr(dot + 1));
  if (!major || !minor || *major < 0 || *minor < 0) return std::nullopt;
  return ApiVersion{*major, *minor};
}

ApiVersion negotiate_api_version(std::string_view version_body) {
  const Json answer = parse(version_body, "version");
  const auto greatest = parse_api_version(string_or(answer, "ApiVersion"));
  if (!greatest) unreadable("version", "it has no 'ApiVersion'");
  // Engines that don't say what they still speak, speak all older versions.
  const ApiVersion least =
      parse_api_version(string_or(answer, "MinAPIVersion")).value_or(ApiVersion{});
  const ApiVersion chosen = std::min(*greatest, kGreatestApiVersion);
  if (chosen < kLeastApiVersion || chosen < least) {
    throw Error(ErrorKind::rejected,
                "cannot use container engine '" + string_or(answer, "Version", "unknown") +
                    "': it speaks API versions " + to_string(least) + " to " +
                    to_string(*greatest) + ", and resmgr " + to_string(kLeastApiVersion) + " to " +
                    to_string(kGreatestApiVersion),
                "install Docker 20.10 or newer");
  }
  return chosen;
}

EngineInfo read_info(std::string_view body) {
  const Json answer = parse(body, "info");
  EngineInfo info;
  info.name = "docker";
  info.version = required_string(answer, "ServerVersion", "info");
  info.root_dir = string_or(answer, "DockerRootDir");
  info.live_restore = bool_or(answer, "LiveRestoreEnabled", false);
  info.cpus = to_int(integer_or(answer, "NCPU", 0));
  info.memory_bytes = integer_or(answer, "MemTotal", 0);
  return info;
}

Instant read_engine_time(std::string_view body) {
  const auto time = parse_rfc3339(string_or(parse(body, "info"), "SystemTime"));
  if (!time) unreadable("info", "it has no 'SystemTime'");
  return *time;
}

std::string read_created_id(std::string_view body) {
  return required_string(parse(body, "created container"), "Id", "created container");
}

std::string read_image_id(std::string_view body) {
  return required_string(parse(body, "image"), "Id", "image");
}

ContainerState read_container(std::string_view body) {
  constexpr std::string_view kWhat = "container";
  const Json answer = parse(body, kWhat);
  const Json& config = object_at(answer, "Config");
  const Json& facts = object_at(answer, "State");
  ContainerState state;
  state.id = required_string(answer, "Id", kWhat);
  state.name = without_slash(required_string(answer, "Name", kWhat));
  state.image = string_or(config, "Image");
  state.image_id = string_or(answer, "Image");
  state.labels = strings_of(object_at(config, "Labels"));
  state.status = status_from(string_or(facts, "Status"), kWhat);
  state.started_at = parse_rfc3339(string_or(facts, "StartedAt"));
  state.oom_killed = bool_or(facts, "OOMKilled", false);
  state.error = string_or(facts, "Error");
  if (state.alive()) {
    const Json& network = object_at(answer, "NetworkSettings");
    state.host_port = published_port(object_at(network, "Ports"));
    state.address = address_of(network);
    state.previous_finish = parse_rfc3339(string_or(facts, "FinishedAt"));
  } else {
    state.finished_at = parse_rfc3339(string_or(facts, "FinishedAt"));
    // The engine notes a start when it has heard of it, and an end when it was: of a program that
    // ends at once the end may come out a moment before the start.
    if (state.finished_at) state.finished_at = std::max(state.finished_at, state.started_at);
    state.exit_code = to_int(integer_or(facts, "ExitCode", 0));
  }
  return state;
}

std::int64_t read_pid(std::string_view body) {
  return std::max<std::int64_t>(integer_or(object_at(parse(body, "container"), "State"), "Pid", 0),
                                0);
}

std::vector<ContainerSummary> read_container_list(std::string_view body) {
  constexpr std::string_view kWhat = "list of containers";
  const Json answer = parse(body, kWhat);
  if (!answer.is_array()) unreadable(kWhat, "it is no array");
  std::vector<ContainerSummary> result;
  result.reserve(answer.size());
  for (const Json& row : answer) {
    ContainerSummary summary;
    summary.id = required_string(row, "Id", kWhat);
    // Links make more names; a container's own one holds no further slash.
    for (const Json& name : array_at(row, "Names")) {
      if (!name.is_string()) continue;
      std::string text = without_slash(name.get<std::string>());
      if (text.find('/') == std::string::npos) summary.name = std::move(text);
    }
    summary.labels = strings_of(object_at(row, "Labels"));
    summary.status = status_from(string_or(row, "State"), kWhat);
    result.push_back(std::move(summary));
  }
  return result;
}

std::optional<EngineEvent> read_event(std::string_view line) {
  constexpr std::string_view kWhat = "event";
  const Json answer = parse(line, kWhat);
  if (string_or(answer, "Type") != "container") return std::nullopt;
  const Json& actor = object_at(answer, "Actor");
  EngineEvent event;
  event.action = required_string(answer, "Action", kWhat);
  event.container_id = required_string(actor, "ID", kWhat);
  for (auto& [key, value] : strings_of(object_at(actor, "Attributes"))) {
    if (key == "name") event.name = value;
    if (key == "exitCode") event.exit_code = parse_int(value);
    if (is_label(key)) event.labels.emplace(key, value);
  }
  const std::int64_t nanoseconds = integer_or(answer, "timeNano", 0);
  event.time =
      nanoseconds > 0
          ? from_nanoseconds(nanoseconds)
          : Instant{std::chrono::seconds(std::clamp<std::int64_t>(
                integer_or(answer, "time", 0), 0, std::numeric_limits<std::uint32_t>::max()))};
  return event;
}

std::optional<Stats> read_stats(std::string_view body) {
  const Json answer = parse(body, "statistics");
  // One that does not run has figures too, all zero, taken at the zero time.
  if (!parse_rfc3339(string_or(answer, "read"))) return std::nullopt;
  const Json& memory = object_at(answer, "memory_stats");
  Stats stats;
  stats.cpu_time = std::chrono::floor<Millis>(std::chrono::nanoseconds(
      integer_or(object_at(object_at(answer, "cpu_stats"), "cpu_usage"), "total_usage", 0)));
  stats.memory_bytes = integer_or(memory, "usage", 0);
  // Control groups of version 2 don't give it here.
  stats.peak_memory_bytes = std::max(integer_or(memory, "max_usage", 0), stats.memory_bytes);
  for (const auto& [name, device] : object_at(answer, "networks").items()) {
    stats.network_rx_bytes += std::max<std::int64_t>(integer_or(device, "rx_bytes", 0), 0);
    stats.network_tx_bytes += std::max<std::int64_t>(integer_or(device, "tx_bytes", 0), 0);
  }
  return stats;
}

std::optional<NetworkState> read_network(std::string_view body, std::string_view name) {
  constexpr std::string_view kWhat = "network";
  const Json answer = parse(body, kWhat);
  if (required_string(answer, "Name", kWhat) != name) return std::nullopt;
  NetworkState state;
  state.id = required_string(answer, "Id", kWhat);
  state.labels = strings_of(object_at(answer, "Labels"));
  for (const Json& config : array_at(object_at(answer, "IPAM"), "Config")) {
    std::string subnet = string_or(config, "Subnet");
    if (!subnet.empty()) state.subnets.push_back(std::move(subnet));
  }
  return state;
}

std::optional<Instant> read_network_creation(std::string_view body) {
  return parse_rfc3339(string_or(parse(body, "network"), "Created"));
}

}  // namespace resmgr::engine
