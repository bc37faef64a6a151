// GET /api/tasks/{id}/usage-record and GET /api/usage-records: what is billed of a task, and what
// became of it. They outlive the task.
#include <limits>
#include <utility>

#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "agent/api/usage_json.h"
#include "common/ids.h"
#include "common/json.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

constexpr int kMostRecords = 500;
constexpr int kUsualRecords = 100;

std::optional<UsageTrace> find_trace(const RouteContext& context, std::string_view name) {
  const auto id = parse_uuid(name);
  if (!id) return std::nullopt;
  return context.parts.journal.reading([&](journal::Reader& reader) -> std::optional<UsageTrace> {
    auto usage = reader.usage_of(*id);
    if (!usage) return std::nullopt;
    return trace_of(reader, *std::move(usage));
  });
}

Response usage_record(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  if (const auto trace = find_trace(context, request.captures.front())) {
    const Json record = Json::parse(trace->usage.record, nullptr, false);
    if (request.caller->may_see(string_or(record, "userId"))) {
      std::string body;
      append_usage_trace(body, *trace);
      return json_response(200, std::move(body));
    }
  }
  const auto row = visible_task(context, request);
  throw Error(ErrorKind::conflict,
              "cannot show usage record of task '" + row.task.task_id +
                  "': " + (is_active(row.task.status) ? "it has not ended" : "it never ran"));
}

std::string whose_records(Query& query, const identity::Principal& caller) {
  const auto user = query.uuid("userId");
  query.check();
  if (!user) return caller.admin ? std::string() : caller.user_id;
  if (caller.may_see(*user)) return *user;
  throw Error(ErrorKind::forbidden,
              "cannot list usage records of user '" + *user + "': only an admin may see another's");
}

Response usage_records(const RouteContext& context, const Request& request) {
  Query query(request, {"userId", "after", "limit"});
  journal::UsageFilter filter;
  filter.after = query.integer("after", 0, std::numeric_limits<std::int64_t>::max()).value_or(0);
  const auto limit =
      static_cast<int>(query.integer("limit", 1, kMostRecords).value_or(kUsualRecords));
  const bool named = query.text("userId").has_value();
  filter.user_id = whose_records(query, *request.caller);
  std::vector<UsageTrace> traces;
  context.parts.journal.read([&](journal::Reader& reader) {
    for (auto& usage : reader.usage_records(filter, limit)) {
      traces.push_back(trace_of(reader, std::move(usage)));
    }
  });
  std::string body = "[";
  for (const auto& trace : traces) {
    if (&trace != traces.data()) body += ',';
    append_usage_trace(body, trace);
  }
  Response response = json_response(200, body + "]");
  if (traces.size() >= static_cast<std::size_t>(limit)) {
    response.set("Link", "<" + link_to(context, request.path) + "?limit=" + std::to_string(limit) +
                             (named ? "&userId=" + filter.user_id : "") + "&after=" +
                             std::to_string(traces.back().usage.number) + ">; rel=\"next\"");
  }
  return response;
}

using UsageAnswer = Response (*)(const RouteContext&, const Request&);

void add_get(Router& router, std::string pattern, UsageAnswer answer, RouteContext* context) {
  router.add({.method = Method::get,
              .pattern = std::move(pattern),
              .runs = Runs::on_worker,
              .handler = [context, answer](const Responder& responder) {
                return answer(*context, responder.request());
              }});
}

}  // namespace

void add_usage_routes(Router& router, const Context& context) {
  add_get(router, "/api/tasks/{id}/usage-record", usage_record, context.get());
  add_get(router, wire::kUsageRecords, usage_records, context.get());
}

}  // namespace resmgr::api
