// DELETE /api/tasks/{id}: stops a task and removes its container.
#include <chrono>
#include <utility>

#include "agent/api/problems.h"
#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::api {
namespace {

constexpr std::chrono::seconds kLongestStop{120};

Response stopped_response(const Task& task) {
  const Millis duration = task.duration().value_or(Millis{0});
  return json_response(
      200, dump_json({{"success", true},
                      {"duration", format_iso8601_duration(duration)},
                      {"durationSeconds", static_cast<double>(duration.count()) / 1000.0}}));
}

Response later_response(const Request& request, const Task& task, std::string_view cause) {
  return problem_response(503, "stop-recorded",
                          "cannot stop task '" + task.task_id + "' just now: " +
                              std::string(cause) + "; the stop is on record and will be done",
                          request, {{"taskId", task.task_id}});
}

bool has_ended(const journal::TaskRow& row) { return !is_active(row.task.status); }

std::optional<Response> stop(const RouteContext& context, const Responder& responder) {
  const Request& request = responder.request();
  Query(request, {}).check();
  tasks::TaskService& service = context.parts.tasks;
  journal::TaskRow row = visible_task(context, request);
  if (has_ended(row)) return stopped_response(row.task);
  const identity::Principal& caller = *request.caller;
  service.stop(row.task.task_id, caller.user_id == row.task.user_id ? "user" : "admin",
               caller.user_id);
  if (!service.engine_health().reachable) {
    row = visible_task(context, request);
    if (has_ended(row)) return stopped_response(row.task);
    return later_response(request, row.task, "the container engine is away");
  }
  responder.otherwise_after(kLongestStop,
                            later_response(request, row.task, "it takes longer than usual"));
  service.when_ended(row.task.task_id, [responder](const journal::TaskRow& ended) {
    responder.send(stopped_response(ended.task));
  });
  return std::nullopt;
}

}  // namespace

void add_stop_route(Router& router, const Context& context) {
  router.add({.method = Method::del,
              .pattern = "/api/tasks/{id}",
              .runs = Runs::on_worker,
              .handler = [raw = context.get()](const Responder& responder) {
                return stop(*raw, responder);
              }});
}

}  // namespace resmgr::api
