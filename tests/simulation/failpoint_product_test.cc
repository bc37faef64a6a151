// The product of operations, troubles of the engine, and failpoints: in each operation, with each
// trouble, an incarnation is killed at each failpoint, each time that it is reached. The next one
// finishes what it left, and the invariants hold.
//
// Without a trouble all of these deaths are tried; with one, a fourth, spread over all of them, and
// with RESMGR_CRASH_FULL in the environment all.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/failpoint.h"
#include "common/log.h"
#include "tests/simulation/invariants.h"
#include "tests/simulation/rig.h"

namespace resmgr::simulation {
namespace {

using engine::Op;

constexpr char kSomebody[] = "11111111-1111-4111-8111-111111111111";

constexpr int kSpread = 4;

std::size_t first(std::size_t /*count*/) { return 0; }

// These the rig can't reach: they lie outside of the tasks' lanes, or on a thread of their own. The
// suite on the real engine does.
const std::set<std::string_view> kBeyond = {
    "file.before_rename",          "file.after_rename",           "journal.before_migration",
    "journal.after_migration",     "agent_started.before_commit", "agent_started.after_commit",
    "agent_stopped.before_commit", "agent_stopped.after_commit",  "engine.before_pull",
    "engine.after_pull",           "extension.before_commit",     "extension.after_commit",
    "warning.before_commit",       "warning.after_commit",        "drain.before_commit",
    "drain.after_commit",          "sample.before_commit",        "sample.after_commit",
    "sink.before_deliver",         "sink.after_deliver",          "postgres.before_commit",
    "postgres.after_commit",       "post.before_commit",          "post.after_commit",
    "cursor.before_commit",        "cursor.after_commit",         "dead_letter.before_commit",
    "dead_letter.after_commit"};

// Calls `on_reach(name, n)` at the n-th time that a failpoint is reached, while it lives.
class Watch {
 public:
  template <typename OnReach>
  explicit Watch(OnReach&& on_reach) {
    set_failpoint_handler(
        [this, on_reach](std::string_view name) { on_reach(name, ++reached_[std::string(name)]); });
  }
  ~Watch() { set_failpoint_handler({}); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  const std::map<std::string, int>& reached() const { return reached_; }

 private:
  std::map<std::string, int> reached_;
};

void settle(Rig& rig) {
  if (!rig.settle(first)) throw std::logic_error("it does not settle");
}

std::string settled_start(Rig& rig) {
  const std::string id = rig.start(kSomebody, "");
  settle(rig);
  return id;
}

std::string container_of(Rig& rig) { return rig.our_containers().at(0).id; }

void start_and_stop(Rig& rig) {
  settle(rig);
  const std::string id = settled_start(rig);
  rig.clock.advance(Millis{5'000});
  rig.stop(id);
  settle(rig);
}

void two_starts(Rig& rig) {
  settle(rig);
  rig.start(kSomebody, "one");
  rig.start(kSomebody, "two");
  settle(rig);
}

void refused_start(Rig& rig) {
  settle(rig);
  rig.ledger.starts_may_fail = true;
  rig.engine.fail_next(Op::start, Error(ErrorKind::rejected, "it can't be started"));
  settled_start(rig);
}

void silent_start(Rig& rig) {
  settle(rig);
  rig.ledger.starts_may_fail = true;
  rig.fall_silent();
  settled_start(rig);
}

void end_by_itself(Rig& rig) {
  settle(rig);
  settled_start(rig);
  rig.clock.advance(Millis{5'000});
  rig.ledger.exited.insert(container_of(rig));
  rig.engine.exit_container(container_of(rig), 3);
  settle(rig);
}

void lose_child(Rig& rig) {
  settle(rig);
  settled_start(rig);
  rig.engine.oom_kill_child(container_of(rig));
  settle(rig);
}

void remove_by_hand(Rig& rig) {
  settle(rig);
  settled_start(rig);
  rig.ledger.touched.insert(container_of(rig));
  rig.engine.remove_by_hand(container_of(rig));
  settle(rig);
}

void restart_by_hand(Rig& rig) {
  settle(rig);
  settled_start(rig);
  rig.clock.advance(Millis{5'000});
  rig.ledger.touched.insert(container_of(rig));
  rig.engine.restart_by_hand(container_of(rig));
  settle(rig);
}

void run_until_killed(Rig& rig, std::string_view failpoint) {
  const Watch watch([&](std::string_view name, int) {
    if (name == failpoint) rig.die();
  });
  try {
    settle(rig);
    settled_start(rig);
    throw std::logic_error("it was not killed");
  } catch (const Killed&) {
    rig.bury();
  }
}

// Nobody knows whether its create came true when the stop comes.
void admit_and_intend_to_stop(Rig& rig) {
  run_until_killed(rig, "engine.before_create");
  rig.boot();
  rig.stop(rig.rows().at(0).task.task_id);
  rig.bury();
  rig.boot();
}

void lose_journal_of_running_task(Rig& rig) {
  settle(rig);
  settled_start(rig);
  rig.bury();
  rig.lose_journal();
  rig.boot();
}

void lose_journal_of_created_task(Rig& rig) {
  run_until_killed(rig, "engine.before_start");
  rig.lose_journal();
  rig.ledger.starts_may_fail = true;
  rig.boot();
}

void fill(Rig& rig) {
  settle(rig);
  rig.fill();
  settle(rig);
}

// The first of these take over what is warm, and the last one starts cold.
void warm_starts(Rig& rig) {
  for (int i = 0; i < kWarm; ++i) rig.start(kSomebody, std::to_string(i));
  settle(rig);
  rig.clock.advance(Millis{5'000});
  rig.stop(rig.rows().at(0).task.task_id);
  fill(rig);
}

void lose_warm(Rig& rig) {
  rig.clock.advance(Millis{5'000});
  const std::string lost = rig.slots().at(0).container_id;
  rig.ledger.exited.insert(lost);
  rig.engine.exit_container(lost, 3);
  rig.start(kSomebody, "claims what is lost");
  fill(rig);
}

void stop_while_claiming(Rig& rig) {
  rig.stop(rig.start(kSomebody, ""));
  fill(rig);
}

void lose_journal_of_warm(Rig& rig) {
  fill(rig);
  settled_start(rig);
  rig.bury();
  rig.lose_journal();
  rig.boot();
}

struct Operation {
  const char* name;
  void (*before)(Rig&);  // may be null
  void (*act)(Rig&);
  bool warm = false;
};

constexpr Operation kOperations[] = {
    {"start and stop", nullptr, start_and_stop},
    {"two starts", nullptr, two_starts},
    {"refused start", nullptr, refused_start},
    {"start that is never ready", nullptr, silent_start},
    {"end by itself", nullptr, end_by_itself},
    {"child killed for memory", nullptr, lose_child},
    {"removed by hand", nullptr, remove_by_hand},
    {"restarted by hand", nullptr, restart_by_hand},
    {"stop of what may be made", admit_and_intend_to_stop, settle},
    {"adoption", lose_journal_of_running_task, settle},
    {"orphan", lose_journal_of_created_task, settle},
    {"filling", nullptr, fill, true},
    {"warm starts", fill, warm_starts, true},
    {"lost while warm", fill, lose_warm, true},
    {"stop while claiming", fill, stop_while_claiming, true},
    {"warm, and the journal is lost", lose_journal_of_warm, fill, true},
};

struct Trouble {
  std::optional<Op> op;  // none: none
  bool done = false;     // and yet there is no answer
};

std::vector<Trouble> troubles() {
  std::vector<Trouble> all = {{}};
  for (const Op op : {Op::create, Op::start, Op::stop, Op::remove, Op::create_network,
                      Op::remove_volume, Op::inspect, Op::rename, Op::list, Op::events}) {
    all.push_back({op, false});
    all.push_back({op, true});
  }
  return all;
}

struct Reached {
  std::map<std::string, int> failpoints;
  std::vector<std::string> faults;
  bool killed = false;
};

// With `kill_at` empty, to its end.
Reached live(const Operation& operation, const Trouble& trouble, std::string_view kill_at, int n) {
  Rig rig(operation.warm);
  Reached result;
  rig.boot();
  if (operation.before != nullptr) operation.before(rig);
  if (trouble.op) {
    if (trouble.done) {
      rig.engine.do_then_fail(*trouble.op);
    } else {
      rig.engine.fail_next(*trouble.op, Error(ErrorKind::unavailable, "no answer in time"));
    }
  }
  {
    const Watch watch([&](std::string_view name, int count) {
      if (name == kill_at && count == n) rig.die();
    });
    try {
      operation.act(rig);
    } catch (const Killed&) {
      result.killed = true;
      rig.bury();
    } catch (const Error&) {
      // A caller was refused: the operation is over.
    }
    result.failpoints = watch.reached();
  }
  if (!rig.is_up()) rig.boot();
  settle(rig);
  try {
    rig.tick();
  } catch (const Error&) {
    rig.tick();  // the trouble was left for it
  }
  settle(rig);
  if (operation.warm) fill(rig);
  result.faults = broken_invariants(rig);
  return result;
}

TEST(FailpointProduct, EveryOneHolds) {
  log::set_level(log::Level::fatal);
  const bool all = std::getenv("RESMGR_CRASH_FULL") != nullptr;
  std::set<std::string> reached;
  int deaths = 0;
  int histories = 0;
  for (const Operation& operation : kOperations) {
    for (const Trouble& trouble : troubles()) {
      const Reached whole = live(operation, trouble, "", 0);
      const std::string what = std::string(operation.name) + ", trouble " +
                               std::to_string(trouble.op ? static_cast<int>(*trouble.op) : -1) +
                               (trouble.done ? " (done)" : "");
      for (const auto& fault : whole.faults) ADD_FAILURE() << what << ", no kill: " << fault;
      for (const auto& [name, times] : whole.failpoints) {
        reached.insert(name);
        for (int n = 1; n <= times; ++n) {
          if (trouble.op && !all && ++deaths % kSpread != 0) continue;
          ++histories;
          const Reached killed = live(operation, trouble, name, n);
          EXPECT_TRUE(killed.killed) << what << ", " << name << ":" << n;
          for (const auto& fault : killed.faults) {
            ADD_FAILURE() << what << ", killed at " << name << ":" << n << ": " << fault;
          }
        }
      }
    }
  }
  log::set_level(log::Level::warning);
  for (const auto name : kFailpoints) {
    if (kBeyond.contains(name)) continue;
    EXPECT_TRUE(reached.contains(std::string(name))) << name << " was not reached";
  }
  std::cout << reached.size() << " failpoints, " << histories << " histories\n";
}

}  // namespace
}  // namespace resmgr::simulation
