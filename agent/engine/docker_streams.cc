// The calls of DockerEngine that last: events, logs, pull.
#include <algorithm>
#include <utility>
#include <vector>

#include "agent/engine/docker_body.h"
#include "agent/engine/docker_engine.h"
#include "agent/engine/docker_json.h"
#include "agent/engine/docker_words.h"
#include "agent/engine/image_source.h"
#include "agent/engine/line_splitter.h"
#include "agent/engine/log_stream.h"
#include "agent/engine/pull_progress.h"
#include "common/error.h"

namespace resmgr::engine {
namespace {

using StreamEnd = DockerTransport::StreamEnd;

// A silent stream of events may be one that nobody feeds any more.
constexpr Millis kEventsIdle{60'000};
constexpr Millis kLogsIdle{30'000};
// While a large layer is unpacked the daemon says nothing.
constexpr Millis kPullIdle{600'000};
constexpr Millis kForever{0};

[[noreturn]] void broken(const std::string& act, const std::string& cause) {
  throw Error(ErrorKind::unavailable, "cannot " + act + ": " + cause);
}

StreamEnd pull_stream(DockerTransport& transport, HttpRequest request, const std::string& act,
                      const std::function<bool(std::string_view)>& on_chunk, std::stop_token stop) {
  try {
    return transport.stream(std::move(request), act, on_chunk, kPullIdle, std::move(stop));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::rejected || !says_image_missing(error.message())) throw;
    throw Error(ErrorKind::not_found, error.message());
  }
}

}  // namespace

void DockerEngine::events(const std::function<void()>& on_subscribed,
                          const std::function<void(const EngineEvent&)>& on_event,
                          std::stop_token stop) {
  const std::string act = "follow the events of container engine '" + options_.url + "'";
  // The daemon sends the head of its answer just before it subscribes us. What happens in between
  // it replays, because it is asked for what came since its own time before that.
  const HttpResponse info = get("/info");
  expect(info, {200}, act);

  HttpRequest request;
  request.target = "/events" + query_string({{"since", unix_time(read_engine_time(info.body))},
                                             {"filters", container_event_filter()}});
  request.on_head = [&](const HttpResponse& /*head*/) { on_subscribed(); };
  LineSplitter lines;
  const auto on_chunk = [&](std::string_view chunk) {
    lines.feed(chunk, [&](std::string_view line) {
      if (stop.stop_requested()) return;
      if (const auto event = read_event(line)) on_event(*event);
    });
    return true;
  };
  const StreamEnd end = transport_.stream(std::move(request), act, on_chunk, kEventsIdle, stop);
  if (end == StreamEnd::peer) broken(act, "the engine ended the stream");
}

void DockerEngine::logs(const std::string& id, const LogOptions& options,
                        const std::function<bool(std::string_view)>& on_bytes,
                        std::stop_token stop) {
  const std::string act = "read the output of container '" + id + "'";
  std::vector<std::pair<std::string_view, std::string>> query{
      {"stdout", "1"}, {"stderr", "1"}, {"follow", options.follow ? "1" : "0"}};
  if (options.tail) query.emplace_back("tail", std::to_string(std::max(*options.tail, 0)));
  if (options.since) query.emplace_back("since", unix_time(*options.since));

  HttpRequest request;
  request.target = "/containers/" + url_encode(id) + "/logs" + query_string(query);
  LogDemultiplexer frames;
  const StreamEnd end = transport_.stream(
      std::move(request), act, [&](std::string_view chunk) { return frames.feed(chunk, on_bytes); },
      options.follow ? kForever : kLogsIdle, stop);
  if (end == StreamEnd::reader) return;
  if (end == StreamEnd::idle) broken(act, "the engine sent nothing for 30 s");
  if (!frames.at_boundary()) broken(act, "the engine ended the stream within a line");
}

void DockerEngine::pull(const std::string& image,
                        const std::function<void(const PullProgress&)>& on_progress,
                        std::stop_token stop) {
  const std::string act = "pull image '" + image + "'";
  const ImageSource source = parse_image(image);
  HttpRequest request;
  request.method = "POST";
  request.target =
      "/images/create" + query_string({{"fromImage", source.name}, {"tag", source.tag}});
  if (auto auth = read_registry_auth(options_.registry_auth_file, source.registry)) {
    request.headers.emplace_back("X-Registry-Auth", std::move(*auth));
  }
  PullTracker tracker(image);
  const auto on_line = [&](std::string_view line) {
    const PullProgress progress = tracker.feed(line);
    if (on_progress) on_progress(progress);
  };
  LineSplitter lines;
  const auto on_chunk = [&](std::string_view chunk) {
    lines.feed(chunk, on_line);
    return true;
  };
  const StreamEnd end = pull_stream(transport_, std::move(request), act, on_chunk, stop);
  if (end == StreamEnd::reader) broken(act, "it was interrupted");
  if (end == StreamEnd::idle) broken(act, "the engine sent nothing for 10 minutes");
  // The last line, which may tell of an error, need not have an end.
  if (!lines.rest().empty()) on_line(lines.rest());
}

}  // namespace resmgr::engine
