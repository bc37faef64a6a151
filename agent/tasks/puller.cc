#include "agent/tasks/puller.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "common/failpoint.h"
#include "common/guarded.h"
#include "common/log.h"

namespace resmgr::tasks {

namespace {

// What the engine tells of layers that it has already, or gives up, must not make the sums shrink.
void advance(PullState& state, const engine::PullProgress& told) {
  state.done_bytes = std::max(state.done_bytes, told.done_bytes);
  const std::int64_t total = std::max(state.total_bytes.value_or(0), told.total_bytes);
  if (total > 0) state.total_bytes = std::max(total, state.done_bytes);
  if (!told.status.empty()) state.status = told.status;
}

}  // namespace

struct Puller::State {
  State(engine::Engine& e, std::function<void()> p) : engine(e), on_progress(std::move(p)) {}

  engine::Engine& engine;
  const std::function<void()> on_progress;
  std::mutex mutex;
  std::condition_variable quiesced;
  std::map<std::string, std::vector<Done>> running;  // by image
  // Of those of them of which the engine has told something.
  Guarded<std::map<std::string, PullState>> progress;
  std::stop_source stop;

  std::optional<Error> fetch(const std::string& image) {
    try {
      log::info("Pulling image {Image}", {{"Image", image}});
      failpoint("engine.before_pull");
      engine.pull(
          image,
          [&](const engine::PullProgress& told) {
            progress.with([&](auto& all) { advance(all[image], told); });
            if (on_progress) on_progress();
          },
          stop.get_token());
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
    progress.with([&](auto& all) { all.erase(image); });
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

Puller::Puller(engine::Engine& engine, std::function<void()> on_progress)
    : state_(std::make_unique<State>(engine, std::move(on_progress))) {}

Puller::~Puller() { stop(); }

void Puller::pull(const std::string& image, Done done) {
  const std::lock_guard lock(state_->mutex);
  const auto [entry, is_new] = state_->running.try_emplace(image);
  entry->second.push_back(std::move(done));
  if (is_new) std::thread([state = state_.get(), image] { state->run(image); }).detach();
}

std::optional<PullState> Puller::progress(const std::string& image) const {
  return state_->progress.with([&](const auto& all) -> std::optional<PullState> {
    const auto found = all.find(image);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  });
}

void Puller::stop() {
  state_->stop.request_stop();
  std::unique_lock lock(state_->mutex);
  state_->quiesced.wait(lock, [this] { return state_->running.empty(); });
}

}  // namespace resmgr::tasks
