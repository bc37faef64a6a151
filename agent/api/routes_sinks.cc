// /api/sinks/{name}: what an operator may ask of a destination.
#include <limits>
#include <utility>

#include "agent/api/problems.h"
#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "common/json.h"
#include "common/time_format.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

constexpr int kMostLetters = 500;
constexpr int kUsualLetters = 100;

sinks::Pumps& pumps(const RouteContext& context, std::string_view name) {
  if (context.parts.sinks != nullptr) return *context.parts.sinks;
  throw Error(ErrorKind::not_found,
              "cannot find sink '" + std::string(name.substr(0, 64)) + "': none is configured");
}

Json letter_to_json(const journal::DeadLetter& letter) {
  return {{"seq", letter.seq},
          {"taskId", text_or_null(letter.task_id)},
          {"time", format_rfc3339(letter.time)},
          {"type", letter.type},
          {"reason", letter.reason},
          {"setAsideAt", format_rfc3339(letter.set_aside_at)},
          {"attempts", letter.attempts},
          {"retrying", letter.due},
          {"payload", letter.payload}};
}

Response status_response(const RouteContext& context, std::string_view name, Json members) {
  for (const auto& status : pumps(context, name).statuses()) {
    if (status.name == name) members.update(sink_to_json(status));
  }
  return json_response(200, dump_json(members));
}

Response sync(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  const std::string_view name = request.captures.front();
  pumps(context, name).wake(name);
  return status_response(context, name, Json::object());
}

Response retry(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  const std::string_view name = request.captures.front();
  const int count = pumps(context, name).retry(name);
  return status_response(context, name, {{"retrying", count}});
}

Response dead_letters(const RouteContext& context, const Request& request) {
  Query query(request, {"after", "limit"});
  const std::int64_t after =
      query.integer("after", 0, std::numeric_limits<std::int64_t>::max()).value_or(0);
  const auto limit =
      static_cast<int>(query.integer("limit", 1, kMostLetters).value_or(kUsualLetters));
  query.check();
  const std::string_view name = request.captures.front();
  const auto letters = pumps(context, name).letters(name, after, limit);
  Json list = Json::array();
  for (const auto& letter : letters) list.push_back(letter_to_json(letter));
  Response response = json_response(200, dump_json(list));
  if (letters.size() >= static_cast<std::size_t>(limit)) {
    response.set("Link", "<" + link_to(context, request.path) + "?limit=" + std::to_string(limit) +
                             "&after=" + std::to_string(letters.back().seq) + ">; rel=\"next\"");
  }
  return response;
}

using Answer = Response (*)(const RouteContext&, const Request&);

Route admin_route(Method method, std::string_view action, Answer answer, RouteContext* context) {
  Route route;
  route.method = method;
  route.pattern = std::string(wire::kSinks) + "/{name}/" + std::string(action);
  route.access = Access::admin;
  route.runs = Runs::on_worker;
  route.handler = [context, answer](const Responder& responder) {
    return answer(*context, responder.request());
  };
  return route;
}

}  // namespace

Json sink_to_json(const sinks::SinkStatus& status) {
  return {
      {"name", status.name},
      {"state", sinks::to_string(status.state)},
      {"lagEvents", status.lag_events},
      {"lagSeconds", static_cast<double>(status.lag.count()) / 1000.0},
      {"lastSuccess", status.last_success ? Json(format_rfc3339(*status.last_success)) : Json()},
      {"lastError", text_or_null(status.last_error)},
      {"hint", text_or_null(status.hint)},
      {"deadLetters", status.dead_letters},
      {"pinsAfter", status.pins_after}};
}

void add_sink_routes(Router& router, const Context& context) {
  router.add(admin_route(Method::post, "sync", sync, context.get()));
  router.add(admin_route(Method::post, "retry", retry, context.get()));
  router.add(admin_route(Method::get, "dead-letters", dead_letters, context.get()));
}

}  // namespace resmgr::api
