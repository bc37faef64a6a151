// Keeps as many containers warm as the catalog says: started and ready, so that a start gets one at
// once. Their lanes (slot_lanes.h) make and remove them; a start claims one in the transaction that
// admits it (admission.h).
#ifndef RESMGR_AGENT_TASKS_WARM_POOL_H_
#define RESMGR_AGENT_TASKS_WARM_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "agent/tasks/engine_session.h"
#include "agent/tasks/pool_plan.h"
#include "agent/tasks/task_service.h"
#include "common/backoff.h"
#include "common/clock.h"
#include "common/guarded.h"

namespace resmgr::tasks {

// Thread-safe.
class WarmPool {
 public:
  struct Parts {
    const TaskOptions& options;
    journal::Journal& journal;
    engine::Engine& engine;
    const Clock& clock;
    const EngineSession& session;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
    std::function<Limits()> limits;
    std::function<void(const std::string& slot_id)> wake_slot;
  };
  explicit WarmPool(Parts parts) : parts_(std::move(parts)) {}
  ~WarmPool();  // as stop()

  // Begins to look after it, on a thread of its own: every few seconds, and when it is nudged.
  void run();
  void stop();

  // What it goes by has changed: a container was claimed or has gone, the catalog is another one.
  void nudge();

  // One turn: lets go what is not wanted, and has made what is missing. `looks_at_images` costs a
  // question to the engine for each service that has any. Throws unavailable.
  void step(bool looks_at_images);

  // Lets all go that nobody has claimed, as far as the journal knows; until that is done, which a
  // full disk may delay, nobody may claim any.
  void distrust();
  bool trusted() const { return trusted_; }

  // Something happened to a slot that is none of a task's any more.
  void wake(const std::string& slot_id) { parts_.wake_slot(slot_id); }

  // A start of that service got a warm container, or none of those that it should have.
  void count_claim(const std::string& service, bool hit);
  // What the lanes of slots tell.
  void note_ready(const journal::SlotRow& slot);
  void note_failure(const journal::SlotRow& slot, const std::string& reason);

  // By name of service: each that has warm containers, or wants some.
  std::vector<PoolState> state() const;

 private:
  struct Book {
    std::int64_t hits = 0;
    std::int64_t misses = 0;
    std::optional<double> refill_ms;  // mean of late
    std::string failure;              // of the last container that could not be made
    std::string failed_spec;          // by which definition
    Backoff patience{Millis{1'000}, Millis{300'000}};
    std::optional<Millis> not_before;  // after a failure
    std::string image_id;              // that its image's name stood for when that was asked last
    std::string short_of;              // the limit that keeps it from more
  };
  using Books = std::map<std::string, Book>;

  void keep_time(const std::stop_token& stop);
  void await_calm(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  void look_at_images(const catalog::Catalog& catalog);
  std::vector<PoolWish> wishes(const catalog::Catalog& catalog, bool may_fill);
  bool has_disk() const;
  void let_all_go();

  const Parts parts_;
  mutable Guarded<Books> books_;
  std::atomic<bool> trusted_{true};

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool nudged_ = false;
  std::jthread thread_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_WARM_POOL_H_
