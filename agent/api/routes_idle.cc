// POST /api/tasks/{id}/touch and /extend, GET /api/tasks/{id}/why: when a running task is stopped
// because nobody uses it or because it is too old, and what puts that off.
#include <utility>

#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "agent/tasks/idle_watch.h"
#include "common/json.h"
#include "common/time_format.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

Json time_or_null(const std::optional<Instant>& time) {
  return time ? Json(format_rfc3339(*time)) : Json();
}

double seconds(Millis duration) { return static_cast<double>(duration.count()) / 1000.0; }

Json seconds_or_null(const std::optional<Millis>& duration) {
  return duration ? Json(seconds(*duration)) : Json();
}

// 0 stands for none in the catalog.
Json limit_or_null(Millis limit) { return limit > Millis{0} ? Json(seconds(limit)) : Json(); }

Json signals_json(const std::vector<tasks::SignalView>& signals) {
  Json list = Json::array();
  for (const tasks::SignalView& signal : signals) {
    list.push_back({{"name", signal.name},
                    {"state", std::string(to_string(signal.state))},
                    {"observedAt", format_rfc3339(signal.observed)},
                    {"lastBusyAt", time_or_null(signal.last_busy)},
                    {"ageSeconds", seconds_or_null(signal.age)},
                    {"detail", signal.detail}});
  }
  return list;
}

Json report_json(const Task& task, const tasks::IdleReport& report) {
  const tasks::IdleVerdict& verdict = report.verdict;
  return {{"taskId", task.task_id},
          {"serviceType", task.service_type},
          {"status", std::string(to_string(task.status))},
          {"time", format_rfc3339(report.facts.now.wall)},
          {"signals", signals_json(verdict.signals)},
          {"idle",
           {{"timeoutSeconds", limit_or_null(report.rules.timeout)},
            {"since", time_or_null(verdict.idle_since)},
            {"warned", verdict.idle_warned},
            {"warnAt", time_or_null(verdict.idle_warn_at)},
            {"stopAt", time_or_null(verdict.idle_stop_at)},
            {"extendedUntil", time_or_null(report.facts.extended.idle_until)},
            {"outlook", verdict.idle_outlook}}},
          {"lifetime",
           {{"maxSeconds", limit_or_null(report.rules.lifetime_max)},
            {"warned", verdict.lifetime_warned},
            {"warnAt", time_or_null(verdict.lifetime_warn_at)},
            {"stopAt", time_or_null(verdict.lifetime_stop_at)},
            {"extendedUntil", time_or_null(report.facts.extended.lifetime_until)},
            {"outlook", verdict.lifetime_outlook}}}};
}

Response why(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  const Task task = visible_task(context, request).task;
  return json_response(200, dump_json(report_json(task, context.parts.tasks.why(task.task_id))));
}

Response touch(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  context.parts.tasks.touch(visible_task(context, request).task.task_id);
  Response response;
  response.status = 204;
  return response;
}

Response extend(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  const std::string task_id = visible_task(context, request).task.task_id;
  const Json body = parse_json(request.body, "request body", DuplicateKeys::refuse);
  const wire::ExtendRequest wanted = wire::extend_request_from_json(body);
  context.parts.tasks.extend(task_id, wanted.by, request.caller->user_id);
  return single_task(context, request);
}

}  // namespace

void add_idle_routes(Router& router, const Context& context) {
  // A gateway reports each request: it costs no sync and no thread.
  router.add({.method = Method::post,
              .pattern = "/api/tasks/{id}/touch",
              .handler = [raw = context.get()](const Responder& responder) {
                return touch(*raw, responder.request());
              }});
  router.add({.method = Method::post,
              .pattern = "/api/tasks/{id}/extend",
              .runs = Runs::on_worker,
              .takes_body = true,
              .handler = [raw = context.get()](const Responder& responder) {
                return extend(*raw, responder.request());
              }});
  router.add({.method = Method::get,
              .pattern = "/api/tasks/{id}/why",
              .handler = [raw = context.get()](const Responder& responder) {
                return why(*raw, responder.request());
              }});
}

}  // namespace resmgr::api
