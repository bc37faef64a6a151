// What concerns the whole agent: /api/services, /api/host, /healthz, /readyz.
#include <chrono>
#include <optional>
#include <utility>

#include "agent/api/problems.h"
#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "common/guarded.h"
#include "common/json.h"
#include "common/time_format.h"
#include "common/version.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

Json service_to_json(const catalog::Service& service, bool for_admin) {
  Json json = {{"name", service.name},
               {"title", service.title},
               {"description", service.description},
               {"containerPort", service.container_port}};
  if (!service.icon.empty()) json["icon"] = service.icon;
  if (for_admin) {
    json["image"] = service.image;
    // Names alone: a value may be a secret.
    Json names = Json::array();
    for (const auto& variable : service.env) names.push_back(variable.first);
    json["env"] = std::move(names);
    json["warm"] = service.warm;
  }
  return json;
}

Response services(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  Json list = Json::array();
  const auto catalog = context.parts.tasks.catalog();
  for (const auto& service : catalog->services()) {
    list.push_back(service_to_json(service, request.caller->admin));
  }
  return json_response(200, dump_json(list));
}

Json engine_json(const tasks::EngineHealth& health) {
  return {{"reachable", health.reachable},
          {"version", text_or_null(health.version)},
          {"apiVersion", text_or_null(health.api_version)},
          {"lastError", text_or_null(health.last_error)}};
}

Json counts_json(const std::vector<std::int64_t>& counts) {
  static constexpr std::array<const char*, 5> kNames = {"starting", "running", "stopping",
                                                        "stopped", "error"};
  Json json = Json::object();
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    json[kNames.at(i)] = i < counts.size() ? counts[i] : 0;
  }
  return json;
}

Json catalog_json(const catalog::Catalog& catalog) {
  Json faults = Json::array();
  for (const auto& fault : catalog.faults()) {
    // The file's name says enough; where the host keeps it is nobody's business out there.
    faults.push_back(
        {{"where", fault.where.substr(fault.where.rfind('/') + 1)}, {"what", fault.what}});
  }
  return {{"services", catalog.services().size()}, {"faults", std::move(faults)}};
}

Json sinks_json(const Parts& parts) {
  Json list = Json::array();
  if (parts.sinks == nullptr) return list;
  for (const auto& status : parts.sinks->statuses()) list.push_back(sink_to_json(status));
  return list;
}

Json pools_json(const tasks::TaskService& tasks) {
  Json list = Json::array();
  for (const auto& pool : tasks.pools()) {
    Json json = {{"service", pool.service}, {"wanted", pool.wanted},
                 {"ready", pool.ready},     {"filling", pool.filling},
                 {"hits", pool.hits},       {"misses", pool.misses},
                 {"refillSeconds", Json()}, {"problem", text_or_null(pool.problem)}};
    if (const auto& time = pool.refill_time) {
      json["refillSeconds"] = std::chrono::duration<double>(*time).count();
    }
    list.push_back(std::move(json));
  }
  return list;
}

// `draining` and, while it is, what there is to say about it.
void add_drain(Json& json, const tasks::TaskService& tasks) {
  const auto drain = tasks.draining();
  json["draining"] = drain.has_value();
  if (!drain) return;
  json["drainReason"] = drain->reason.empty() ? Json() : Json(drain->reason);
  json["drainedAt"] = format_rfc3339(drain->since);
}

Response host(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  const Parts& parts = context.parts;
  const auto counts =
      parts.journal.reading([](journal::Reader& reader) { return reader.counts(); });
  Json json = {{"version", kVersion},
               {"agentId", parts.agent_id},
               {"name", parts.name},
               {"startedAt", format_rfc3339(context.started_at)},
               {"engine", engine_json(parts.tasks.engine_health())},
               {"journal",
                {{"id", parts.journal.id()},
                 {"head", parts.journal.head()},
                 {"writable", parts.journal.writable()}}},
               {"tasks", counts_json(counts)},
               {"catalog", catalog_json(*parts.tasks.catalog())},
               {"listen", context.listening()},
               {"sinks", sinks_json(parts)},
               {"pools", pools_json(parts.tasks)}};
  add_drain(json, parts.tasks);
  return json_response(200, dump_json(json));
}

// Whether the journal takes writes, asked at most once a second however often we are: finding out
// may cost a write, and anybody may ask.
class WritableCheck {
 public:
  bool operator()(journal::Journal& journal) {
    const auto now = std::chrono::steady_clock::now();
    const auto known = last_.with([&](Last& last) -> std::optional<bool> {
      if (last.asked && now < *last.asked + kFresh) return last.writable;
      last.asked = now;
      return std::nullopt;
    });
    if (known) return *known;
    const bool writable = journal.writable();
    last_.with([&](Last& last) { last.writable = writable; });
    return writable;
  }
  // The answer if it need not be looked for.
  std::optional<bool> fresh() {
    return last_.with([&](Last& last) -> std::optional<bool> {
      if (!last.asked || std::chrono::steady_clock::now() >= *last.asked + kFresh) {
        return std::nullopt;
      }
      return last.writable;
    });
  }

 private:
  static constexpr std::chrono::seconds kFresh{1};
  struct Last {
    std::optional<std::chrono::steady_clock::time_point> asked;
    bool writable = true;
  };
  Guarded<Last> last_;
};

Response ready_response(const RouteContext& context, const Request& request, bool writable) {
  const bool reachable = context.parts.tasks.engine_health().reachable;
  if (writable && reachable) return json_response(200, R"({"status":"ready"})");
  const char* const detail = !writable    ? "the journal can't be written"
                             : !reachable ? "the container engine is away"
                                          : "";
  return problem_response(503, "not-serving", detail, request,
                          {{"journalWritable", writable}, {"engineReachable", reachable}});
}

std::optional<Response> ready(RouteContext& context, const std::shared_ptr<WritableCheck>& check,
                              const Responder& responder) {
  const Request& request = responder.request();
  if (const auto writable = check->fresh()) return ready_response(context, request, *writable);
  answer_on_worker(context, responder, [&context, check, responder] {
    return ready_response(context, responder.request(), (*check)(context.parts.journal));
  });
  return std::nullopt;
}

}  // namespace

void add_host_routes(Router& router, const Context& context) {
  RouteContext* const raw = context.get();
  router.add({.method = Method::get,
              .pattern = wire::kServices,
              .handler = [raw](const Responder& responder) {
                return services(*raw, responder.request());
              }});
  router.add(
      {.method = Method::get,
       .pattern = wire::kHost,
       .access = Access::admin,
       .runs = Runs::on_worker,
       .handler = [raw](const Responder& responder) { return host(*raw, responder.request()); }});
  router.add({.method = Method::get,
              .pattern = wire::kHostChecks,
              .access = Access::admin,
              .runs = Runs::on_worker,
              .handler = [raw](const Responder& responder) {
                Query(responder.request(), {}).check();
                const auto& checks = raw->parts.checks;
                return json_response(200, dump_json(checks ? checks() : Json::array()));
              }});
  router.add(
      {.method = Method::get,
       .pattern = "/healthz",
       .access = Access::open,
       .handler = [](const Responder&) { return json_response(200, R"({"status":"ok"})"); }});
  router.add(
      {.method = Method::get,
       .pattern = "/readyz",
       .access = Access::open,
       .handler = [raw, check = std::make_shared<WritableCheck>()](const Responder& responder) {
         return ready(*raw, check, responder);
       }});
}

}  // namespace resmgr::api
