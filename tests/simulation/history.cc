#include "tests/simulation/history.h"

#include <algorithm>
#include <utility>

#include "agent/engine/labels.h"
#include "common/error.h"
#include "common/failpoint.h"
#include "tests/simulation/invariants.h"

namespace resmgr::simulation {
namespace {

constexpr std::size_t kFewestSteps = 20;
constexpr std::size_t kMostSteps = 120;
constexpr int kDeepest = 3;  // actors inside of each other

std::vector<int> weights_of(std::size_t count) { return std::vector<int>(count, 0); }

}  // namespace

History::History(std::uint64_t seed, std::ostream* trace)
    : random_(seed), trace_(trace), warm_(chance(40)), rig_(warm_), wrong_engine_(rig_.clock) {
  rig_.hook = [this](engine::Op op, bool done) { at_gate(op, done); };
#ifdef RESMGR_FAILPOINTS
  set_failpoint_handler([this](std::string_view) { count_down(); });
#endif
  choose_habits();
}

History::~History() {
#ifdef RESMGR_FAILPOINTS
  set_failpoint_handler({});
#endif
}

void History::note(const std::string& what) {
  if (trace_ == nullptr) return;
  *trace_ << std::string(static_cast<std::size_t>(depth_) * 2, ' ') << what << '\n';
}

// Each history knows some kinds of trouble only: with all of them at once, one hides another.
void History::choose_habits() {
  weights_inside_ = weights_of(actions_inside().size());
  for (std::size_t i = 0; i < weights_inside_.size(); ++i) {
    weights_inside_[i] = actions_inside()[i].weight;
  }
  weights_outside_ = weights_of(actions_outside().size());
  if (chance(10)) return;  // none at all
  for (std::size_t i = 0; i < weights_outside_.size(); ++i) {
    if (chance(50)) weights_outside_[i] = actions_outside()[i].weight;
  }
}

std::vector<std::string> History::live() {
  try {
    rig_.boot();
    live_on();
    end_well();
  } catch (const std::exception& error) {
    faults_.push_back(std::string("it came to an end: ") + error.what());
  }
  return faults_;
}

void History::live_on() {
  const std::size_t steps = kFewestSteps + below(kMostSteps - kFewestSteps);
  for (std::size_t step = 0; step < steps && faults_.empty(); ++step) {
    try {
      if (!rig_.is_up()) revive();
      act();
      faults_ = broken_limits(rig_);
    } catch (const Killed&) {
      depth_ = 0;
      in_watch_ = false;
      kill_in_ = 0;
      ++kills_;
      rig_.bury();
      note("KILLED");
    }
  }
}

void History::act() {
  const bool inside =
      chance(75) || *std::max_element(weights_outside_.begin(), weights_outside_.end()) == 0;
  if (inside) {
    perform(actions_inside(), weights_inside_);
  } else {
    act_outside();
  }
}

void History::act_outside() { perform(actions_outside(), weights_outside_); }

void History::perform(const std::vector<Action>& actions, const std::vector<int>& weights) {
  int all = 0;
  for (const int weight : weights) all += weight;
  if (all == 0) return;
  auto left = static_cast<int>(below(static_cast<std::size_t>(all)));
  std::size_t chosen = 0;
  while (left >= weights[chosen]) left -= weights[chosen++];
  note(actions[chosen].name);
  ++depth_;
  try {
    if (!(this->*actions[chosen].act)()) note("(nothing)");
  } catch (const Error& error) {
    note("(" + error.message() + ")");
  }
  --depth_;
}

void History::at_gate(engine::Op op, bool done) {
  if (trace_ != nullptr) {
    note((done ? "done: engine op " : "engine op ") + std::to_string(static_cast<int>(op)));
  }
  // Of the calls about one name the engine does those first that came first: that is what makes it
  // worth to create again (hazard 1).
  const bool about_name = op == engine::Op::create || op == engine::Op::remove;
  if (about_name && !done) do_what_is_late();
  if (settling_) return;
  count_down();
  if (depth_ < kDeepest && chance(12)) act();
}

void History::count_down() {
  if (settling_ || kill_in_ == 0 || --kill_in_ > 0) return;
  rig_.die();
}

void History::revive() {
  const std::size_t meanwhile = below(4);
  for (std::size_t i = 0; i < meanwhile; ++i) act_outside();
  rig_.boot();
  const auto rows = rig_.rows();
  const auto slots = rig_.slots();
  const bool knows_containers =
      std::any_of(
          rows.begin(), rows.end(),
          [](const auto& row) { return is_active(row.task.status) && row.task.start_time; }) ||
      std::any_of(slots.begin(), slots.end(), [](const auto& slot) { return slot.started_at; });
  attached_wrong_ = knows_containers && chance(10);
  if (attached_wrong_) rig_.gate->attach(wrong_engine_);
  note(attached_wrong_ ? "boots, at another engine" : "boots");
}

// Somebody removed the last container by hand, and pruned the network after: the agent takes that
// for another engine, and waits for an operator, who makes the network again (hazard 3).
bool History::convince() {
  const auto error = rig_.service->engine_health().last_error;
  if (error.find("cannot trust the engine") == std::string::npos) return false;
  note("an operator makes the network");
  rig_.engine.create_network(
      {engine::network_name(rig_.options.agent_id), engine::ours(rig_.options.agent_id), true});
  return true;
}

void History::end_well() {
  if (!faults_.empty()) return;
  note("all is well from here on");
  settling_ = true;
  rig_.engine.heal();
  do_what_is_late();
  if (!rig_.is_up()) rig_.boot();
  if (attached_wrong_) rig_.gate->attach(rig_.engine);
  const auto choose = [this](std::size_t n) { return below(n); };
  if (!rig_.settle(choose) && !(convince() && rig_.settle(choose))) {
    faults_.emplace_back("it does not settle");
    return;
  }
  // The pool is filled, and what has gone since is made anew.
  for (int turn = 0; warm_ && turn < 3; ++turn) {
    rig_.clock.advance(std::chrono::minutes{10});  // its patience after failures
    rig_.fill();
    if (!rig_.settle(choose)) faults_.emplace_back("it does not settle after the pool's turn");
  }
  for (const auto& row : rig_.rows()) {
    if (row.phase == journal::Phase::ready || row.phase == journal::Phase::removed) continue;
    faults_.push_back(row.task.task_id + ": nobody cares for it, in phase " +
                      std::string(to_string(row.phase)));
  }
  rig_.tick();
  if (!rig_.settle(choose)) faults_.emplace_back("it does not settle after the timer");
  const auto broken = broken_invariants(rig_);
  faults_.insert(faults_.end(), broken.begin(), broken.end());
  if (!wrong_engine_.containers().empty() || wrong_engine_.count(engine::Op::create_network) > 0) {
    faults_.emplace_back("another engine was used");
  }
}

}  // namespace resmgr::simulation
