// GET /api/live: the journal's events over a WebSocket (RFC 6455).
#include <limits>
#include <utility>

#include "agent/api/problems.h"
#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "agent/api/server_context.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

// Beside it a browser offers its token (gate.cc), which no answer repeats.
constexpr std::string_view kProtocol = "resmgr.v1";
constexpr std::string_view kVersion = "13";

std::optional<Response> refuse_other_than_handshake(const Request& request) {
  const bool wants_websocket = request.method == Method::get && request.version == 11 &&
                               list_has_token(request.header("Connection"), "upgrade") &&
                               list_has_token(request.header("Upgrade"), "websocket");
  if (!wants_websocket || request.header("Sec-WebSocket-Version") != kVersion) {
    Response response = problem_response(
        426, "upgrade-required",
        "this is a WebSocket of version 13; see /api/events for plain HTTP", request);
    response.set("Upgrade", "websocket");
    response.set("Sec-WebSocket-Version", std::string(kVersion));
    return response;
  }
  // 16 bytes in base64.
  constexpr std::size_t kKeySize = 24;
  if (request.count("Sec-WebSocket-Key") != 1 ||
      request.header("Sec-WebSocket-Key").size() != kKeySize) {
    return problem_response(400, "invalid-request",
                            "the handshake needs one Sec-WebSocket-Key of 16 bytes in base64",
                            request);
  }
  return std::nullopt;
}

bool offers_protocol(const Request& request) {
  for (const auto& [name, value] : request.headers) {
    if (equal_ignoring_case(name, "Sec-WebSocket-Protocol") && list_has_token(value, kProtocol)) {
      return true;
    }
  }
  return false;
}

std::optional<Response> live(RouteContext& context, const Responder& responder) {
  const Request& request = responder.request();
  const journal::Journal& journal = context.parts.journal;
  Query query(request, {"since", "journal"});
  const auto since = query.integer("since", 0, std::numeric_limits<std::int64_t>::max());
  const auto journal_id = query.uuid("journal");
  query.check();
  if (auto refusal = refuse_other_than_handshake(request)) return refusal;
  if (!context.live.has_room()) {
    return problem_response(503, "too-many-followers",
                            "too many follow the events; ask again when others have ended",
                            request);
  }
  const std::int64_t head = journal.head();
  LiveSubscription subscription;
  subscription.resync = needs_resync(journal, head, since, journal_id);
  subscription.after = subscription.resync ? head : since.value_or(head);
  subscription.until = end_of_access(context, request);
  if (!request.caller->admin) subscription.user_id = request.caller->user_id;
  LiveHandshake handshake{std::string(request.header("Sec-WebSocket-Key")),
                          offers_protocol(request) ? std::string(kProtocol) : "", request.id};
  Response response;
  response.status = 101;
  response.take_over = [&feed = context.live, handshake = std::move(handshake),
                        subscription = std::move(subscription)](Handover handover) {
    feed.add(std::move(handover), handshake, subscription);
  };
  return response;
}

}  // namespace

void add_live_route(Router& router, const Context& context) {
  router.add({.method = Method::get,
              .pattern = wire::kLive,
              .token_in_subprotocol = true,
              .handler = [raw = context.get()](const Responder& responder) {
                return live(*raw, responder);
              }});
}

}  // namespace resmgr::api
