#include "tests/contract/journal_host.h"

#include <utility>

#include "common/crypto.h"
#include "common/ids.h"
#include "common/jcs.h"
#include "common/json.h"
#include "common/time_format.h"
#include "tests/support/eventually.h"

namespace resmgr::sinks {
namespace {

constexpr char kOwner[] = "00000000-0000-4000-8000-0000000000ad";

// As the agent's.
std::string usage_record_of(const journal::TaskRow& row) {
  const Task& task = row.task;
  return canonical_json({{"version", 1},
                         {"taskId", task.task_id},
                         {"userId", task.user_id},
                         {"serviceType", task.service_type},
                         {"containerId", task.container_id},
                         {"host", task.host},
                         {"startTime", format_rfc3339(*task.start_time)},
                         {"stopTime", format_rfc3339(*task.stop_time)},
                         {"durationMs", task.duration()->count()},
                         {"cpuMs", row.cpu_ms},
                         {"peakMemoryBytes", row.peak_memory_bytes},
                         {"exitCode", *task.exit_code},
                         {"endedBy", "user"},
                         {"precision", "exact"},
                         {"nonce", random_hex(16)}});
}

}  // namespace

JournalHost::JournalHost(std::string its_name, MakeSink make_sink)
    : name(std::move(its_name)), make_sink_(std::move(make_sink)) {
  restart();
}

void JournalHost::restart() {
  pump.reset();
  journal.reset();
  journal = std::make_unique<journal::Journal>(journal::JournalOptions{file()});
  make_pump();
}

void JournalHost::make_pump() {
  pump.reset();
  pump = std::make_unique<Pump>(pump_options, *journal, make_sink_(), clock);
}

std::optional<Millis> JournalHost::settle() {
  for (;;) {
    const auto wait = pump->step();
    if (wait != Millis{0}) return wait;
  }
}

bool JournalHost::deliver_all() {
  return support::eventually([&] { return settle() == std::nullopt; });
}

bool JournalHost::await_all() {
  const bool all = support::eventually([&] { return status().lag_events == 0; });
  pump->request_stop();
  pump->join();
  return all;
}

journal::TaskRow JournalHost::admit() {
  clock.advance(Millis{7});
  journal::TaskRow row;
  row.task.task_id = new_uuid_v7(clock.now());
  row.task.user_id = kOwner;
  row.task.service_type = "hello \"quoted\", \\ and {braces}";
  row.task.host = name;
  row.task.created_at = clock.now();
  journal->transact([&](journal::Transaction& transaction) {
    transaction.insert(row);
    transaction.append(event_type::kStartRequested, row, clock.now(), "{}");
  });
  return row;
}

void JournalHost::change(journal::TaskRow& row, std::string_view event_type) {
  clock.advance(Millis{11});
  journal->transact([&](journal::Transaction& transaction) {
    transaction.update(row);
    transaction.append(event_type, row, clock.now(), "{}");
  });
}

journal::TaskRow JournalHost::run() {
  journal::TaskRow row = admit();
  row.task.container_id = "c0ffee";
  change(row, event_type::kCreated);
  row.task.container_port = 40'001;
  row.task.start_time = clock.now();
  change(row, event_type::kStarted);
  row.task.status = TaskStatus::running;
  change(row, event_type::kReady);
  return row;
}

void JournalHost::end(journal::TaskRow& row) {
  row.task.status = TaskStatus::stopping;
  change(row, event_type::kStopRequested);
  record_end(row, row.task.start_time.value() + Millis{3'723'004});
  change(row, event_type::kRemoved);
}

void JournalHost::record_end(journal::TaskRow& row, Instant stop_time) {
  clock.advance(Millis{11});
  row.task.status = TaskStatus::stopped;
  row.task.stop_time = stop_time;
  row.task.exit_code = 143;
  const std::string record = usage_record_of(row);
  row.task.usage_hash = sha256_hex(record);
  journal->transact([&](journal::Transaction& transaction) {
    transaction.update(row);
    transaction.put_usage(row.task.task_id, record, row.task.usage_hash);
    transaction.append(event_type::kEnded, row, clock.now(), "{}");
  });
}

journal::TaskRow JournalHost::fail() {
  journal::TaskRow row = admit();
  row.task.status = TaskStatus::error;
  row.task.status_reason = std::string("there is no such image\0 at all", 30);
  change(row, event_type::kFailed);
  return row;
}

}  // namespace resmgr::sinks
