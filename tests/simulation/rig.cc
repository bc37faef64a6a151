#include "tests/simulation/rig.h"

#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "agent/engine/labels.h"
#include "common/error.h"
#include "tests/simulation/journal_invariants.h"

namespace resmgr::simulation {
namespace {

constexpr char kService[] = R"(
  name = "quick"
  title = "Quick"
  image = "quick:1"
  container_port = 8080
  url_path = "/?t={token}"
  env = { TOKEN = "{token}" }
)";
constexpr char kUnasked[] = R"(
  probe = "none"
)";
// Nothing listens at the fake engine's ports.
constexpr char kSilent[] = R"(
  probe = { http = "/nothing-here" }
  start_timeout = "1ms"
)";
constexpr char kVolume[] = R"(
  [[volumes]]
  name = "scratch-{taskId}"
  path = "/scratch"
  keep = false
)";

std::shared_ptr<const catalog::Catalog> make_catalog(const std::string& more) {
  auto made = catalog::Catalog::from_text(kService + more, "quick.toml");
  if (!made->faults().empty()) throw std::logic_error(made->faults()[0].what);
  return made;
}

// Its commits sync to memory where that is possible: what a kill leaves is the same.
std::string scratch_folder() { return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; }

// A journal without a task, to be copied: migrations take longer than a history.
const std::string& empty_journal() {
  static const support::TempDir dir(scratch_folder());
  static const std::string file = [] {
    const std::string path = dir.path() / "journal.db";
    const journal::Journal made({path});
    return path;
  }();
  return file;
}

}  // namespace

Rig::Rig(bool warm) : engine(clock), dir_(scratch_folder()) {
  options.agent_id = "aaaaaaaa-0000-4000-8000-000000000001";
  options.host_name = "here";
  options.boot_id = "one boot";
  options.data_dir = dir_.path();
  options.secret_key = std::string(64, 'k');
  options.lane_threads = 0;
  options.concurrent_starts = 2;
  options.limits.min_free_disk_bytes = 0;
  options.limits.tasks_per_user = kTasksPerUser;
  options.limits.tasks_per_host = kTasksPerHost;
  static const auto cold_catalog = make_catalog(std::string(kUnasked) + kVolume);
  static const auto warm_catalog = make_catalog(kUnasked + ("warm = " + std::to_string(kWarm)));
  catalog = warm ? warm_catalog : cold_catalog;
  engine.add_image("quick:1");
  engine.set_program("quick:1", {.output = "hello\n"});
  std::filesystem::copy_file(empty_journal(), journal_file());
}

Rig::~Rig() { bury(); }

void Rig::fall_silent() {
  static const auto silent_catalog = make_catalog(std::string(kSilent) + kVolume);
  catalog = silent_catalog;
  service->set_catalog(catalog);
}

std::string Rig::journal_file() const { return dir_.path() / "journal.db"; }

void Rig::boot() {
  journal = std::make_unique<journal::Journal>(journal::JournalOptions{journal_file()});
  if (left_at_ && *left_at_ != last_event()) {
    throw std::logic_error("a dead incarnation wrote to the journal: event " +
                           std::to_string(last_event()) + " after " + std::to_string(*left_at_));
  }
  left_at_.reset();
  gate = std::make_unique<GatedEngine>(engine, [this](engine::Op op, bool done) {
    if (dead_) throw Killed{};
    hook(op, done);
  });
  service = std::make_unique<tasks::TaskService>(options, *journal, *gate, catalog, clock);
  steps.emplace(*service);
}

void Rig::watch() {
  if (steps->watch()) beat();
}

void Rig::tick() {
  steps->tick();
  beat();
}

// These are as their own threads have them: the next turn may succeed.
void Rig::fill() {
  try {
    steps->fill();
  } catch (const Error&) {
    return;
  }
}

void Rig::beat() {
  try {
    steps->beat();
  } catch (const Error&) {
    return;
  }
}

void Rig::die() {
  left_at_ = last_event();
  dead_ = true;
  throw Killed{};
}

void Rig::bury() {
  steps.reset();
  service.reset();
  gate.reset();
  journal.reset();
  calls_.clear();
  dead_ = false;
}

void Rig::lose_journal() {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(journal_file() + suffix);
  }
  std::filesystem::copy_file(empty_journal(), journal_file());
  left_at_.reset();
  ledger.journal_was_lost = true;
}

// As a reader sees it, who knows of no commit but those that are in the file.
std::int64_t Rig::last_event() const {
  return journal->reading([&](journal::Reader& reader) {
    std::int64_t last = 0;
    for (;;) {
      const auto events = reader.events_after(last, 500, "");
      if (events.empty()) return last;
      last = events.back().seq;
    }
  });
}

bool Rig::settle(const Choose& choose, int most) {
  for (int step = 0; step < most; ++step) {
    bool moved = gate->deliver();
    if (!gate->stream_stands()) {
      watch();
      moved = true;
    }
    moved = steps->lane(choose) || moved;
    if (!moved) return true;
  }
  return false;
}

std::string Rig::start(const std::string& user, const std::string& key) {
  const auto admission = service->start({user, kQuick, user, key, "body"});
  ledger.started.insert(admission.task_id);
  if (!key.empty()) {
    const auto [known, is_new] = ledger.keys.emplace(user + key, admission.task_id);
    if (known->second != admission.task_id) {
      throw std::logic_error("one idempotency key, two tasks: " + known->second + ", " +
                             admission.task_id);
    }
  }
  wait_for(admission.task_id, false);
  return admission.task_id;
}

void Rig::stop(const std::string& task_id) {
  ledger.stop_asked.insert(task_id);
  service->stop(task_id, "user", "user");
  ledger.stop_told.insert(task_id);
  wait_for(task_id, true);
}

void Rig::wait_for(const std::string& task_id, bool end) {
  auto calls = std::make_shared<int>(0);
  calls_.push_back(calls);
  const auto count = [calls](const journal::TaskRow&) { ++*calls; };
  end ? service->when_ended(task_id, count) : service->when_started(task_id, count);
}

int Rig::waiting() const {
  int count = 0;
  for (const auto& calls : calls_) count += *calls == 0 ? 1 : 0;
  return count;
}

int Rig::called_twice() const {
  int count = 0;
  for (const auto& calls : calls_) count += *calls > 1 ? 1 : 0;
  return count;
}

std::vector<engine::ContainerState> Rig::our_containers() const {
  std::vector<engine::ContainerState> ours;
  for (auto& container : engine.containers()) {
    if (engine::belonging_of(container.labels, container.name, options.agent_id)) {
      ours.push_back(std::move(container));
    }
  }
  return ours;
}

std::vector<journal::TaskRow> Rig::rows() const { return all_rows(*journal); }

std::vector<journal::SlotRow> Rig::slots() const {
  return journal->reading([](journal::Reader& reader) { return reader.slots(); });
}

}  // namespace resmgr::simulation
