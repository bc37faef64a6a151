// A task service with a journal on disk and a fake engine, and what tests ask of them.
#ifndef RESMGR_TESTS_UNIT_TASKS_WORLD_H_
#define RESMGR_TESTS_UNIT_TASKS_WORLD_H_

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/engine/labels.h"
#include "agent/journal/journal.h"
#include "agent/tasks/admission.h"
#include "agent/tasks/container_spec.h"
#include "agent/tasks/outcome.h"
#include "agent/tasks/task_service.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_engine.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace resmgr::tasks {

inline constexpr char kAlice[] = "11111111-1111-4111-8111-111111111111";
inline constexpr char kBob[] = "22222222-2222-4222-8222-222222222222";

class World {
 public:
  World() : engine(clock), journal({temp.path() / "journal.db"}) {
    options.agent_id = "aaaaaaaa-0000-4000-8000-000000000001";
    options.host_name = "here";
    options.data_dir = temp.path();
    options.secret_key = std::string(64, 'k');
    options.boot_id = "boot 1";
    options.limits.min_free_disk_bytes = 0;
    engine.add_image("web:1");
    set_catalog(R"(
      name = "web"
      title = "Web"
      image = "web:1"
      container_port = 8080
      url_path = "/?t={token}"
      env = { TOKEN = "{token}" }
      probe = "none"
    )");
  }

  void set_catalog(const std::string& toml) {
    catalog = catalog::Catalog::from_text(toml, "test.toml");
    if (!catalog->faults().empty()) throw std::runtime_error(catalog->faults()[0].what);
    if (service) service->set_catalog(catalog);
  }

  // As a new process of the agent on the same journal and engine.
  void boot() {
    service.reset();
    service = std::make_unique<TaskService>(options, journal, engine, catalog, clock);
    service->run();
  }
  void shut_down() { service.reset(); }

  std::string start(const std::string& user = kAlice, const std::string& key = "",
                    const std::string& body_hash = "h") {
    return service->start({user, "web", user, key, body_hash}).task_id;
  }
  // Leaves what a process leaves that is killed right after it admitted a start.
  std::string admit_and_die(const std::string& user = kAlice) {
    const auto admission = journal.writing([&](journal::Transaction& transaction) {
      return admit(
          transaction,
          {options.host_name, options.limits, {}, warm_hash(options, *catalog->find("web"))},
          {user, "web", user, "", ""}, *catalog->find("web"), clock.now());
    });
    return admission.task_id;
  }
  // … and whose create reached the engine.
  std::string admit_create_and_die() {
    const auto id = admit_and_die();
    engine.create_network(
        {engine::network_name(options.agent_id), engine::ours(options.agent_id), true});
    engine.create(container_spec(options, *catalog->find("web"), row(id)));
    return id;
  }
  void intend_to_stop(const std::string& id) {
    journal.transact([&](journal::Transaction& transaction) {
      auto stored = transaction.task(id).value();
      apply_stop_intent(stored, ended_by::kUser, "", "");
      transaction.update(stored);
    });
  }
  journal::TaskRow row(const std::string& id) const {
    return journal.reading([&](journal::Reader& reader) { return reader.task(id); }).value();
  }
  journal::TaskRow wait_started(const std::string& id) {
    auto settled = std::make_shared<std::promise<journal::TaskRow>>();
    service->when_started(id, [settled](const auto& row) { settled->set_value(row); });
    return settled->get_future().get();
  }
  journal::TaskRow wait_ended(const std::string& id) {
    auto settled = std::make_shared<std::promise<journal::TaskRow>>();
    service->when_ended(id, [settled](const auto& row) { settled->set_value(row); });
    return settled->get_future().get();
  }
  bool wait_phase(const std::string& id, journal::Phase phase) {
    return support::eventually([&] { return row(id).phase == phase; });
  }
  journal::TaskRow run(const std::string& user = kAlice) { return wait_started(start(user)); }

  std::string name(const std::string& id) const { return engine::container_name(id); }
  std::size_t containers() const { return engine.containers().size(); }
  std::vector<std::string> event_types(const std::string& id) const {
    std::vector<std::string> types;
    journal.read([&](journal::Reader& reader) {
      for (const auto& event : reader.events_of(id)) types.push_back(event.type);
    });
    return types;
  }

  support::TempDir temp;
  FakeClock clock;
  engine::FakeEngine engine;
  journal::Journal journal;
  TaskOptions options;
  std::shared_ptr<const catalog::Catalog> catalog;
  std::unique_ptr<TaskService> service;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_TESTS_UNIT_TASKS_WORLD_H_
