#include "agent/tasks/container_spec.h"

#include <map>

#include "agent/engine/labels.h"
#include "common/crypto.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using Values = std::map<std::string, std::string>;

Values placeholders(const Task& task, const std::string& token) {
  return {{"token", token}, {"taskId", task.task_id}, {"userId", task.user_id}};
}

std::string base_path(const TaskOptions& options, const std::string& task_id) {
  return options.gateway ? options.gateway->base_path(task_id) : "/";
}

std::vector<catalog::Volume> expanded_volumes(const catalog::Service& service,
                                              const Values& values) {
  std::vector<catalog::Volume> volumes = service.volumes;
  for (auto& volume : volumes) volume.name = catalog::expand(volume.name, values);
  return volumes;
}

// All but its name and labels.
engine::ContainerSpec unnamed_spec(const TaskOptions& options, const catalog::Service& service,
                                   const Values& values) {
  engine::ContainerSpec spec;
  spec.image = service.image;
  for (const auto& argument : service.command) {
    spec.command.push_back(catalog::expand(argument, values));
  }
  for (const auto& [name, value] : service.env) {
    spec.env.emplace_back(name, catalog::expand(value, values));
  }
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
  for (const auto& volume : expanded_volumes(service, values)) {
    spec.volumes.push_back({volume.name, volume.path});
  }
  spec.stop_timeout = service.stop_timeout;
  return spec;
}

std::map<std::string, std::string> labels(const TaskOptions& options, const std::string& service,
                                          Instant created_at, const std::string& spec_hash) {
  auto result = engine::ours(options.agent_id);
  result[engine::kLabelServiceType] = service;
  result[engine::kLabelCreatedAt] = format_rfc3339(created_at);
  result[engine::kLabelSpecHash] = spec_hash;
  return result;
}

}  // namespace

std::string secret_of(const TaskOptions& options, const std::string& id) {
  return to_hex(hmac_sha256(options.secret_key, id));
}

const std::string& secret_id(const journal::TaskRow& row) {
  return row.warm.slot_id.empty() ? row.task.task_id : row.warm.slot_id;
}

engine::ContainerSpec container_spec(const TaskOptions& options, const catalog::Service& service,
                                     const journal::TaskRow& row) {
  const Task& task = row.task;
  auto values = placeholders(task, secret_of(options, task.task_id));
  values["basePath"] = base_path(options, task.task_id);
  auto spec = unnamed_spec(options, service, values);
  spec.name = engine::container_name(task.task_id);
  spec.labels = labels(options, task.service_type, task.created_at, row.spec_hash);
  spec.labels[engine::kLabelTaskId] = task.task_id;
  spec.labels[engine::kLabelUserId] = task.user_id;
  return spec;
}

engine::ContainerSpec warm_spec(const TaskOptions& options, const catalog::Service& service,
                                const journal::SlotRow& slot) {
  auto spec = unnamed_spec(options, service,
                           {{"token", secret_of(options, slot.slot_id)}, {"basePath", "/"}});
  spec.name = engine::container_name(slot.slot_id);
  spec.labels = labels(options, slot.service_type, slot.created_at, service.spec_hash);
  spec.labels[engine::kLabelSlotId] = slot.slot_id;
  return spec;
}

std::string warm_hash(const TaskOptions& options, const catalog::Service& service) {
  const auto line = [](std::string_view text) { return std::string(text).append("\n"); };
  return sha256_hex(line(service.spec_hash) + line(options.publish_address) +
                    line(options.port_range) + line(std::to_string(options.log_max_bytes)));
}

bool can_be_warm(const TaskOptions& options, const catalog::Service& service) {
  return !service.knows_base_path() || !options.gateway ||
         options.gateway->mode() == GatewayAddress::Mode::host;
}

std::string task_url(const TaskOptions& options, const catalog::Service& service, const Task& task,
                     const std::string& token, int host_port) {
  if (host_port == 0) return {};
  // What listens on every address is named by the host.
  const bool any = options.publish_address == "0.0.0.0" || options.publish_address == "::";
  std::string host = any ? options.host_name : options.publish_address;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  auto values = placeholders(task, token);
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
                         const Task& task, const std::string& token) {
  auto values = placeholders(task, token);
  values["host"] = options.gateway->host(task.task_id);
  values["port"] = std::to_string(options.gateway->port());
  const std::string& own = service.gateway.path;
  return catalog::expand(own.empty() ? service.url_path : own, values);
}

std::string authorization_of(const catalog::Service& service, const Task& task,
                             const std::string& token) {
  return catalog::expand(service.gateway.authorization, placeholders(task, token));
}

std::vector<catalog::Volume> task_volumes(const catalog::Service& service, const Task& task) {
  return expanded_volumes(service, {{"taskId", task.task_id}, {"userId", task.user_id}});
}

}  // namespace resmgr::tasks
