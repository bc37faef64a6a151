// An agent without its threads, on a real journal and the fake engine, that a test kills and boots
// again, and the record of what it was told and what others did.
#ifndef RESMGR_TESTS_SIMULATION_RIG_H_
#define RESMGR_TESTS_SIMULATION_RIG_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/journal/journal.h"
#include "agent/tasks/task_service.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_engine.h"
#include "tests/simulation/gated_engine.h"
#include "tests/support/temp_dir.h"

namespace resmgr::simulation {

// What callers know and what was done past the agent: by this the outcome is judged.
struct Ledger {
  std::set<std::string> started;            // tasks that a caller was told of
  std::map<std::string, std::string> keys;  // idempotency key -> its task, as told
  std::set<std::string> stop_asked;         // a stop was asked for, whatever the answer
  std::set<std::string> stop_told;          // … and the caller was told that it is recorded
  std::set<std::string> exited;             // containers that ended by themselves
  std::set<std::string> touched;            // containers removed or restarted by hand
  std::set<std::string> foreign;            // containers of others
  bool starts_may_fail = false;             // the engine refused something, or a name was taken
  bool output_may_be_lost = false;          // the engine did not give some output
  bool journal_was_lost = false;
};

// For one thread.
class Rig {
 public:
  using Choose = std::function<std::size_t(std::size_t)>;

  // With `warm`, containers of the service are kept warm, and it has no volume.
  explicit Rig(bool warm = false);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  // A new incarnation on what the last one left. May throw Killed.
  void boot();
  // Turns of the watching thread and of the timers; a heartbeat with each.
  void watch();
  void tick();
  // A turn of the pool of warm containers.
  void fill();
  bool is_up() const { return service != nullptr; }
  // The incarnation is killed here: from now on its calls to the engine throw Killed, too, and that
  // it wrote nothing more to the journal is checked by the next boot(), by std::logic_error.
  [[noreturn]] void die();
  // After that: what is left of it goes.
  void bury();
  // The journal's file is gone, too.
  void lose_journal();

  // Runs everything that waits, with an engine that is well, until nothing does; false if that
  // takes more than `most` steps. May throw Killed.
  bool settle(const Choose& choose, int most = 1'000);

  // As callers; what they were told goes to the ledger. Throw Error and Killed.
  std::string start(const std::string& user, const std::string& key);
  // From now on no service answers: who starts one waits in vain.
  void fall_silent();
  void stop(const std::string& task_id);

  // Ours, in the order of creation.
  std::vector<engine::ContainerState> our_containers() const;
  std::vector<journal::TaskRow> rows() const;
  std::vector<journal::SlotRow> slots() const;
  // Callers that wait in this incarnation, and those that were called more than once.
  int waiting() const;
  int called_twice() const;

  GatedEngine::Hook hook = [](engine::Op, bool) {};
  FakeClock clock;
  engine::FakeEngine engine;
  tasks::TaskOptions options;
  std::shared_ptr<const catalog::Catalog> catalog;
  Ledger ledger;
  std::unique_ptr<GatedEngine> gate;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<tasks::TaskService> service;
  std::optional<tasks::TaskSteps> steps;

 private:
  void beat();
  std::string journal_file() const;
  std::int64_t last_event() const;
  void wait_for(const std::string& task_id, bool end);

  support::TempDir dir_;
  bool dead_ = false;
  std::optional<std::int64_t> left_at_;      // the last event of a dead incarnation
  std::vector<std::shared_ptr<int>> calls_;  // of each caller that waits
};

inline constexpr char kQuick[] = "quick";  // the service that the rig's tasks run
inline constexpr int kWarm = 2;
inline constexpr int kTasksPerUser = 2;
inline constexpr int kTasksPerHost = 4;

}  // namespace resmgr::simulation

#endif  // RESMGR_TESTS_SIMULATION_RIG_H_
