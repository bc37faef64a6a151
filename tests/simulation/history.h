// One random history: callers, containers, hands at the engine, faults, clocks and kills, in an
// order that the seed decides.
//
// The test is the scheduler: nothing runs on a thread of its own, and wherever the agent calls the
// engine others may act before the call is made and before its answer is read. So a seed is a
// history, and replays, as far as this goes: the journal's group commit always has groups of one,
// the steps of two lanes interleave at their calls to the engine and not between, no service is
// probed and no image pulled (both would leave the process), and a kill finds the agent at one of
// these calls, at a failpoint where they are compiled in, or between two steps.
#ifndef RESMGR_TESTS_SIMULATION_HISTORY_H_
#define RESMGR_TESTS_SIMULATION_HISTORY_H_

#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "tests/simulation/rig.h"

namespace resmgr::simulation {

class History {
 public:
  // Each step goes to `trace`, if there is one.
  explicit History(std::uint64_t seed, std::ostream* trace = nullptr);
  ~History();

  // Lives it to its end; what does not hold then, or on the way.
  std::vector<std::string> live();
  int kills() const { return kills_; }

 private:
  struct Action {
    const char* name;
    int weight;
    bool (History::*act)();  // false: there was nothing to do
  };
  static const std::vector<Action>& actions_inside();   // of the agent, and of its callers
  static const std::vector<Action>& actions_outside();  // of everybody else

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool chance(int percent) { return static_cast<int>(below(100)) < percent; }
  void note(const std::string& what);

  void live_on();
  void act();
  void act_outside();
  void choose_habits();
  void perform(const std::vector<Action>& actions, const std::vector<int>& weights);
  void at_gate(engine::Op op, bool done);
  void count_down();
  void revive();
  void end_well();
  bool convince();

  // Of the agent and its callers.
  bool take_lane_step();
  bool deliver_event();
  bool watch();
  bool tick();
  bool fill();
  bool start();
  bool start_again();
  bool stop();
  bool arm_kill();

  // Of everybody else.
  bool end_container();
  bool kill_for_memory();
  bool kill_child_for_memory();
  bool remove_by_hand();
  bool restart_by_hand();
  bool take_name();
  bool copy_labels();
  bool fail_call();
  bool refuse_start();
  bool do_late();
  int do_what_is_late();
  bool go_away_or_back();
  bool break_streams();
  bool prune_networks();
  bool occupy_ports();
  bool pass_time();
  bool step_clock();

  // A container of ours that `fits`, by chance.
  template <typename Fits>
  std::optional<engine::ContainerState> some_container(Fits&& fits);
  std::optional<journal::TaskRow> some_task();

  std::mt19937_64 random_;
  std::ostream* trace_;
  const bool warm_;
  Rig rig_;
  engine::FakeEngine wrong_engine_;  // a healthy, empty one
  bool attached_wrong_ = false;
  std::vector<int> weights_inside_;
  std::vector<int> weights_outside_;
  int depth_ = 0;
  bool settling_ = false;
  bool in_watch_ = false;
  bool reachable_ = true;
  int kill_in_ = 0;  // gates and failpoints; 0: not armed
  int kills_ = 0;
  int keys_ = 0;
  std::vector<std::string> faults_;
};

}  // namespace resmgr::simulation

#endif  // RESMGR_TESTS_SIMULATION_HISTORY_H_
