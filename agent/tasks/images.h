// The images that the catalog's services are made from.
#ifndef RESMGR_AGENT_TASKS_IMAGES_H_
#define RESMGR_AGENT_TASKS_IMAGES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/tasks/puller.h"
#include "agent/tasks/start_progress.h"
#include "common/guarded.h"

namespace resmgr::tasks {

struct ImageState {
  std::string image;
  std::vector<std::string> services;  // that use it, by name
  std::string build;                  // the program that makes it; empty: none is named
  bool present = false;
  bool pulling = false;           // because somebody asked for it, and not a start
  std::optional<PullState> pull;  // empty: none runs, or the engine has told nothing yet
  std::string last_error;         // of the pull that ended last, if it failed
};

// Thread-safe.
class Images {
 public:
  // Both must outlive it, and the puller be stopped before it ends.
  Images(engine::Engine& engine, Puller& puller) : engine_(engine), puller_(puller) {}

  // By name. Throws Error(unavailable) where the engine is away.
  std::vector<ImageState> look(const catalog::Catalog& catalog) const;
  // Begins a pull, also of a newer one than is there, or joins the one that runs.
  void pull(const std::string& image);

 private:
  struct Asked {
    bool running = false;
    std::string error;
  };

  engine::Engine& engine_;
  Puller& puller_;
  mutable Guarded<std::map<std::string, Asked>> asked_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_IMAGES_H_
