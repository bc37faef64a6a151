// GET /api/gateway/authorize and /enter: what nginx (packaging/nginx/resmgr.conf) asks before it
// lets a request through to a task, and where it sends who comes with an `iframeUrl`.
#include <algorithm>
#include <utility>

#include "agent/api/gateway_pass.h"
#include "agent/api/gateway_request.h"
#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "agent/tasks/whereabouts.h"

namespace resmgr::api {
namespace {

// What nginx says of the request in hand.
constexpr char kUri[] = "X-Original-URI";
constexpr char kHost[] = "X-Original-Host";

// It tells nobody why, or whether there is such a task.
[[noreturn]] void turn_away() {
  throw Error(ErrorKind::forbidden,
              "cannot enter this task: it does not run, or is not yours, or the link is too old",
              "open it anew from where the link was");
}

struct Visit {
  Task task;
  GatewayTarget target;
};

const GatewayAddress& gateway_of(const RouteContext& context) {
  if (!context.passes) turn_away();
  return *context.options.gateway;
}

// The running task that a request is for.
Visit visit_of(const RouteContext& context, const Request& request) {
  // Twice the same header is a trick.
  if (request.count(kUri) != 1 || request.count(kHost) != 1) turn_away();
  auto target = gateway_target(gateway_of(context), request.header(kHost), request.header(kUri));
  if (!target) turn_away();
  const auto row = context.parts.journal.reading(
      [&](journal::Reader& reader) { return reader.task(target->task_id); });
  if (!row || row->task.status != TaskStatus::running) turn_away();
  return {row->task, *std::move(target)};
}

// The service takes what nginx hands on for its user's: nobody else's page may make it do so. With
// the cookie alone a page elsewhere could, for it is sent from there, too. Browsers name a page's
// origin with whatever is no mere navigation, and with each WebSocket; "null" is that of a form
// under a referrer policy, and of sandboxed pages.
bool is_from_elsewhere(const RouteContext& context, const Request& request, const Visit& visit) {
  if (!request.has_header("Origin")) return false;
  const std::string_view origin = request.header("Origin");
  if (request.count("Origin") > 1) return true;
  if (origin == gateway_of(context).origin(visit.task.task_id)) return false;
  return origin != "null" || request.header("Sec-Fetch-Site") != "same-origin";
}

std::string cookies_of(const Request& request) {
  std::string all;
  for (const auto& [name, value] : request.headers) {
    if (!equal_ignoring_case(name, "Cookie")) continue;
    if (!all.empty()) all += "; ";
    all += value;
  }
  return all;
}

std::string frame_ancestors(const ServerOptions& options, const std::vector<std::string>& wanted) {
  std::string list;
  for (const std::string& source : wanted) list += (list.empty() ? "" : " ") + source;
  if (!list.empty()) return list;
  // A service's own frames, the dashboard, and the pages that may call the API.
  list = "'self'";
  if (const auto dashboard = web_origin(options.public_url)) list += " " + *dashboard;
  for (const std::string& origin : options.cors_origins) {
    if (const auto known = web_origin(origin)) list += " " + *known;
  }
  return list;
}

// Sets a header that nginx hands on only where there is something to hand on.
void set_unless_empty(Response& response, std::string_view name, std::string value) {
  if (!value.empty()) response.set(name, std::move(value));
}

Response admitted(const RouteContext& context, const Visit& visit, const tasks::Door& door,
                  const GatewayPass& pass, const std::string& cookies) {
  const GatewayAddress& gateway = gateway_of(context);
  const std::string& task_id = visit.task.task_id;
  const std::string base = gateway.base_path(task_id);
  Response response;
  response.status = 204;
  response.set("X-Resmgr-Upstream", door.upstream);
  response.set("X-Resmgr-Path",
               door.keeps_base_path ? base + visit.target.path.substr(1) : visit.target.path);
  response.set("X-Resmgr-Base-Path", base);
  response.set("X-Resmgr-Frame-Ancestors", frame_ancestors(context.options, door.frame_ancestors));
  set_unless_empty(response, "X-Resmgr-Authorization", door.authorization);
  set_unless_empty(response, "X-Resmgr-Cookie", without_own_cookies(cookies));
  const Instant now = context.parts.clock.now();
  if (now - pass.issued > GatewayPasses::kFresh) {
    response.set("Set-Cookie", context.passes->set_cookie(gateway, task_id, pass.user_id, now));
  }
  return response;
}

// It may have ended since its row was read.
void count_as_use(const RouteContext& context, const Task& task) {
  try {
    context.parts.tasks.touch(task.task_id);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::conflict) turn_away();
    throw;
  }
}

std::optional<Response> authorize(RouteContext& context, const Responder& responder) {
  const Request& request = responder.request();
  Query(request, {}).check();
  Visit visit = visit_of(context, request);
  const std::string cookies = cookies_of(request);
  const auto pass = context.passes->read_cookie(gateway_of(context), visit.task.task_id, cookies,
                                                context.parts.clock.now());
  if (!pass || is_from_elsewhere(context, request, visit)) turn_away();
  count_as_use(context, visit.task);
  if (const auto door = context.parts.tasks.door(visit.task, false)) {
    return admitted(context, visit, *door, *pass, cookies);
  }
  answer_on_worker(context, responder, [&context, visit, pass = *pass, cookies] {
    const auto door = context.parts.tasks.door(visit.task, true);
    if (!door) throw Error(ErrorKind::internal, "a task's port is neither known nor unknown");
    return admitted(context, visit, *door, pass, cookies);
  });
  return std::nullopt;
}

// The code goes no further than to here: neither the task nor a page that it leads to sees it.
Response enter(const RouteContext& context, const Request& request) {
  Query query(request, {"code"});
  query.check();
  const Visit visit = visit_of(context, request);
  const GatewayAddress& gateway = gateway_of(context);
  const std::string& task_id = visit.task.task_id;
  const Instant now = context.parts.clock.now();
  const auto code = context.passes->read_code(task_id, query.text("code").value_or(""), now);
  // Who reloads the page has a code that is too old, and the cookie.
  const auto cookie = context.passes->read_cookie(gateway, task_id, cookies_of(request), now);
  if (!code && !cookie) turn_away();
  const std::string page = context.parts.tasks.gateway_page(visit.task);
  if (page.empty()) turn_away();
  Response response;
  response.status = 303;
  // A path that begins with two slashes would be another host's.
  const std::size_t begin = std::min(page.find_first_not_of('/'), page.size());
  response.set("Location", gateway.base_path(task_id) + page.substr(begin));
  response.set("Referrer-Policy", "no-referrer");
  if (code) {
    response.set("Set-Cookie", context.passes->set_cookie(gateway, task_id, code->user_id, now));
  }
  return response;
}

}  // namespace

std::optional<std::string> iframe_url(const RouteContext& context, const Request& request,
                                      const Task& task, bool may_block) {
  if (!context.passes) return context.parts.tasks.iframe_url(task, may_block);
  if (context.parts.tasks.gateway_page(task).empty()) return std::string();
  const GatewayAddress& gateway = gateway_of(context);
  return gateway.origin(task.task_id) + gateway.base_path(task.task_id) + ".resmgr/enter?code=" +
         context.passes->code(task.task_id, request.caller->user_id, context.parts.clock.now());
}

void add_gateway_routes(Router& router, const Context& context) {
  // Each request to a task costs one of these: no sync and no thread.
  router.add({.method = Method::get,
              .pattern = "/api/gateway/authorize",
              .access = Access::open,
              .handler = [raw = context.get()](const Responder& responder) {
                return authorize(*raw, responder);
              }});
  router.add({.method = Method::get,
              .pattern = "/api/gateway/enter",
              .access = Access::open,
              .handler = [raw = context.get()](const Responder& responder) {
                return enter(*raw, responder.request());
              }});
}

}  // namespace resmgr::api
