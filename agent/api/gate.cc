#include "agent/api/gate.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "agent/api/problems.h"
#include "common/log.h"

namespace resmgr::api {
namespace {

constexpr char kCorsHeaders[] =
    "Authorization, Content-Type, Idempotency-Key, Prefer, X-Request-Id";
constexpr char kExposedHeaders[] =
    "Journal-Id, Journal-Seq, Link, Location, Preference-Applied, Retry-After, WWW-Authenticate, "
    "X-Request-Id";
constexpr char kCorsMaxAge[] = "600";

Response busy(const Request& request) {
  return problem_response(503, "unavailable", "the agent has more to do than it can just now",
                          request);
}

// What else can be thrown is a defect of ours.
Response defect(const std::exception& error, const Request& request) {
  return problem_response(Error(ErrorKind::internal, error.what()), request);
}

Admission refuse(Response response) { return {Admission::Verdict::refuse, std::move(response)}; }

// Behind a proxy the kernel's word is about the proxy, not about who calls.
bool is_forwarded(const Request& request) {
  constexpr std::string_view kPrefix = "X-Forwarded-";
  return std::any_of(request.headers.begin(), request.headers.end(), [&](const HeaderView& header) {
    return equal_ignoring_case(header.first, "Forwarded") ||
           equal_ignoring_case(header.first.substr(0, kPrefix.size()), kPrefix);
  });
}

// "resmgr.bearer.<token>" among the subprotocols that a WebSocket's client offers; empty if there
// is none. Throws where there is more than one.
std::string_view offered_token(const Request& request) {
  constexpr std::string_view kPrefix = "resmgr.bearer.";
  std::string_view token;
  for (const auto& [name, value] : request.headers) {
    if (!equal_ignoring_case(name, "Sec-WebSocket-Protocol")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view offered = trimmed(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      if (!offered.starts_with(kPrefix)) continue;
      if (!token.empty()) throw Error(ErrorKind::unauthenticated, "there is more than one token");
      token = offered.substr(kPrefix.size());
    }
  }
  return token;
}

bool is_json(std::string_view content_type) {
  const std::size_t semicolon = content_type.find(';');
  if (!equal_ignoring_case(trimmed(content_type.substr(0, semicolon)), kJson)) return false;
  if (semicolon == std::string_view::npos) return true;
  const std::string_view parameter = trimmed(content_type.substr(semicolon + 1));
  return parameter.empty() || equal_ignoring_case(parameter, "charset=utf-8") ||
         equal_ignoring_case(parameter, "charset=\"utf-8\"");
}

bool announces_body(const Request& request) {
  const std::string_view length = request.header("Content-Length");
  return request.has_header("Transfer-Encoding") ||
         length.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

Gate::Gate(const Router& router, identity::Authenticator& authenticator, WorkerPool& workers,
           Metrics* metrics, std::vector<std::string> cors_origins)
    : router_(router),
      authenticator_(authenticator),
      workers_(workers),
      cors_origins_(std::move(cors_origins)),
      metrics_(metrics) {}

std::optional<Response> Gate::find_route(Request& request) const {
  const Router::Match match = router_.match(request);
  request.route = match.route;
  if (match.route != nullptr) return std::nullopt;
  std::string allowed = router_.allowed_methods(request);
  if (allowed.empty()) return problem_response(404, "not-found", "there is no such path", request);
  Response response;
  if (request.method == Method::options) {
    response.status = 204;
    if (request.has_header("Access-Control-Request-Method") && !allowed_origin(request).empty()) {
      response.set("Access-Control-Allow-Methods", allowed);
      response.set("Access-Control-Allow-Headers", kCorsHeaders);
      response.set("Access-Control-Max-Age", kCorsMaxAge);
    }
  } else {
    response = problem_response(405, "method-not-allowed",
                                "this path does not take this method: only " + allowed, request);
  }
  response.set("Allow", std::move(allowed));
  return response;
}

std::optional<identity::Principal> Gate::caller_of(Request& request, bool may_block) {
  const std::size_t tokens = request.count("Authorization");
  if (tokens > 1) {
    throw Error(ErrorKind::unauthenticated, "there is more than one Authorization header");
  }
  std::string_view offered;
  if (tokens == 0 && request.route->token_in_subprotocol) offered = offered_token(request);
  if (request.peer.uid) {
    if (is_forwarded(request)) {
      Error error(ErrorKind::forbidden,
                  "cannot take a forwarded request on the unix socket: who called is not known",
                  "let the proxy use the agent's TCP address, with the caller's token");
      error.problem = "forwarded-over-socket";
      throw error;
    }
    if (tokens == 0 && offered.empty()) {
      if (!request.socket_caller) {
        // The user's name may have to be looked up elsewhere, once a connection.
        if (!may_block) return std::nullopt;
        request.socket_caller = authenticator_.socket_peer(*request.peer.uid);
      }
      return request.socket_caller;
    }
  }
  if (!offered.empty()) {
    return authenticator_.authenticate("Bearer " + std::string(offered), may_block);
  }
  return authenticator_.authenticate(request.header("Authorization"), may_block);
}

void Gate::check_access(const Request& request) {
  if (request.route->access != Access::admin || request.caller->admin) return;
  throw Error(ErrorKind::forbidden,
              "cannot use '" + request.route->pattern + "': it is for admins alone");
}

std::optional<Response> Gate::check_body(const Request& request) {
  if (!announces_body(request)) return std::nullopt;
  const std::string_view coding = request.header("Content-Encoding");
  if (!coding.empty() && !equal_ignoring_case(coding, "identity")) {
    return problem_response(415, "unsupported-content-encoding",
                            "a request body must not be compressed", request);
  }
  if (!request.route->takes_body) {
    return problem_response(400, "invalid-request", "this request takes no body", request);
  }
  if (request.count("Content-Type") != 1 || !is_json(request.header("Content-Type"))) {
    return problem_response(415, "unsupported-media-type",
                            "the body must be application/json in UTF-8", request);
  }
  return std::nullopt;
}

Admission Gate::admit_or_throw(const std::shared_ptr<Exchange>& exchange) {
  Request& request = exchange->request;
  if (auto refusal = find_route(request)) return refuse(std::move(*refusal));
  if (request.route->access != Access::open) {
    request.caller = caller_of(request, false);
    if (!request.caller) {
      const bool taken = workers_.submit([this, responder = Responder(exchange)](std::stop_token) {
        Request& asked = responder.request();
        try {
          asked.caller = caller_of(asked, true);
          if (!asked.caller) throw Error(ErrorKind::internal, "nobody said who calls");
          check_access(asked);
          auto refusal = check_body(asked);
          if (!refusal) return responder.proceed();
          responder.send(std::move(*refusal));
        } catch (const Error& error) {
          responder.send(problem_response(error, asked));
        } catch (const std::exception& error) {
          responder.send(defect(error, asked));
        }
      });
      if (!taken) return refuse(busy(request));
      return {Admission::Verdict::pending, std::nullopt};
    }
    check_access(request);
  }
  if (auto refusal = check_body(request)) return refuse(std::move(*refusal));
  return {};
}

Admission Gate::admit(const std::shared_ptr<Exchange>& exchange) {
  try {
    return admit_or_throw(exchange);
  } catch (const Error& error) {
    return refuse(problem_response(error, exchange->request));
  } catch (const std::exception& error) {
    return refuse(defect(error, exchange->request));
  }
}

std::optional<Response> Gate::run(const Route& route, const Responder& responder) const {
  try {
    return route.handler(responder);
  } catch (const Error& error) {
    return problem_response(error, responder.request());
  } catch (const std::exception& error) {
    return defect(error, responder.request());
  }
}

std::optional<Response> Gate::handle(const std::shared_ptr<Exchange>& exchange) {
  const Route& route = *exchange->request.route;
  Responder responder(exchange);
  if (route.runs == Runs::at_once) return run(route, responder);
  const bool taken = workers_.submit([this, &route, responder](std::stop_token) {
    if (auto response = run(route, responder)) responder.send(std::move(*response));
  });
  if (taken) return std::nullopt;
  return busy(exchange->request);
}

std::string Gate::allowed_origin(const Request& request) const {
  const std::string_view origin = request.header("Origin");
  if (origin.empty()) return {};
  for (const std::string& allowed : cors_origins_) {
    if (allowed == "*" || allowed == origin) return allowed;
  }
  return {};
}

void Gate::decorate(const Request& request, Response& response) {
  if (!cors_origins_.empty()) {
    if (std::string origin = allowed_origin(request); !origin.empty()) {
      response.set("Access-Control-Allow-Origin", std::move(origin));
      response.set("Access-Control-Expose-Headers", kExposedHeaders);
    }
    response.set("Vary", "Origin");
  }
  if (!request.segments.empty() && request.segments.front() == "api") {
    response.set("Cache-Control", "no-store");
  }
}

void Gate::finished(const Request& request, int status, std::chrono::microseconds took) {
  if (metrics_ != nullptr) metrics_->request(request.route, status, took);
  access_log_.write(request, status, took);
}

}  // namespace resmgr::api
