// Pulls of images: one serves all who wait for that image, and none takes a start slot.
#ifndef RESMGR_AGENT_TASKS_PULLER_H_
#define RESMGR_AGENT_TASKS_PULLER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/engine/engine.h"
#include "agent/tasks/start_progress.h"
#include "common/error.h"

namespace resmgr::tasks {

// Thread-safe.
class Puller {
 public:
  // Empty: the image is there.
  using Done = std::function<void(const std::optional<Error>&)>;

  // `on_progress` is called, on the pull's thread, whenever the engine tells how far a pull is; may
  // be empty.
  explicit Puller(engine::Engine& engine, std::function<void()> on_progress = {});
  ~Puller();  // as stop()

  // Begins a pull, or joins the one that runs. `done` is called once, on the pull's thread.
  void pull(const std::string& image, Done done);

  // How far the pull of the image has come; empty: none runs, or the engine has told nothing yet.
  std::optional<PullState> progress(const std::string& image) const;

  // Ends the pulls that run (their `done` gets an Error), and returns.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_PULLER_H_
