// POST /api/reconcile: where journal and engine differ, and something done about it.
#include <utility>

#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "agent/tasks/difference.h"
#include "common/json.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

using tasks::Difference;
using tasks::Reconciliation;

// What takes longer, such as a service that is getting ready, is told as pending.
constexpr Millis kLongestSettling{15'000};

Json journal_json(const Difference& difference) {
  if (!difference.phase || !difference.status) return {};
  return {{"phase", to_string(*difference.phase)}, {"status", to_string(*difference.status)}};
}

Json difference_json(const Difference& difference) {
  Json engine;
  if (difference.state) engine = tasks::to_string(*difference.state);
  return {{"class", to_string(difference.kind)},
          {"taskId", text_or_null(difference.task_id)},
          {"containerId", text_or_null(difference.container_id)},
          {"containerName", difference.container_name},
          {"journal", journal_json(difference)},
          {"engine", std::move(engine)},
          {"action", to_string(difference.act)},
          {"outcome", to_string(difference.outcome)},
          {"reason", difference.reason}};
}

Response reconciliation_response(const Reconciliation& result) {
  Json counts = Json::object();
  for (const auto kind : tasks::kDifferenceClasses) {
    counts[std::string(to_string(kind))] = result.count(kind);
  }
  Json entries = Json::array();
  for (const auto& difference : result.differences) {
    entries.push_back(difference_json(difference));
  }
  return json_response(200, dump_json({{"dryRun", result.dry_run},
                                       {"engine",
                                        {{"reachable", result.engine_reachable},
                                         {"lastError", text_or_null(result.engine_error)}}},
                                       {"agreeing", result.agreeing},
                                       {"counts", std::move(counts)},
                                       {"entries", std::move(entries)}}));
}

std::optional<Response> reconcile(RouteContext& context, const Responder& responder) {
  Query query(responder.request(), {"dryRun"});
  const bool dry_run = query.flag("dryRun");
  query.check();
  // Its own worker, for the stop token: an agent that stops does not wait for it.
  answer_on_worker(
      context, responder,
      [&context, dry_run, by = requester_of(responder.request())](const std::stop_token& stop) {
        tasks::TaskService& service = context.parts.tasks;
        return reconciliation_response(dry_run ? service.compare()
                                               : service.reconcile(by, kLongestSettling, stop));
      });
  return std::nullopt;
}

}  // namespace

void add_reconcile_route(Router& router, const Context& context) {
  router.add({.method = Method::post,
              .pattern = wire::kReconcile,
              .access = Access::admin,
              .handler = [raw = context.get()](const Responder& responder) {
                return reconcile(*raw, responder);
              }});
}

}  // namespace resmgr::api
