// Sums up what the daemon tells while it pulls an image. Pure.
#ifndef RESMGR_AGENT_ENGINE_PULL_PROGRESS_H_
#define RESMGR_AGENT_ENGINE_PULL_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "agent/engine/engine.h"

namespace resmgr::engine {

// One pull. Memory is bounded by the number of layers (at most kMostLayers are told apart).
class PullTracker {
 public:
  static constexpr std::size_t kMostLayers = 1'024;

  // `image` is for the messages.
  explicit PullTracker(std::string image) : image_(std::move(image)) {}

  // Takes one line of POST /images/create and returns where the whole stands. An error line
  // throws Error(rejected) with the daemon's words, a line that is no JSON Error(unavailable).
  PullProgress feed(std::string_view line);

 private:
  struct Layer {
    std::int64_t done = 0;
    std::int64_t total = 0;
  };
  std::string image_;
  std::map<std::string, Layer, std::less<>> layers_;
};

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_PULL_PROGRESS_H_
