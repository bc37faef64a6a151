#include "agent/tasks/whereabouts.h"

#include <utility>

#include "agent/tasks/container_spec.h"
#include "common/error.h"

namespace resmgr::tasks {
namespace {

bool can_be_visited(const Task& task) {
  return task.status == TaskStatus::running && task.container_port != 0;
}

// From this host, as visitors of a proxy come.
std::string upstream_of(const std::string& publish_address, int port) {
  std::string host = publish_address;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return host + ":" + std::to_string(port);
}

}  // namespace

Whereabouts::Port Whereabouts::port_of(const Task& task, bool may_block) {
  auto sighting = parts_.lifecycle.sighting(task.task_id);
  const bool fresh =
      sighting && parts_.session.trusted() && sighting->epoch == parts_.session.epoch();
  if (!fresh) {
    if (!may_block) return {Known::not_yet, 0, {}};
    try {
      sighting = parts_.lifecycle.look_again(task);
    } catch (const Error&) {
      return {};  // nobody can say where it is now
    }
    if (!sighting) return {};
  }
  return {Known::yes, sighting->host_port, sighting->secret_id};
}

std::string Whereabouts::token(const std::string& secret_id) const {
  return secret_of(parts_.options, secret_id);
}

std::optional<std::string> Whereabouts::url(const Task& task, bool may_block) {
  if (!can_be_visited(task)) return std::string();
  const auto catalog = parts_.catalog();
  const catalog::Service* service = catalog->find(task.service_type);
  if (service == nullptr) return std::string();
  const Port port = port_of(task, may_block);
  if (port.known == Known::not_yet) return std::nullopt;
  if (port.known == Known::no) return std::string();
  return task_url(parts_.options, *service, task, token(port.secret_id), port.number);
}

std::optional<Door> Whereabouts::door(const Task& task, bool may_block) {
  const auto catalog = parts_.catalog();
  const catalog::Service* service = catalog->find(task.service_type);
  if (!can_be_visited(task) || service == nullptr) {
    throw Error(ErrorKind::forbidden, "cannot enter task '" + task.task_id + "': it does not run");
  }
  const Port port = port_of(task, may_block);
  if (port.known == Known::not_yet) return std::nullopt;
  if (port.known == Known::no || port.number == 0) {
    throw Error(ErrorKind::unavailable,
                "cannot enter task '" + task.task_id + "': nobody knows where it is just now");
  }
  Door door;
  door.upstream = upstream_of(parts_.options.publish_address, port.number);
  door.authorization = authorization_of(*service, task, token(port.secret_id));
  door.keeps_base_path = service->knows_base_path();
  door.frame_ancestors = service->frame_ancestors;
  return door;
}

std::string Whereabouts::page(const Task& task) const {
  const auto catalog = parts_.catalog();
  const catalog::Service* service = catalog->find(task.service_type);
  if (!can_be_visited(task) || service == nullptr) return {};
  return gateway_page(parts_.options, *service, task,
                      token(parts_.lifecycle.secret_id_of(task.task_id)));
}

// The port is asked of the engine each time: with its request goes the task's secret, and a port
// that was freed is given to the next container, which may be another user's.
JupyterLook Whereabouts::ask_jupyter(const Task& task, std::stop_token stop) {
  const auto seen = parts_.lifecycle.look_again(task);
  if (!seen || seen->host_port == 0) {
    JupyterLook none;
    none.failure = seen ? "it publishes no port" : "nobody knows where it is just now";
    return none;
  }
  const auto http = make_probe_client(parts_.options.publish_address, seen->host_port);
  JupyterAccess access;
  access.token = token(seen->secret_id);
  const auto catalog = parts_.catalog();
  if (const catalog::Service* service = catalog->find(task.service_type)) {
    access.base_url = path_in_container(parts_.options, *service, task.task_id, "/");
    access.base_url.pop_back();
  }
  return look_at_jupyter(*http, access, parts_.clock.now(), std::move(stop));
}

}  // namespace resmgr::tasks
