// What a task's lane puts in the journal.

#include <algorithm>
#include <chrono>
#include <utility>

#include "agent/tasks/container_spec.h"
#include "agent/tasks/lifecycle_run.h"
#include "agent/tasks/usage.h"
#include "common/event.h"
#include "common/failpoint.h"
#include "common/ids.h"
#include "common/log.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using journal::Phase;
using journal::Purpose;
using journal::TaskRow;
using journal::Transaction;

constexpr std::size_t kNonceBytes = 16;
// The engine tells of an end some milliseconds after its lists have it; a busy one takes longer.
constexpr Millis kWordOnItsWay{2'000};

Json end_details(const TaskRow& row, const journal::UsageSample& used) {
  Json details = {{"endedBy", row.ended_by},
                  {"exitCode", row.task.exit_code.value_or(-1)},
                  {"precision", std::string(to_string(row.task.precision))},
                  {"cpuMs", row.cpu_ms},
                  {"peakMemoryBytes", row.peak_memory_bytes},
                  {"networkRxBytes", used.network_rx_bytes},
                  {"networkTxBytes", used.network_tx_bytes}};
  if (!row.task.status_reason.empty()) details["reason"] = row.task.status_reason;
  return details;
}

}  // namespace

// A service that answers at once is on record as ready with the same sync.
Next Lifecycle::Run::record_started() {
  const engine::ContainerState seen = memory_.seen->container;
  const Instant now = parts_.clock.now();
  const bool ready = seen.alive() && answers_at_once(seen.host_port);
  const Instant ready_at = parts_.clock.now();
  // They are told together, with the one sync of this transaction, and each when it was.
  const bool pulled = memory_.pulled;
  const Instant pulled_at = memory_.pulled_at.value_or(now);
  const Instant created_at = memory_.created_at.value_or(now);
  const bool done = change([&](Transaction& transaction, TaskRow& row) {
    apply_started(row, seen);
    if (ready) apply_ready(row);
    transaction.update(row);
    if (pulled) transaction.append(event_type::kImagePulled, row, pulled_at, "{}");
    transaction.append(event_type::kCreated, row, created_at,
                       dump_json({{"containerId", seen.id}}));
    transaction.append(event_type::kStarted, row, now,
                       dump_json({{"containerPort", seen.host_port},
                                  {"startTries", memory_.start.failed_tries() + 1},
                                  {"engineMs", memory_.engine_ms}}));
    if (ready) transaction.append(event_type::kReady, row, ready_at, "{}");
  });
  if (!done) return look_again();
  note_sighting(seen, now);
  return ready ? tell_ready(ready_at) : Next::again();
}

void Lifecycle::Run::note_sighting(const engine::ContainerState& seen, Instant now) {
  const Sighting sighting{parts_.session.epoch(), now, parts_.clock.since_boot(), seen.host_port,
                          secret_id(*row_)};
  lifecycle_.sightings_.with([&](auto& sightings) { sightings[task_id_] = sighting; });
}

Next Lifecycle::Run::record_taken_over(const engine::ContainerState& seen,
                                       const engine::Stats& used) {
  const Instant now = parts_.clock.now();
  const bool done = change([&](Transaction& transaction, TaskRow& row) {
    apply_taken_over(row, seen, used);
    transaction.update(row);
    transaction.append(
        event_type::kStarted, row, now,
        dump_json(
            {{"containerPort", seen.host_port}, {"warm", true}, {"engineMs", memory_.engine_ms}}));
    transaction.append(event_type::kReady, row, now, "{}");
  });
  if (!done) return look_again();
  note_sighting(seen, now);
  parts_.pool.count_claim(row_->task.service_type, true);
  parts_.pool.nudge();
  const Next next = tell_ready(now);
  // The slot's lane has still to write on the container whose it is, which nobody waits for.
  parts_.pool.wake(row_->warm.slot_id);
  return next;
}

// What it claimed is nobody's any more: used once, it is never given to another.
Next Lifecycle::Run::release() {
  const std::string slot_id = row_->warm.slot_id;
  const bool done = change(Purpose::ending, [&](Transaction& transaction, TaskRow& row) {
    row.warm = {};
    transaction.update(row);
    auto slot = transaction.slot(slot_id);
    if (!slot) return;
    slot->phase = journal::SlotPhase::draining;
    slot->task_id.clear();
    transaction.update_slot(*slot);
  });
  if (!done) return look_again();
  // Nothing was ever made for the task itself.
  memory_.create_in_doubt = false;
  log::info("Task {TaskId} does not get the warm container that it claimed",
            {{"TaskId", task_id_}});
  // A start that was called off neither got one nor had to do without.
  if (row_->phase == Phase::admitted) parts_.pool.count_claim(row_->task.service_type, false);
  parts_.pool.wake(slot_id);
  return look_again();
}

Next Lifecycle::Run::record_ready() {
  const Instant now = parts_.clock.now();
  const bool done = change([&](Transaction& transaction, TaskRow& row) {
    apply_ready(row);
    transaction.update(row);
    transaction.append(event_type::kReady, row, now, "{}");
  });
  if (!done) return look_again();
  return tell_ready(now);
}

Next Lifecycle::Run::tell_ready(Instant now) {
  if (const Task& task = row_->task; parts_.options.on_ready && task.start_time) {
    parts_.options.on_ready(*task.start_time - task.created_at, now - *task.start_time);
  }
  log::info(
      "Task {TaskId} of {UserId} runs {Service}",
      {{"TaskId", task_id_}, {"UserId", row_->task.user_id}, {"Service", row_->task.service_type}});
  parts_.waiters.notify(*row_);
  return Next::done();
}

Next Lifecycle::Run::fail_start(ErrorKind failure, const std::string& reason) {
  const Instant now = parts_.clock.now();
  const bool done = change(Purpose::ending, [&](Transaction& transaction, TaskRow& row) {
    apply_stop_intent(row, ended_by::kStartFailed, to_string(failure), reason);
    transaction.update(row);
    transaction.append(event_type::kStopRequested, row, now,
                       dump_json({{"by", ended_by::kStartFailed}, {"reason", reason}}));
  });
  if (!done) return look_again();
  log::warning("Task {TaskId} could not start: {Reason}",
               {{"TaskId", task_id_}, {"Reason", reason}});
  return Next::again();
}

// Who looks right when somebody removes the container may see that before the engine's word of its
// end has come, which tells the time and the exit code. For how long to wait for it; empty: not.
std::optional<Millis> Lifecycle::Run::wait_for_word_of_death() {
  if (container() || memory_.death) return std::nullopt;
  const auto sighting = lifecycle_.sighting(task_id_);
  if (!sighting || sighting->epoch != parts_.session.epoch()) return std::nullopt;
  const auto now = std::chrono::steady_clock::now();
  if (!memory_.word_due) {
    memory_.word_due = now + kWordOnItsWay;
    return kWordOnItsWay;
  }
  // Whoever woke the lane meanwhile brought no word.
  if (is_due_ || now >= *memory_.word_due) return std::nullopt;
  return std::chrono::ceil<Millis>(*memory_.word_due - now);
}

Next Lifecycle::Run::record_ended() {
  if (const auto wait = wait_for_word_of_death()) {
    memory_.seen.reset();
    return Next::after(*wait);
  }
  const std::optional<engine::ContainerState> left = container();
  const Witness known = witness();
  const Instant now = parts_.clock.now();
  const std::string nonce = random_hex(kNonceBytes);
  const bool done = change(Purpose::ending, [&](Transaction& transaction, TaskRow& row) {
    // A stop may have come before the start was on record.
    if (!row.task.start_time && left) {
      row.task.container_id = left->id;
      row.task.start_time = left->started_at;
    }
    // The last sample of either kind: this lane's own before the stop, and the sampler's, which may
    // be of an earlier process.
    if (memory_.sample) transaction.put_sample(task_id_, *memory_.sample);
    const auto used = transaction.activity(task_id_).sample.value_or(journal::UsageSample{});
    row.cpu_ms = std::max(row.cpu_ms, used.cpu_ms);
    row.peak_memory_bytes = std::max(row.peak_memory_bytes, used.peak_memory_bytes);
    apply_end(row, conclude(row, left, memory_.death, known));
    const UsageRecord usage = make_usage_record(row, nonce);
    row.task.usage_hash = usage.hash;
    transaction.update(row);
    transaction.put_usage(task_id_, usage.canonical, usage.hash);
    transaction.append(event_type::kEnded, row, now, dump_json(end_details(row, used)));
  });
  if (!done) return look_again();
  lifecycle_.sightings_.with([&](auto& sightings) { sightings.erase(task_id_); });
  log::info("Task {TaskId} of {UserId} ended after {Duration}: {Status} {Reason}",
            {{"TaskId", task_id_},
             {"UserId", row_->task.user_id},
             {"Duration", format_duration(row_->task.duration().value_or(Millis{0}))},
             {"Status", to_string(row_->task.status)},
             {"Reason", row_->task.status_reason}});
  parts_.waiters.notify(*row_);
  // What the journal knows now may be other than what was seen: a restarted container runs.
  return Next::again();
}

Next Lifecycle::Run::record_unstarted() {
  const Instant now = parts_.clock.now();
  // Its container was made, perhaps, and with it they were.
  remove_volumes(row_->task);
  const bool done = change(Purpose::ending, [&](Transaction& transaction, TaskRow& row) {
    apply_unstarted(row);
    transaction.update(row);
    transaction.append(event_type::kFailed, row, now,
                       dump_json({{"endedBy", row.ended_by}, {"reason", row.task.status_reason}}));
  });
  if (!done) return look_again();
  parts_.waiters.notify(*row_);
  return Next::done();
}

Next Lifecycle::Run::record_removed() {
  const Instant now = parts_.clock.now();
  remove_volumes(row_->task);
  const bool done = change(Purpose::ending, [&](Transaction& transaction, TaskRow& row) {
    row.phase = Phase::removed;
    transaction.update(row);
    transaction.append(event_type::kRemoved, row, now, "{}");
  });
  if (!done) return look_again();
  return Next::done();
}

// With an init process, the kernel may kill a child while the container goes on: worth knowing, and
// no end.
void Lifecycle::Run::record_oom() {
  const Instant now = parts_.clock.now();
  change([&](Transaction& transaction, TaskRow& row) {
    transaction.append(event_type::kOom, row, now, dump_json({{"memoryBytes", row.memory_bytes}}));
  });
}

}  // namespace resmgr::tasks
