// The agent's routes: what each file of routes_*.cc adds, and what they work with.
#ifndef RESMGR_AGENT_API_ROUTES_H_
#define RESMGR_AGENT_API_ROUTES_H_

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/api/event_feed.h"
#include "agent/api/gateway_pass.h"
#include "agent/api/live_feed.h"
#include "agent/api/query.h"
#include "agent/api/router.h"
#include "agent/api/server.h"
#include "agent/api/worker_pool.h"
#include "agent/tasks/drain.h"

namespace resmgr::api {

// The server holds it; so does, for a moment, who answers a start from outside. What it refers to
// must outlive the server.
struct RouteContext {
  RouteContext(ServerOptions its_options, Parts its_parts)
      : options(std::move(its_options)),
        parts(std::move(its_parts)),
        started_at(parts.clock.now()),
        workers(kWorkers, kWaitingJobs),
        log_readers(kLogReaders, 0),
        feed(sources(parts), kEventFollowers),
        live(sources(parts), live_options(options)) {
    if (options.gateway) passes.emplace(parts.secret_key);
  }

  static constexpr std::size_t kWorkers = 32;
  static constexpr std::size_t kWaitingJobs = 512;
  static constexpr std::size_t kLogReaders = 64;
  static constexpr std::size_t kEventFollowers = 256;

  const ServerOptions options;
  const Parts parts;
  const Instant started_at;
  std::optional<GatewayPasses> passes;  // with options.gateway alone; constant from then on
  std::function<std::vector<std::string>()> listening;  // the real addresses
  WorkerPool workers;
  WorkerPool log_readers;
  EventFeed feed;
  LiveFeed live;

 private:
  static FeedSources sources(const Parts& parts) {
    return {parts.journal, parts.tasks.starts(), parts.clock};
  }
  // However many listen, there is room for requests.
  static LiveOptions live_options(const ServerOptions& options) {
    LiveOptions live = options.live;
    live.most_clients = options.max_connections - options.max_connections / 8;
    return live;
  }
};
using Context = std::shared_ptr<RouteContext>;

void add_start_route(Router& router, const Context& context);
void add_stop_route(Router& router, const Context& context);
void add_task_routes(Router& router, const Context& context);
void add_log_route(Router& router, const Context& context);
void add_idle_routes(Router& router, const Context& context);
void add_event_route(Router& router, const Context& context);
void add_live_route(Router& router, const Context& context);
void add_host_routes(Router& router, const Context& context);
void add_sink_routes(Router& router, const Context& context);
void add_usage_routes(Router& router, const Context& context);
void add_usage_report_route(Router& router, const Context& context);
// Where Parts::metrics is given.
void add_metrics_route(Router& router, const Context& context);
void add_reconcile_route(Router& router, const Context& context);
void add_image_routes(Router& router, const Context& context);
void add_drain_routes(Router& router, const Context& context);
void add_gateway_routes(Router& router, const Context& context);
void add_dashboard_routes(Router& router);
void add_openapi_route(Router& router);

// What several of them need.

// A member of /api/host's `sinks`.
Json sink_to_json(const sinks::SinkStatus& status);

// Whose things are asked for: `userId` of the query ("me" is the caller); where it is missing the
// caller's own, or, for an admin, everyone's (empty). Throws Error(usage) if it is no UUID, and
// forbidden if it is another's and the caller no admin; `what` is for the message.
std::string user_asked_for(Query& query, const identity::Principal& caller, std::string_view what);

// The task that the path's first capture names. Throws not_found: there is none, the caller may
// not see it, or it is no id.
journal::TaskRow visible_task(const RouteContext& context, const Request& request);
journal::TaskRow visible_task(journal::Reader& reader, const Request& request);
// The answer to GET /api/tasks/{id}. May ask the engine.
Response single_task(const RouteContext& context, const Request& request);
// Where the caller's browser finds a running task: through the gateway, or as TaskService has it.
std::optional<std::string> iframe_url(const RouteContext& context, const Request& request,
                                      const Task& task, bool may_block);
// "/api/tasks?…", behind the public URL where there is one.
std::string link_to(const RouteContext& context, std::string_view path);
// The caller's token runs out then; empty: never.
std::optional<SteadyTime> end_of_access(const RouteContext& context, const Request& request);
// Who asks for something that concerns the whole host, for the audit.
tasks::Requester requester_of(const Request& request);
// Whether a follower that has the events up to `since`, of the journal `journal_id`, can't be
// brought up to date by those that are kept: it must read the lists anew. Empty: it names none.
bool needs_resync(const journal::Journal& journal, std::int64_t head,
                  std::optional<std::int64_t> since, const std::optional<std::string>& journal_id);
// Where the journal stood before an answer was made: events after that bring it up to date.
void set_journal_position(const RouteContext& context, std::int64_t seq, Response& response);
// Runs `answer` on a worker and sends what it returns; 503 if there is none to be had.
void answer_on_worker(RouteContext& context, const Responder& responder,
                      std::function<Response()> answer);
// … what waits for others too, and gives up when the server stops.
void answer_on_worker(RouteContext& context, const Responder& responder,
                      std::function<Response(const std::stop_token&)> answer);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_ROUTES_H_
