// One step of one task; private to the lifecycle.
#ifndef RESMGR_AGENT_TASKS_LIFECYCLE_RUN_H_
#define RESMGR_AGENT_TASKS_LIFECYCLE_RUN_H_

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/tasks/container_start.h"
#include "agent/tasks/lifecycle.h"
#include "common/json.h"

namespace resmgr::tasks {

struct Lifecycle::Memory final : LaneMemory {
  std::optional<Observation> seen;  // what the next plan may still go by
  std::chrono::steady_clock::time_point seen_at;
  bool create_in_doubt = true;
  std::string container_id;  // that the engine told of, lastly
  int output_tries = 0;      // how often the engine did not give what the container had printed
  bool pulled = false;       // this process pulled the image for it
  // When the steps of its start ended, as far as they did in this process.
  std::optional<Instant> pulled_at;
  std::optional<Instant> created_at;
  // What the engine took for this start, in milliseconds: creates, starts, the look after.
  double engine_ms = 0;
  std::optional<Death> death;
  // Until when the word of its death is waited for.
  std::optional<std::chrono::steady_clock::time_point> word_due;
  std::optional<journal::UsageSample> sample;  // taken just before the stop
  ContainerStart start;
  ProbePace probing;
  Backoff retry{Millis{100}, Millis{5'000}};
};

class Lifecycle::Run {
 public:
  Run(Lifecycle& lifecycle, const Lanes::Turn& turn, Memory& memory)
      : lifecycle_(lifecycle),
        parts_(lifecycle.parts_),
        task_id_(turn.task_id),
        memory_(memory),
        has_start_slot_(turn.has_start_slot),
        is_due_(turn.is_due) {}

  Next step();

 private:
  using Change = std::function<void(journal::Transaction&, journal::TaskRow&)>;

  void take_hints();
  // Whether its start is under way.
  bool is_starting() const;
  void enter(StartStep step) { lifecycle_.starts_.enter(task_id_, step); }
  Observation observe() const;
  const catalog::Service* service();
  Next perform(Act act);

  // Acts on the engine.
  Next create();
  Next start();
  Next pull(const std::string& image);
  bool answers_at_once(int port);
  Next probe();
  Next stop();
  Next settle_create();
  Next take_over();
  Next release();
  Next discard();
  Next clear();
  // Those that are not to outlive it. Throws unavailable.
  void remove_volumes(const Task& task);

  // Outcomes in the journal.
  Next record_started();
  Next record_ready();
  Next record_taken_over(const engine::ContainerState& seen, const engine::Stats& used);
  Next tell_ready(Instant now);
  void note_sighting(const engine::ContainerState& seen, Instant now);
  Next record_ended();
  std::optional<Millis> wait_for_word_of_death();
  Next record_unstarted();
  Next record_removed();
  void record_oom();
  Next adopt();

  // The start can't succeed: intends to stop, with the reason.
  Next fail_start(ErrorKind failure, const std::string& reason);

  // Changes the row in a transaction, if it is still the one that this step read; returns whether
  // it was. row_ is then the new one.
  bool change(const Change& change) { return this->change(journal::Purpose::normal, change); }
  bool change(journal::Purpose purpose, const Change& change);
  Next look_again();
  Next retry_later();
  Witness witness() const;
  std::optional<engine::ContainerState> container() const;
  void sample_usage();
  // Runs `call` and adds the time that it took to memory_.engine_ms.
  template <typename Call>
  auto timed(Call&& call) const;

  Lifecycle& lifecycle_;
  Parts& parts_;
  const std::string& task_id_;
  Memory& memory_;
  const bool has_start_slot_;
  const bool is_due_;
  std::optional<journal::TaskRow> row_;
  // That it claims, as this step read it.
  std::optional<journal::SlotRow> slot_;
  // Keeps service()'s answer alive.
  std::shared_ptr<const catalog::Catalog> catalog_;
};

template <typename Call>
auto Lifecycle::Run::timed(Call&& call) const {
  struct Watch {
    double& total;
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    ~Watch() {
      total += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                   .count();
    }
  };
  const Watch watch{memory_.engine_ms};
  return std::forward<Call>(call)();
}

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_LIFECYCLE_RUN_H_
