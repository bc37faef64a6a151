#include "agent/tasks/puller.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "common/failpoint.h"
#include "common/log.h"

namespace resmgr::tasks {

struct Puller::State {
  explicit State(engine::Engine& e) : engine(e) {}

  engine::Engine& engine;
  std::mutex mutex;
  std::condition_variable quiesced;
  std::map<std::string, std::vector<Done>> running;  // by image
  std::stop_source stop;

  std::optional<Error> fetch(const std::string& image) {
    try {
      log::info("Pulling image {Image}", {{"Image", image}});
      failpoint("engine.before_pull");
      engine.pull(
          image, [](const engine::PullProgress&) {}, stop.get_token());
      failpoint("engine.after_pull");
      log::info("Pulled image {Image}", {{"Image", image}});
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    } catch (const std::exception& error) {
      return Error(ErrorKind::internal, error.what());
    }
  }

  void run(const std::string& image) {
    const std::optional<Error> outcome = fetch(image);
    std::vector<Done> waiting;
    {
      const std::lock_guard lock(mutex);
      waiting.swap(running[image]);
    }
    for (const auto& done : waiting) done(outcome);

    const std::lock_guard lock(mutex);
    // Some may have joined while the others were told; the image was there a moment ago.
    const auto late = running.extract(image);
    if (!late.mapped().empty()) {
      for (const auto& done : late.mapped()) done(outcome);
    }
    if (running.empty()) quiesced.notify_all();
  }
};

Puller::Puller(engine::Engine& engine) : state_(std::make_unique<State>(engine)) {}

Puller::~Puller() { stop(); }

void Puller::pull(const std::string& image, Done done) {
  const std::lock_guard lock(state_->mutex);
  const auto [entry, is_new] = state_->running.try_emplace(image);
  entry->second.push_back(std::move(done));
  if (is_new) std::thread([state = state_.get(), image] { state->run(image); }).detach();
}

void Puller::stop() {
  state_->stop.request_stop();
  std::unique_lock lock(state_->mutex);
  state_->quiesced.wait(lock, [this] { return state_->running.empty(); });
}

}  // namespace resmgr::tasks
