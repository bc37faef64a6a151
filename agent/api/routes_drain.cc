// POST /api/host/drain and /resume: whether the host starts anything.
#include <algorithm>

#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "common/error.h"
#include "common/json.h"
#include "common/time_format.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

constexpr std::size_t kLongestReason = 500;

[[noreturn]] void refuse(FieldError fault) {
  Error error(ErrorKind::usage, "cannot drain the host: " + fault.pointer + " " + fault.detail);
  error.fields.push_back(std::move(fault));
  throw error;
}

// The body may be left out. The reason is shown to every user whose start is refused.
std::string reason_of(const Request& request) {
  if (request.body.empty()) return {};
  const Json body = parse_json(request.body, "request body", DuplicateKeys::refuse);
  if (!body.is_object()) refuse({"", "must be an object"});
  for (const auto& [name, value] : body.items()) {
    if (name != "reason") refuse({"/" + name, "is not known here"});
    if (!value.is_string()) refuse({"/reason", "must be text"});
  }
  std::string reason = string_or(body, "reason");
  const bool is_plain = std::none_of(reason.begin(), reason.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (reason.size() > kLongestReason || !is_plain) {
    refuse({"/reason", "must be one line of at most 500 bytes"});
  }
  return reason;
}

Json left_json(const std::vector<std::int64_t>& counts) {
  Json left = Json::object();
  for (const TaskStatus status :
       {TaskStatus::starting, TaskStatus::running, TaskStatus::stopping}) {
    std::string name(to_string(status));
    name.front() = static_cast<char>(name.front() - 'A' + 'a');
    const auto index = static_cast<std::size_t>(status);
    left[name] = index < counts.size() ? counts[index] : 0;
  }
  return left;
}

Response drain(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  const auto drain = context.parts.tasks.drain(reason_of(request), requester_of(request));
  const auto counts =
      context.parts.journal.reading([](journal::Reader& reader) { return reader.counts(); });
  return json_response(
      200, dump_json({{"draining", true},
                      {"drainReason", drain.reason.empty() ? Json() : Json(drain.reason)},
                      {"drainedAt", format_rfc3339(drain.since)},
                      {"left", left_json(counts)}}));
}

Response resume(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  context.parts.tasks.resume(requester_of(request));
  return json_response(200, dump_json({{"draining", false}}));
}

}  // namespace

void add_drain_routes(Router& router, const Context& context) {
  RouteContext* const raw = context.get();
  router.add(
      {.method = Method::post,
       .pattern = wire::kDrain,
       .access = Access::admin,
       .runs = Runs::on_worker,
       .takes_body = true,
       .handler = [raw](const Responder& responder) { return drain(*raw, responder.request()); }});
  router.add(
      {.method = Method::post,
       .pattern = wire::kResume,
       .access = Access::admin,
       .runs = Runs::on_worker,
       .handler = [raw](const Responder& responder) { return resume(*raw, responder.request()); }});
}

}  // namespace resmgr::api
