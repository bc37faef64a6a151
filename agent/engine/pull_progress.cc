#include "agent/engine/pull_progress.h"

#include <algorithm>

#include "agent/engine/docker_words.h"
#include "common/error.h"
#include "common/json.h"

namespace resmgr::engine {
namespace {

constexpr std::int64_t kLargestLayer = std::int64_t{1} << 50;

std::int64_t bounded(std::int64_t bytes) {
  return std::clamp<std::int64_t>(bytes, 0, kLargestLayer);
}

}  // namespace

PullProgress PullTracker::feed(std::string_view line) {
  Json message;
  try {
    message = parse_json(line, "pull progress");
  } catch (const Error& error) {
    throw Error(ErrorKind::unavailable, "cannot pull image '" + image_ + "': " + error.message());
  }
  if (message.contains("error") || message.contains("errorDetail")) {
    const std::string detail = string_or(object_at(message, "errorDetail"), "message");
    const std::string words = string_or(message, "error", detail);
    throw Error(ErrorKind::rejected, "cannot pull image '" + image_ + "': " +
                                         read_error_message(dump_json(Json{{"message", words}})));
  }

  PullProgress progress;
  progress.status = string_or(message, "status");
  const std::string id = string_or(message, "id");
  const Json& detail = object_at(message, "progressDetail");
  // "Extracting" counts the same bytes a second time.
  if (!id.empty() && progress.status == "Downloading" &&
      (layers_.contains(id) || layers_.size() < kMostLayers)) {
    Layer& layer = layers_[id];
    layer.done = std::max(layer.done, bounded(integer_or(detail, "current", 0)));
    layer.total = std::max({layer.total, layer.done, bounded(integer_or(detail, "total", 0))});
  } else if (progress.status == "Download complete" || progress.status == "Pull complete") {
    if (const auto found = layers_.find(id); found != layers_.end()) {
      found->second.done = found->second.total;
    }
  }
  for (const auto& [layer_id, layer] : layers_) {
    progress.done_bytes += layer.done;
    progress.total_bytes += layer.total;
  }
  return progress;
}

}  // namespace resmgr::engine
