#include "agent/api/routes.h"

#include <exception>
#include <utility>

#include "agent/api/problems.h"
#include "common/ids.h"

namespace resmgr::api {

journal::TaskRow visible_task(const RouteContext& context, const Request& request) {
  return context.parts.journal.reading(
      [&](journal::Reader& reader) { return visible_task(reader, request); });
}

journal::TaskRow visible_task(journal::Reader& reader, const Request& request) {
  const std::string_view name = request.captures.front();
  if (const auto id = parse_uuid(name)) {
    auto row = reader.task(*id);
    if (row && request.caller->may_see(row->task.user_id)) return std::move(*row);
  }
  constexpr std::size_t kShown = 64;
  throw Error(ErrorKind::not_found,
              "cannot find task '" + std::string(name.substr(0, kShown)) + "': there is none");
}

std::string user_asked_for(Query& query, const identity::Principal& caller, std::string_view what) {
  // "me" stands for whoever calls.
  if (query.text("userId") == "me") return caller.user_id;
  const auto user = query.uuid("userId");
  if (!user) return caller.admin ? std::string() : caller.user_id;
  if (!caller.may_see(*user)) {
    query.check();
    throw Error(ErrorKind::forbidden, "cannot list " + std::string(what) + " of user '" + *user +
                                          "': only an admin may see another's");
  }
  return *user;
}

std::string link_to(const RouteContext& context, std::string_view path) {
  std::string link = context.options.public_url;
  while (!link.empty() && link.back() == '/') link.pop_back();
  return link.append(path);
}

std::optional<SteadyTime> end_of_access(const RouteContext& context, const Request& request) {
  if (!request.caller || !request.caller->expires_at) return std::nullopt;
  const Millis left = *request.caller->expires_at - context.parts.clock.now();
  return std::chrono::steady_clock::now() + left;
}

tasks::Requester requester_of(const Request& request) {
  return {request.caller->user_id, request.caller->name};
}

bool needs_resync(const journal::Journal& journal, std::int64_t head,
                  std::optional<std::int64_t> since, const std::optional<std::string>& journal_id) {
  if (journal_id && *journal_id != journal.id()) return true;
  return since && (*since < journal.pruned_to() || *since > head);
}

void set_journal_position(const RouteContext& context, std::int64_t seq, Response& response) {
  response.set("Journal-Id", context.parts.journal.id());
  response.set("Journal-Seq", std::to_string(seq));
}

void answer_on_worker(RouteContext& context, const Responder& responder,
                      std::function<Response()> answer) {
  answer_on_worker(context, responder,
                   [answer = std::move(answer)](const std::stop_token&) { return answer(); });
}

void answer_on_worker(RouteContext& context, const Responder& responder,
                      std::function<Response(const std::stop_token&)> answer) {
  const bool taken =
      context.workers.submit([responder, answer = std::move(answer)](const std::stop_token& stop) {
        try {
          responder.send(answer(stop));
        } catch (const Error& error) {
          responder.send(problem_response(error, responder.request()));
        } catch (const std::exception& error) {
          responder.send(
              problem_response(Error(ErrorKind::internal, error.what()), responder.request()));
        }
      });
  if (taken) return;
  responder.send(problem_response(
      503, "unavailable", "the agent has more to do than it can just now", responder.request()));
}

}  // namespace resmgr::api
