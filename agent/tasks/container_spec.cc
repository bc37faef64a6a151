#include "agent/tasks/container_spec.h"

#include <map>

#include "agent/engine/labels.h"
#include "common/crypto.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

std::map<std::string, std::string> placeholders(const TaskOptions& options, const Task& task) {
  return {{"token", task_secret(options, task.task_id)},
          {"taskId", task.task_id},
          {"userId", task.user_id}};
}

std::string base_path(const TaskOptions& options, const std::string& task_id) {
  return options.gateway ? options.gateway->base_path(task_id) : "/";
}

std::map<std::string, std::string> labels(const TaskOptions& options, const journal::TaskRow& row) {
  auto result = engine::ours(options.agent_id);
  result[engine::kLabelTaskId] = row.task.task_id;
  result[engine::kLabelUserId] = row.task.user_id;
  result[engine::kLabelServiceType] = row.task.service_type;
  result[engine::kLabelCreatedAt] = format_rfc3339(row.task.created_at);
  result[engine::kLabelSpecHash] = row.spec_hash;
  return result;
}

}  // namespace

std::string task_secret(const TaskOptions& options, const std::string& task_id) {
  return to_hex(hmac_sha256(options.secret_key, task_id));
}

engine::ContainerSpec container_spec(const TaskOptions& options, const catalog::Service& service,
                                     const journal::TaskRow& row) {
  auto values = placeholders(options, row.task);
  values["basePath"] = base_path(options, row.task.task_id);
  engine::ContainerSpec spec;
  spec.name = engine::container_name(row.task.task_id);
  spec.image = service.image;
  for (const auto& argument : service.command) {
    spec.command.push_back(catalog::expand(argument, values));
  }
  for (const auto& [name, value] : service.env) {
    spec.env.emplace_back(name, catalog::expand(value, values));
  }
  spec.labels = labels(options, row);
  spec.network = service.network == catalog::NetworkMode::none
                     ? "none"
                     : engine::network_name(options.agent_id);
  // Without a network there is nothing to publish.
  spec.container_port = service.network == catalog::NetworkMode::none ? 0 : service.container_port;
  spec.publish_address = options.publish_address;
  spec.port_range = options.port_range;
  spec.cpus = service.cpus;
  spec.memory_bytes = service.memory_bytes;
  spec.pids = service.pids;
  spec.shm_bytes = service.shm_bytes;
  spec.log_max_bytes = options.log_max_bytes;
  spec.read_only = service.read_only;
  spec.capabilities = service.capabilities;
  spec.user = service.user;
  for (const auto& volume : task_volumes(service, row.task)) {
    spec.volumes.push_back({volume.name, volume.path});
  }
  spec.stop_timeout = service.stop_timeout;
  return spec;
}

std::string task_url(const TaskOptions& options, const catalog::Service& service, const Task& task,
                     int host_port) {
  if (host_port == 0) return {};
  // What listens on every address is named by the host.
  const bool any = options.publish_address == "0.0.0.0" || options.publish_address == "::";
  std::string host = any ? options.host_name : options.publish_address;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  auto values = placeholders(options, task);
  values["host"] = host;
  values["port"] = std::to_string(host_port);
  return "http://" + host + ":" + values["port"] + catalog::expand(service.url_path, values);
}

std::string path_in_container(const TaskOptions& options, const catalog::Service& service,
                              const std::string& task_id, std::string_view path) {
  if (!service.knows_base_path()) return std::string(path);
  return base_path(options, task_id).append(path.substr(1));
}

std::string gateway_page(const TaskOptions& options, const catalog::Service& service,
                         const Task& task) {
  auto values = placeholders(options, task);
  values["host"] = options.gateway->host(task.task_id);
  values["port"] = std::to_string(options.gateway->port());
  const std::string& own = service.gateway.path;
  return catalog::expand(own.empty() ? service.url_path : own, values);
}

std::string authorization_of(const TaskOptions& options, const catalog::Service& service,
                             const Task& task) {
  return catalog::expand(service.gateway.authorization, placeholders(options, task));
}

std::vector<catalog::Volume> task_volumes(const catalog::Service& service, const Task& task) {
  const std::map<std::string, std::string> values = {{"taskId", task.task_id},
                                                     {"userId", task.user_id}};
  std::vector<catalog::Volume> volumes = service.volumes;
  for (auto& volume : volumes) volume.name = catalog::expand(volume.name, values);
  return volumes;
}

}  // namespace resmgr::tasks
