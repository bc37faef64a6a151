#include "agent/engine/docker_engine.h"

#include <utility>

#include "agent/engine/docker_body.h"
#include "agent/engine/docker_json.h"
#include "agent/engine/docker_words.h"
#include "common/error.h"

namespace resmgr::engine {
namespace {

// A stop answers when the container has ended: after its own patience, the kill, and what the
// engine needs to clean up.
constexpr Millis kStopMargin{60'000};

std::string container_target(const std::string& id, std::string_view rest = "") {
  return "/containers/" + url_encode(id) + std::string(rest);
}

std::string named(std::string_view act, const std::string& value) {
  return std::string(act) + " '" + value + "'";
}

HttpRequest request_for(std::string method, std::string target) {
  HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  return request;
}

HttpRequest json_post(std::string target, std::string body) {
  HttpRequest request = request_for("POST", std::move(target));
  request.body = std::move(body);
  request.content_type = "application/json";
  return request;
}

// Of a create or a start: which of the parties is missing decides what can be done about it.
[[noreturn]] void fail_with_problem(std::string_view act, const HttpResponse& response) {
  try {
    fail(act, response);
  } catch (Error& error) {
    if (error.kind() == ErrorKind::not_found && says_network_missing(error.message())) {
      error.problem = "network-missing";
    }
    throw;
  }
}

}  // namespace

DockerEngine::DockerEngine(const DockerOptions& options)
    : DockerEngine(
          options,
          [endpoint = docker_endpoint(options.url)](Millis read_timeout) {
            HttpEndpoint own = endpoint;
            own.read_timeout = read_timeout;
            return make_http_client(own);
          },
          CgroupReader()) {}

DockerEngine::DockerEngine(DockerOptions options, HttpClientFactory make_client,
                           CgroupReader cgroups)
    : options_(std::move(options)),
      cgroups_(std::move(cgroups)),
      transport_(options_.url, std::move(make_client)) {}

HttpResponse DockerEngine::get(std::string target) {
  return transport_.send(request_for("GET", std::move(target)));
}

EngineInfo DockerEngine::info() {
  const HttpResponse response = get("/info");
  expect(response, {200}, named("ask about container engine", options_.url));
  EngineInfo info = read_info(response.body);
  info.api_version = to_string(transport_.version());
  // The daemon does not tell when it started. But it makes its default bridge anew at each start,
  // after it looked for its containers, unless some of them outlived it (live-restore).
  const HttpResponse bridge = get("/networks/bridge");
  if (bridge.status == 200) info.started_at = read_network_creation(bridge.body);
  return info;
}

std::string DockerEngine::create(const ContainerSpec& spec) {
  const HttpResponse response = transport_.send(
      json_post("/containers/create" + query_string({{"name", spec.name}}), create_body(spec)),
      DockerTransport::kSlow);
  if (response.status != 201) fail_with_problem(named("create container", spec.name), response);
  return read_created_id(response.body);
}

void DockerEngine::start(const std::string& id) {
  const HttpResponse response =
      transport_.send(request_for("POST", container_target(id, "/start")), DockerTransport::kSlow);
  // 304: it runs already.
  if (response.status == 204 || response.status == 304) return;
  const std::string act = named("start container", id);
  const std::string words = read_error_message(response.body);
  if (response.status != 404 && says_port_in_use(words)) {
    Error error(ErrorKind::conflict, "cannot " + act + ": " + words);
    error.problem = "port-in-use";
    throw error;
  }
  fail_with_problem(act, response);
}

std::optional<std::string> DockerEngine::container_body(const std::string& id_or_name) {
  HttpResponse response = get(container_target(id_or_name, "/json"));
  if (response.status == 404) return std::nullopt;
  expect(response, {200}, named("inspect container", id_or_name));
  return std::move(response.body);
}

std::optional<ContainerState> DockerEngine::inspect(const std::string& id_or_name) {
  const auto body = container_body(id_or_name);
  if (!body) return std::nullopt;
  return read_container(*body);
}

void DockerEngine::rename(const std::string& id, const std::string& name) {
  const HttpResponse response = transport_.send(
      request_for("POST", container_target(id, "/rename") + query_string({{"name", name}})));
  if (response.status == 400) {
    // It bears that name already.
    throw Error(ErrorKind::conflict, "cannot " + named("rename container", id) + ": " +
                                         read_error_message(response.body));
  }
  expect(response, {204}, named("rename container", id));
}

void DockerEngine::stop(const std::string& id, Millis timeout) {
  const auto seconds = whole_seconds(timeout);
  const HttpResponse response = transport_.send(
      request_for("POST", container_target(id, "/stop") +
                              query_string({{"t", std::to_string(seconds.count())}})),
      seconds + kStopMargin);
  // 304: it does not run.
  expect(response, {204, 304}, named("stop container", id));
}

void DockerEngine::remove(const std::string& id) {
  const HttpResponse response =
      transport_.send(request_for("DELETE", container_target(id) + query_string({{"v", "1"}})));
  if (response.status == 204 || response.status == 404) return;
  if (response.status == 409 &&
      read_error_message(response.body).find("already in progress") != std::string::npos) {
    return;
  }
  fail(named("remove container", id), response);
}

std::vector<ContainerSummary> DockerEngine::list(const std::map<std::string, std::string>& labels) {
  const HttpResponse response =
      get("/containers/json" + query_string({{"all", "1"}, {"filters", label_filter(labels)}}));
  expect(response, {200}, named("list the containers of container engine", options_.url));
  return read_container_list(response.body);
}

std::optional<Stats> DockerEngine::stats(const std::string& id) {
  if (auto stats = cgroups_.read(id)) return stats;
  const auto body = container_body(id);
  if (!body) return std::nullopt;
  const ContainerState state = read_container(*body);
  if (!state.alive()) return std::nullopt;
  if (auto stats = cgroups_.read(state.id, read_pid(*body))) return stats;
  const HttpResponse response = get(container_target(
      state.id, "/stats" + query_string({{"stream", "false"}, {"one-shot", "true"}})));
  if (response.status == 404) return std::nullopt;
  expect(response, {200}, named("measure container", id));
  return read_stats(response.body);
}

std::optional<std::string> DockerEngine::image_id(const std::string& image) {
  const HttpResponse response = get("/images/" + url_encode(image) + "/json");
  if (response.status == 404) return std::nullopt;
  expect(response, {200}, named("look for image", image));
  return read_image_id(response.body);
}

std::optional<NetworkState> DockerEngine::inspect_network(const std::string& name) {
  const HttpResponse response = get("/networks/" + url_encode(name));
  if (response.status == 404) return std::nullopt;
  expect(response, {200}, named("inspect network", name));
  return read_network(response.body, name);
}

void DockerEngine::create_network(const NetworkSpec& spec) {
  const HttpResponse response =
      transport_.send(json_post("/networks/create", network_body(spec)), DockerTransport::kSlow);
  // 409: there is one of that name.
  expect(response, {201, 409}, named("create network", spec.name));
}

void DockerEngine::remove_volume(const std::string& name) {
  const HttpResponse response =
      transport_.send(request_for("DELETE", "/volumes/" + url_encode(name)));
  expect(response, {204, 404}, named("remove volume", name));
}

}  // namespace resmgr::engine
