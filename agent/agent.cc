#include "agent/agent.h"

#include <unistd.h>

#include <utility>

#include "agent/checks.h"
#include "agent/engine/labels.h"
#include "agent/host_checks.h"
#include "agent/sinks/blockchain_sink.h"
#include "agent/sinks/postgres_sink.h"
#include "agent/sinks/postgres_usage.h"
#include "agent/sinks/seq_sink.h"
#include "common/error.h"
#include "common/event.h"
#include "common/failpoint.h"
#include "common/file_bytes.h"
#include "common/json.h"
#include "common/log.h"
#include "common/version.h"

namespace resmgr {
namespace {

// Another after each boot of the host; empty where the kernel does not tell.
std::string read_boot_id() {
  constexpr std::size_t kMost = 64;
  std::string id = read_file_bytes("/proc/sys/kernel/random/boot_id", kMost).bytes;
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

// Twice of what the journal's log grows to before it is moved into the file and begun anew: with
// that, stops can be recorded for as long as the disk is full.
constexpr std::int64_t kBallastBytes = 8 << 20;

// Of all checks of the host together; each has limits of its own below it. Who asks waits for 30 s.
constexpr Millis kHostCheckLimit{20'000};

tasks::TaskOptions with_identity(tasks::TaskOptions options, const std::string& agent_id,
                                 std::string secret_key, api::Metrics& metrics) {
  options.on_ready = [&metrics](Millis to_container, Millis to_readiness) {
    metrics.start(to_container, to_readiness);
  };
  options.agent_id = agent_id;
  options.secret_key = std::move(secret_key);
  options.boot_id = read_boot_id();
  return options;
}

std::shared_ptr<const catalog::Catalog> load_catalog(const std::vector<std::string>& folders,
                                                     const catalog::Catalog* earlier = nullptr) {
  auto catalog = catalog::Catalog::load(folders, earlier);
  for (const auto& fault : catalog->faults()) {
    log::warning("Catalog: {Where}: {What}", {{"Where", fault.where}, {"What", fault.what}});
  }
  log::info("Catalog has {Count} services", {{"Count", catalog->services().size()}});
  return catalog;
}

// An agent goes on without it, on a full disk above all.
std::unique_ptr<sinks::Diagnostics> open_diagnostics(const Settings& settings,
                                                     const LockedDirectory& data,
                                                     const std::string& agent_id) {
  if (!settings.seq) return nullptr;
  try {
    return std::make_unique<sinks::Diagnostics>(
        sinks::SpoolOptions{.folder = data.file("spool"), .most_bytes = settings.seq->spool_bytes},
        sinks::ClefSource{agent_id, settings.name}, settings.seq->least);
  } catch (const Error& error) {
    log::warning("Seq gets nothing of the log, which can't be kept for it: {Reason}",
                 {{"Reason", error.message()}});
    return nullptr;
  }
}

}  // namespace

Agent::Agent(Settings settings)
    : settings_(std::move(settings)),
      data_(settings_.data_dir, 0700),
      run_(settings_.run_dir, 0755),
      agent_id_(load_agent_id(data_)),
      diagnostics_(open_diagnostics(settings_, data_, agent_id_)),
      journal_({.file = data_.file(kJournalFile), .ballast_bytes = kBallastBytes}),
      mark_(run_.file("journal.mark"), journal_),
      docker_(settings_.engine),
      engine_(docker_, [this](std::string_view operation, bool failed,
                              auto took) { metrics_.engine_call(operation, failed, took); }),
      authenticator_(settings_.auth, clock_, agent_id_),
      users_(settings_.identity
                 ? std::make_unique<identity::UserDirectory>(*settings_.identity, clock_)
                 : nullptr),
      pumps_(settings_.pumps, journal_, clock_),
      tasks_(with_identity(settings_.tasks, agent_id_, load_secret_key(data_), metrics_), journal_,
             engine_, load_catalog(settings_.services_dirs), clock_),
      retention_(settings_.retention,
                 {journal_, clock_, [this] { return pumps_.pinned_to(); },
                  [this](const std::string& task_id) { tasks_.forget_output(task_id); }}) {
  add_sinks();
  api::ServerOptions server = settings_.server;
  server.refused_interface = engine::bridge_name(agent_id_);
  server_ = std::make_unique<api::Server>(
      server, api::Parts{journal_, tasks_, authenticator_, clock_, agent_id_, settings_.name,
                         [this] { return check_host(); }, &pumps_, users_.get(), &metrics_,
                         load_secret_key(data_)});
}

// By PostgreSQL, where that is configured.
sinks::BilledBefore Agent::billed_before() const {
  if (!settings_.postgres) return {};
  const auto known = std::make_shared<sinks::PostgresUsage>(*settings_.postgres);
  return [this, known](const std::string& task_id) {
    return known->hash_before(task_id, journal_.id());
  };
}

void Agent::add_sinks() {
  if (settings_.postgres) {
    sinks::PostgresOptions postgres = *settings_.postgres;
    postgres.agent_id = agent_id_;
    pumps_.add(std::make_unique<sinks::PostgresSink>(postgres));
  }
  if (settings_.seq) {
    sinks::Spool* const spool = diagnostics_ ? &diagnostics_->spool() : nullptr;
    pumps_.add(std::make_unique<sinks::SeqSink>(
        *settings_.seq, sinks::ClefSource{agent_id_, settings_.name}, spool, clock_, users_.get()));
  }
  if (settings_.blockchain) {
    pumps_.add(std::make_unique<sinks::BlockchainSink>(*settings_.blockchain, journal_, clock_,
                                                       users_.get(), billed_before()));
  }
}

// With the destinations, each of which is asked once.
Json Agent::check_host() {
  std::vector<Check> checks = host_checks({settings_, engine_, journal_, tasks_, pumps_});
  for (Check& check : destination_checks(settings_)) checks.push_back(std::move(check));
  return checks_to_json(run_checks(checks, kHostCheckLimit));
}

Agent::~Agent() {
  server_->stop();
  // A sink may be asking it.
  if (users_) users_->stop();
  unlink(run_.file("agent.json").c_str());
  failpoint("agent_stopped.before_commit");
  record(event_type::kAgentStopped);
  failpoint("agent_stopped.after_commit");
}

void Agent::run() {
  if (!mark_.was_whole()) tasks_.distrust_warm();
  mark_.follow();
  failpoint("agent_started.before_commit");
  record(event_type::kAgentStarted);
  failpoint("agent_started.after_commit");
  if (users_) users_->run();
  pumps_.run();
  // Who reads is served while the engine is still asked what it has.
  tasks_.begin();
  server_->start();
  tasks_.run();
  retention_.run();
  write_agent_json();
  for (const auto& address : server_->listening()) {
    log::info("Listening on {Address}", {{"Address", address}});
  }
  log::info("Agent {Version} is ready on {Socket}",
            {{"Version", kVersion}, {"Socket", settings_.server.socket_path}});
}

bool Agent::is_alive(Millis patience) {
  try {
    // Nothing is written: it takes its turn among those who write, and costs no fsync.
    journal_.transact([](journal::Transaction&) {});
  } catch (const std::exception&) {
    // A full disk is no reason to be restarted: reading and stopping go on.
  }
  return server_->turns(patience);
}

void Agent::reload(const Settings& fresh) {
  authenticator_.reload(fresh.auth);
  log::set_level(fresh.log_level);
  tasks_.set_limits(fresh.tasks.limits);
  tasks_.set_catalog(load_catalog(fresh.services_dirs, tasks_.catalog().get()));
}

void Agent::write_agent_json() {
  const Json json = {{"pid", getpid()},
                     {"version", kVersion},
                     {"listen", server_->listening()},
                     {"socket", settings_.server.socket_path}};
  write_file_atomically(run_.file("agent.json"), dump_json(json) + "\n", 0644);
}

// On a full disk an agent still starts, so that its tasks can be stopped.
void Agent::record(const char* event_type) noexcept {
  try {
    const Json details = {{"version", kVersion}, {"pid", getpid()}};
    journal_.transact([&](journal::Transaction& transaction) {
      transaction.append(event_type, clock_.now(), dump_json(details));
    });
  } catch (const std::exception& error) {
    log::warning("Could not record {Event}: {Reason}",
                 {{"Event", event_type}, {"Reason", error.what()}});
  }
}

}  // namespace resmgr
