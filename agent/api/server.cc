#include "agent/api/server.h"

#include <utility>

#include "agent/api/gate.h"
#include "agent/api/http_server.h"
#include "agent/api/router.h"
#include "agent/api/routes.h"

namespace resmgr::api {
namespace {

Router all_routes(const Context& context) {
  Router router;
  add_start_route(router, context);
  add_task_routes(router, context);
  add_stop_route(router, context);
  add_log_route(router, context);
  add_idle_routes(router, context);
  add_event_route(router, context);
  add_live_route(router, context);
  add_host_routes(router, context);
  add_sink_routes(router, context);
  add_usage_routes(router, context);
  add_usage_report_route(router, context);
  if (context->parts.metrics != nullptr) add_metrics_route(router, context);
  add_reconcile_route(router, context);
  add_image_routes(router, context);
  add_drain_routes(router, context);
  add_gateway_routes(router, context);
  add_dashboard_routes(router);
  add_openapi_route(router);
  return router;
}

}  // namespace

struct Server::State {
  State(const ServerOptions& options, Parts parts)
      : context(std::make_shared<RouteContext>(options, std::move(parts))),
        router(all_routes(context)),
        gate(router, context->parts.authenticator, context->workers, context->parts.metrics,
             options.cors_origins),
        http(options, gate) {
    if (context->parts.metrics != nullptr) context->parts.metrics->set_routes(router.routes());
    context->listening = [this] { return http.listening(); };
  }

  // Others hold it for a moment only, when they have an answer to give.
  const Context context;
  const Router router;
  Gate gate;
  HttpServer http;
};

Server::Server(const ServerOptions& options, Parts parts)
    : state_(std::make_unique<State>(options, std::move(parts))) {}

Server::~Server() { stop(); }

void Server::start() { state_->http.start(); }

const std::vector<std::string>& Server::listening() const { return state_->http.listening(); }

std::vector<const Route*> Server::routes() const { return state_->router.routes(); }

bool Server::turns(std::chrono::milliseconds patience) const {
  return state_->http.turns(patience);
}

void Server::stop() {
  // Streams first: they would last until the server's patience ends. Workers last: their answers
  // are still sent while the server waits.
  state_->context->feed.stop();
  state_->context->live.stop();
  state_->context->log_readers.stop();
  state_->http.stop();
  state_->context->workers.stop();
}

}  // namespace resmgr::api
