#include "agent/engine/docker_body.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "common/http.h"
#include "common/json.h"

namespace resmgr::engine {
namespace {

constexpr char kNoNetwork[] = "none";
// Programs that can't write anywhere still need a place for their sockets and scratch files. It
// counts against the container's memory limit.
constexpr char kScratchOptions[] = "rw,nosuid,nodev,mode=1777,size=64m";

// "key=value" of each.
template <typename Pairs>
Json assignments(const Pairs& pairs) {
  Json list = Json::array();
  for (const auto& [key, value] : pairs) {
    std::string text = key;
    text += '=';
    text += value;
    list.push_back(std::move(text));
  }
  return list;
}

Json mounts(const ContainerSpec& spec) {
  Json list = Json::array();
  for (const VolumeMount& volume : spec.volumes) {
    list.push_back({{"Type", "volume"}, {"Source", volume.name}, {"Target", volume.path}});
  }
  return list;
}

void add_limits(const ContainerSpec& spec, Json& host) {
  if (spec.cpus > 0) host["NanoCpus"] = std::llround(spec.cpus * 1e9);
  if (spec.memory_bytes > 0) {
    host["Memory"] = spec.memory_bytes;
    host["MemorySwap"] = spec.memory_bytes;
  }
  if (spec.pids > 0) host["PidsLimit"] = spec.pids;
  if (spec.shm_bytes > 0) host["ShmSize"] = spec.shm_bytes;
  if (spec.log_max_bytes > 0) {
    host["LogConfig"] = {
        {"Type", "json-file"},
        {"Config", {{"max-size", std::to_string(spec.log_max_bytes)}, {"max-file", "1"}}}};
  }
}

Json host_config(const ContainerSpec& spec) {
  Json host = {{"CapDrop", {"ALL"}},
               {"SecurityOpt", {"no-new-privileges"}},
               {"Init", true},
               {"IpcMode", "private"},
               {"RestartPolicy", {{"Name", "no"}}}};
  if (!spec.capabilities.empty()) host["CapAdd"] = spec.capabilities;
  if (!spec.network.empty()) host["NetworkMode"] = spec.network;
  if (!spec.volumes.empty()) host["Mounts"] = mounts(spec);
  if (spec.read_only) {
    host["ReadonlyRootfs"] = true;
    host["Tmpfs"] = {{"/tmp", kScratchOptions}};
  }
  add_limits(spec, host);
  return host;
}

}  // namespace

std::string create_body(const ContainerSpec& spec) {
  Json body = {{"Image", spec.image},
               {"Labels", Json::object()},
               {"HostConfig", host_config(spec)},
               {"StopTimeout", whole_seconds(spec.stop_timeout).count()}};
  for (const auto& [key, value] : spec.labels) body["Labels"][key] = value;
  if (!spec.command.empty()) body["Cmd"] = spec.command;
  if (!spec.env.empty()) body["Env"] = assignments(spec.env);
  if (!spec.user.empty()) body["User"] = spec.user;
  if (spec.container_port > 0 && spec.network != kNoNetwork) {
    const std::string port = std::to_string(spec.container_port) + "/tcp";
    body["ExposedPorts"][port] = Json::object();
    body["HostConfig"]["PortBindings"][port] =
        Json::array({Json{{"HostIp", spec.publish_address}, {"HostPort", spec.port_range}}});
  }
  return dump_json(body);
}

std::string network_body(const NetworkSpec& spec) {
  Json body = {{"Name", spec.name},
               {"CheckDuplicate", true},
               {"Driver", "bridge"},
               {"Labels", Json::object()}};
  for (const auto& [key, value] : spec.labels) body["Labels"][key] = value;
  if (spec.isolated) body["Options"]["com.docker.network.bridge.enable_icc"] = "false";
  if (!spec.bridge.empty()) body["Options"]["com.docker.network.bridge.name"] = spec.bridge;
  return dump_json(body);
}

std::string label_filter(const std::map<std::string, std::string>& labels) {
  return dump_json(Json{{"label", assignments(labels)}});
}

std::string container_event_filter() { return R"({"type":["container"]})"; }

std::string query_string(const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string query;
  for (const auto& [key, value] : values) {
    query += query.empty() ? '?' : '&';
    query += key;
    query += '=';
    query += url_encode(value);
  }
  return query;
}

std::string unix_time(Instant instant) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  const auto millis = (instant - seconds).count();
  char text[48];
  std::snprintf(text, sizeof text, "%lld.%03lld000000",
                static_cast<long long>(seconds.time_since_epoch().count()),
                static_cast<long long>(millis));
  return text;
}

std::chrono::seconds whole_seconds(Millis duration) {
  return std::chrono::ceil<std::chrono::seconds>(std::max(duration, Millis{0}));
}

}  // namespace resmgr::engine
