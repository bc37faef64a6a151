// GET /api/events: the journal's events as NDJSON, one a line.
#include <algorithm>
#include <limits>
#include <utility>

#include "agent/api/problems.h"
#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

struct Wish {
  std::optional<std::int64_t> since;
  bool follow = false;
  bool progress = false;
  std::optional<std::string> journal_id;
};

Wish read_wish(const Request& request) {
  Query query(request, {"since", "follow", "journal", "progress"});
  Wish wish;
  wish.since = query.integer("since", 0, std::numeric_limits<std::int64_t>::max());
  wish.follow = query.flag("follow");
  wish.progress = query.flag("progress");
  wish.journal_id = query.uuid("journal");
  query.check();
  return wish;
}

std::optional<Response> events(RouteContext& context, const Responder& responder) {
  const Request& request = responder.request();
  const journal::Journal& journal = context.parts.journal;
  const Wish wish = read_wish(request);
  const std::int64_t head = journal.head();
  Response answer;
  answer.content_type = kNdjson;
  set_journal_position(context, head, answer);
  if (request.method == Method::head) return answer;
  if (!context.feed.has_room()) {
    return problem_response(503, "too-many-followers",
                            "too many follow the events; ask again when others have ended",
                            request);
  }
  const bool resync = needs_resync(journal, head, wish.since, wish.journal_id);
  EventFeed::Subscription subscription;
  // Who names no beginning and follows wants what is new; who does not follow, all that is kept.
  subscription.after =
      resync ? head : wish.since.value_or(wish.follow ? head : journal.pruned_to());
  if (!wish.follow) subscription.up_to = head;
  subscription.progress = wish.follow && wish.progress;
  if (!request.caller->admin) subscription.user_id = request.caller->user_id;

  Stream stream = responder.stream(std::move(answer), {.until = end_of_access(context, request)});
  if (resync) {
    stream.write(resync_line(journal, head));
  }
  context.feed.add(std::move(stream), std::move(subscription));
  return std::nullopt;
}

}  // namespace

void add_event_route(Router& router, const Context& context) {
  router.add({.method = Method::get,
              .pattern = wire::kEvents,
              .handler = [raw = context.get()](const Responder& responder) {
                return events(*raw, responder);
              }});
}

}  // namespace resmgr::api
