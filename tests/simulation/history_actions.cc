// What may happen in a history.

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "agent/engine/labels.h"
#include "common/error.h"
#include "tests/simulation/history.h"

namespace resmgr::simulation {
namespace {

using engine::ContainerState;
using engine::Op;

constexpr std::array<const char*, 3> kUsers = {"11111111-1111-4111-8111-111111111111",
                                               "22222222-2222-4222-8222-222222222222",
                                               "33333333-3333-4333-8333-333333333333"};
constexpr std::array kOps = {Op::info,           Op::create,       Op::start,  Op::inspect,
                             Op::rename,         Op::stop,         Op::remove, Op::list,
                             Op::events,         Op::logs,         Op::stats,  Op::inspect_network,
                             Op::create_network, Op::remove_volume};

bool changes_something(Op op) {
  return op == Op::create || op == Op::start || op == Op::rename || op == Op::stop ||
         op == Op::remove || op == Op::create_network || op == Op::remove_volume;
}

}  // namespace

const std::vector<History::Action>& History::actions_inside() {
  static const std::vector<Action> actions = {
      {"a lane's step", 40, &History::take_lane_step}, {"an event", 15, &History::deliver_event},
      {"the watcher's turn", 12, &History::watch},     {"the timer", 2, &History::tick},
      {"the pool's turn", 6, &History::fill},          {"a start", 9, &History::start},
      {"a start again", 2, &History::start_again},     {"a stop", 6, &History::stop},
      {"a kill is near", 4, &History::arm_kill},
  };
  return actions;
}

const std::vector<History::Action>& History::actions_outside() {
  static const std::vector<Action> actions = {
      {"a container ends", 4, &History::end_container},
      {"a container is killed for memory", 1, &History::kill_for_memory},
      {"a child is killed for memory", 1, &History::kill_child_for_memory},
      {"a container is removed by hand", 2, &History::remove_by_hand},
      {"a container is restarted by hand", 2, &History::restart_by_hand},
      {"somebody takes a task's name", 1, &History::take_name},
      {"somebody copies labels", 1, &History::copy_labels},
      {"a call will fail", 12, &History::fail_call},
      {"a start will be refused", 2, &History::refuse_start},
      {"what was late is done", 5, &History::do_late},
      {"the engine goes away or comes back", 4, &History::go_away_or_back},
      {"the stream breaks", 3, &History::break_streams},
      {"networks are pruned", 1, &History::prune_networks},
      {"ports are taken", 1, &History::occupy_ports},
      {"time passes", 8, &History::pass_time},
      {"the clock steps", 2, &History::step_clock},
  };
  return actions;
}

template <typename Fits>
std::optional<ContainerState> History::some_container(Fits&& fits) {
  auto ours = rig_.our_containers();
  std::erase_if(ours, [&](const ContainerState& container) { return !fits(container); });
  if (ours.empty()) return std::nullopt;
  return ours[below(ours.size())];
}

std::optional<journal::TaskRow> History::some_task() {
  const auto rows = rig_.rows();
  if (rows.empty()) return std::nullopt;
  return rows[below(rows.size())];
}

bool History::take_lane_step() {
  return rig_.steps->lane([this](std::size_t n) { return below(n); });
}

bool History::deliver_event() { return rig_.gate->deliver(); }

bool History::watch() {
  if (in_watch_ || rig_.gate->stream_stands()) return false;
  if (attached_wrong_ && chance(30)) {
    rig_.gate->attach(rig_.engine);
    attached_wrong_ = false;
  }
  in_watch_ = true;
  rig_.watch();
  in_watch_ = false;
  return true;
}

bool History::tick() {
  rig_.tick();
  return true;
}

bool History::fill() {
  if (!warm_) return false;
  rig_.fill();
  return true;
}

bool History::start() {
  const std::string key = chance(40) ? "key-" + std::to_string(++keys_) : "";
  rig_.start(kUsers[below(kUsers.size())], key);
  return true;
}

// A caller who does not know what came of it asks once more.
bool History::start_again() {
  if (keys_ == 0) return false;
  rig_.start(kUsers[below(kUsers.size())],
             "key-" + std::to_string(1 + below(static_cast<std::size_t>(keys_))));
  return true;
}

bool History::stop() {
  const auto task = some_task();
  if (!task) return false;
  rig_.stop(task->task.task_id);
  return true;
}

bool History::arm_kill() {
  kill_in_ = 1 + static_cast<int>(below(25));
  return true;
}

bool History::end_container() {
  const auto container = some_container([](const auto& c) { return c.alive(); });
  if (!container) return false;
  rig_.ledger.exited.insert(container->id);
  rig_.engine.exit_container(container->id, chance(50) ? 0 : 3);
  return true;
}

bool History::kill_for_memory() {
  const auto container = some_container([](const auto& c) { return c.alive(); });
  if (!container) return false;
  rig_.ledger.exited.insert(container->id);
  rig_.engine.exit_container(container->id, 137, true);
  return true;
}

bool History::kill_child_for_memory() {
  const auto container = some_container([](const auto& c) { return c.alive(); });
  if (!container) return false;
  rig_.engine.oom_kill_child(container->id);
  return true;
}

bool History::remove_by_hand() {
  const auto container = some_container([](const auto&) { return true; });
  if (!container) return false;
  rig_.ledger.touched.insert(container->id);
  rig_.engine.remove_by_hand(container->id);
  return true;
}

bool History::restart_by_hand() {
  const auto container = some_container([](const auto& c) { return c.started_at.has_value(); });
  if (!container) return false;
  rig_.ledger.touched.insert(container->id);
  rig_.clock.advance(Millis{1});
  rig_.engine.restart_by_hand(container->id);
  return true;
}

bool History::take_name() {
  if (!rig_.is_up()) return false;
  auto rows = rig_.rows();
  std::erase_if(rows, [](const auto& row) { return row.phase != journal::Phase::admitted; });
  if (rows.empty()) return false;
  engine::ContainerSpec spec;
  spec.name = engine::container_name(rows[below(rows.size())].task.task_id);
  spec.image = "quick:1";
  rig_.ledger.starts_may_fail = true;
  const std::string id = rig_.engine.create(spec);
  rig_.ledger.foreign.insert(id);
  rig_.engine.restart_by_hand(id);  // no fault is meant for it
  return true;
}

// As `docker commit` and `docker run` do.
bool History::copy_labels() {
  const auto container = some_container([](const auto&) { return true; });
  if (!container) return false;
  engine::ContainerSpec spec;
  spec.name = "copy-" + container->name;
  spec.image = "quick:1";
  spec.labels = container->labels;
  const std::string id = rig_.engine.create(spec);
  rig_.ledger.foreign.insert(id);
  rig_.engine.restart_by_hand(id);
  return true;
}

bool History::fail_call() {
  const Op op = kOps[below(kOps.size())];
  const int times = 1 + static_cast<int>(below(2));
  if (op == Op::logs) rig_.ledger.output_may_be_lost = true;
  const std::size_t how = changes_something(op) ? below(3) : 0;
  note("  op " + std::to_string(static_cast<int>(op)) + ", how " + std::to_string(how));
  if (how == 1) {
    rig_.engine.do_then_fail(op, times);
  } else if (how == 2) {
    rig_.engine.fail_then_do(op, times);
  } else {
    rig_.engine.fail_next(op, Error(ErrorKind::unavailable, "no answer in time"), times);
  }
  return true;
}

bool History::refuse_start() {
  rig_.ledger.starts_may_fail = true;
  rig_.engine.fail_next(chance(50) ? Op::create : Op::start,
                        Error(ErrorKind::rejected, "the engine does not like it"));
  return true;
}

bool History::do_late() { return do_what_is_late() > 0; }

// A start that comes true late may find that its container ran and ended meanwhile.
int History::do_what_is_late() {
  rig_.clock.advance(Millis{1});  // no two runs of a container begin at once
  std::map<std::string, std::optional<Instant>> before;
  for (const auto& container : rig_.our_containers()) before[container.id] = container.started_at;
  const int count = rig_.engine.do_late();
  for (const auto& container : rig_.our_containers()) {
    const auto known = before.find(container.id);
    // A stop that was late, too, may have ended it again.
    if (known != before.end() && known->second && known->second != container.started_at) {
      rig_.ledger.touched.insert(container.id);
    }
  }
  return count;
}

bool History::go_away_or_back() {
  reachable_ = !reachable_;
  rig_.engine.set_reachable(reachable_);
  rig_.ledger.output_may_be_lost = true;
  return true;
}

bool History::break_streams() {
  rig_.engine.break_streams();
  rig_.ledger.output_may_be_lost = true;
  return true;
}

bool History::prune_networks() {
  rig_.engine.prune_networks();
  return true;
}

bool History::occupy_ports() {
  rig_.engine.occupy_ports(1 + static_cast<int>(below(5)));
  return true;
}

bool History::pass_time() {
  rig_.clock.advance(Millis{1 + static_cast<long long>(below(5'000))});
  return true;
}

bool History::step_clock() {
  const auto by = std::chrono::seconds{static_cast<long long>(below(7'200)) - 3'600};
  rig_.clock.set(rig_.clock.now() + by);
  return true;
}

}  // namespace resmgr::simulation
