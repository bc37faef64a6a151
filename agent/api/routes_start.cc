// POST /api/tasks: starts a service for a user.
#include <algorithm>
#include <array>
#include <utility>

#include "agent/api/problems.h"
#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "agent/api/task_json.h"
#include "common/crypto.h"
#include "common/json.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

constexpr std::size_t kLongestKey = 255;

std::string idempotency_key(const Request& request) {
  const std::string_view key = request.header("Idempotency-Key");
  if (!request.has_header("Idempotency-Key")) return {};
  const bool is_visible = std::all_of(key.begin(), key.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7f;
  });
  if (key.empty() || key.size() > kLongestKey || !is_visible ||
      request.count("Idempotency-Key") > 1) {
    throw Error(ErrorKind::usage,
                "cannot use Idempotency-Key: it must be 1 to 255 visible ASCII characters");
  }
  return std::string(key);
}

tasks::StartIntent intent_of(const Request& request) {
  const Json body = parse_json(request.body, "request body", DuplicateKeys::refuse);
  const wire::StartRequest wanted = wire::start_request_from_json(body);
  const identity::Principal& caller = *request.caller;
  tasks::StartIntent intent;
  intent.user_id = wanted.user_id.value_or(caller.user_id);
  if (!caller.may_see(intent.user_id)) {
    throw Error(ErrorKind::forbidden, "cannot start a task for user '" + intent.user_id +
                                          "': only an admin may start for another user");
  }
  intent.service_type = wanted.service_type;
  intent.requested_by = caller.user_id;
  intent.sees_all = caller.admin;
  intent.idempotency_key = idempotency_key(request);
  // Of what it says, not of how it is spaced or ordered.
  if (!intent.idempotency_key.empty()) intent.body_hash = sha256_hex(dump_json(body));
  return intent;
}

Response started_response(const RouteContext& context, const Task& task, std::string_view url,
                          int status) {
  std::string body;
  append_task(body, task, url);
  Response response = json_response(status, std::move(body));
  response.set("Location", link_to(context, wire::task_path(task.task_id)));
  return response;
}

struct Failure {
  ErrorKind kind;
  int status;
  std::string_view name;
};

// A start that failed, by what its row says of it. Whatever the engine is to blame for is 502.
constexpr std::array<Failure, 4> kFailures = {{
    {ErrorKind::not_ready, 504, "not-ready"},
    {ErrorKind::rejected, 502, "rejected"},
    {ErrorKind::not_found, 502, "image-not-found"},
    {ErrorKind::unavailable, 503, "unavailable"},
}};

Response failed_response(const Request& request, const journal::TaskRow& row) {
  const Task& task = row.task;
  const auto* const failure =
      std::find_if(kFailures.begin(), kFailures.end(),
                   [&](const Failure& known) { return to_string(known.kind) == row.failure; });
  const int status = failure == kFailures.end() ? 502 : failure->status;
  const std::string_view name = failure == kFailures.end() ? "start-failed" : failure->name;
  const std::string cause = task.status_reason.empty() ? "the start failed" : task.status_reason;
  return problem_response(status, name,
                          "cannot start service '" + task.service_type + "': " + cause, request,
                          {{"taskId", task.task_id}});
}

// What the end of a start means for who waited for it.
void answer_settled(const Context& context, const Responder& responder, const journal::TaskRow& row,
                    bool replayed) {
  const Request& request = responder.request();
  if (!row.failure.empty()) return responder.send(failed_response(request, row));
  if (row.task.status != TaskStatus::running && !replayed) {
    return responder.send(problem_response(
        409, "stopped-meanwhile",
        "cannot start service '" + row.task.service_type + "': it was stopped before it was ready",
        request, {{"taskId", row.task.task_id}}));
  }
  if (const auto url = iframe_url(*context, request, row.task, false)) {
    return responder.send(started_response(*context, row.task, *url, 201));
  }
  answer_on_worker(*context, responder, [weak = std::weak_ptr(context), &request, task = row.task] {
    const Context held = weak.lock();
    if (!held) throw Error(ErrorKind::unavailable, "cannot start a task: the agent is stopping");
    const auto url = iframe_url(*held, request, task, true);
    return started_response(*held, task, url.value_or(""), 201);
  });
}

std::optional<Response> start(const Context& context, const Responder& responder) {
  const Request& request = responder.request();
  Query(request, {}).check();
  tasks::TaskService& service = context->parts.tasks;
  const tasks::StartIntent intent = intent_of(request);
  const tasks::Admission admission = service.start(intent);
  if (list_has_token(request.header("Prefer"), "respond-async")) {
    const auto row = context->parts.journal.reading(
        [&](journal::Reader& reader) { return reader.task(admission.task_id); });
    if (!row) throw Error(ErrorKind::internal, "an admitted task is not in the journal");
    Response response = started_response(*context, row->task, {}, 202);
    response.set("Preference-Applied", "respond-async");
    return response;
  }
  // The server may be gone when the start ends; the task service calls all the same.
  service.when_started(admission.task_id,
                       [weak = std::weak_ptr(context), responder,
                        replayed = admission.replayed](const journal::TaskRow& row) {
                         if (const Context held = weak.lock()) {
                           answer_settled(held, responder, row, replayed);
                         }
                       });
  return std::nullopt;
}

}  // namespace

void add_start_route(Router& router, const Context& context) {
  router.add({.method = Method::post,
              .pattern = wire::kTasks,
              .runs = Runs::on_worker,
              .takes_body = true,
              .handler = [weak = std::weak_ptr(context)](const Responder& responder) {
                return start(weak.lock(), responder);
              }});
}

}  // namespace resmgr::api
