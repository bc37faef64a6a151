// GET /api/tasks/{id}/logs: what the container printed.
#include <memory>
#include <utility>

#include "agent/api/problems.h"
#include "agent/api/query.h"
#include "agent/api/routes.h"

namespace resmgr::api {
namespace {

// A quiet container's reader gets its headers after this; until then a failure can be told.
constexpr std::chrono::milliseconds kHoldHead{500};
constexpr std::int64_t kLongestTail = 1'000'000;

engine::LogOptions read_options(const Request& request) {
  Query query(request, {"follow", "tail", "since"});
  engine::LogOptions options;
  options.follow = query.flag("follow");
  if (const auto tail = query.integer("tail", 0, kLongestTail)) {
    options.tail = static_cast<int>(*tail);
  }
  options.since = query.time("since");
  query.check();
  return options;
}

// Runs on a thread of its own for as long as the reader stays.
void copy_logs(const RouteContext& context, const Responder& responder, const Stream& stream,
               const std::string& task_id, const engine::LogOptions& options,
               const std::stop_token& server_stops) {
  std::stop_source stop;
  const std::stop_callback on_server_stop(server_stops, [&stop] { stop.request_stop(); });
  stream.on_change([stop, stream]() mutable {
    if (stream.gone()) stop.request_stop();
  });
  try {
    context.parts.tasks.logs(
        task_id, options,
        [&](std::string_view bytes) { return stream.write(bytes) && stream.wait_for_room(); },
        stop.get_token());
    if (server_stops.stop_requested()) return stream.abort();
    stream.end();
  } catch (const Error& error) {
    stream.fail(problem_response(error, responder.request()));
  } catch (const std::exception& error) {
    stream.fail(problem_response(Error(ErrorKind::internal, error.what()), responder.request()));
  }
}

std::optional<Response> read_logs(RouteContext& context, const Responder& responder) {
  const Request& request = responder.request();
  const engine::LogOptions options = read_options(request);
  const std::string task_id = visible_task(context, request).task.task_id;
  Response head;
  head.content_type = kPlainText;
  if (request.method == Method::head) return head;
  const StreamOptions stream_options{kHoldHead, end_of_access(context, request)};
  const bool taken = context.log_readers.submit(
      [&context, responder, task_id, options, head, stream_options](const std::stop_token& stop) {
        const Stream stream = responder.stream(head, stream_options);
        copy_logs(context, responder, stream, task_id, options, stop);
      });
  if (taken) return std::nullopt;
  return problem_response(503, "too-many-log-readers",
                          "too many logs are being read; ask again when others have ended",
                          request);
}

}  // namespace

void add_log_route(Router& router, const Context& context) {
  router.add({.method = Method::get,
              .pattern = "/api/tasks/{id}/logs",
              .handler = [raw = context.get()](const Responder& responder) {
                return read_logs(*raw, responder);
              }});
}

}  // namespace resmgr::api
