#include "agent/tasks/idle_watch.h"

#include <utility>

#include "agent/tasks/outcome.h"
#include "agent/tasks/refusals.h"
#include "common/event.h"
#include "common/failpoint.h"
#include "common/json.h"
#include "common/log.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

// Others who extend the same task at the same moment.
constexpr int kExtendTries = 16;

bool is_running(const std::optional<journal::TaskRow>& row) {
  return row && row->phase == journal::Phase::ready;
}

void require_running(const std::optional<journal::TaskRow>& row, const std::string& task_id,
                     const std::string& verb) {
  if (!row) throw no_such_task(task_id);
  if (is_running(row)) return;
  Error error(ErrorKind::conflict, "cannot " + verb + " task '" + task_id + "': it is " +
                                       std::string(to_string(row->task.status)) +
                                       ", and only Running has limits");
  error.problem = "not-running";
  throw error;
}

Json time_or_null(const std::optional<Instant>& time) {
  return time ? Json(format_rfc3339(*time)) : Json();
}

bool same_limits(const journal::Activity& a, const journal::Activity& b) {
  return a.idle_until == b.idle_until && a.lifetime_until == b.lifetime_until;
}

std::string_view ended_by_of(IdleCause cause) {
  return cause == IdleCause::idle ? ended_by::kIdle : ended_by::kLifetime;
}

Json warning_details(const IdleVerdict& verdict) {
  const auto& stop_at =
      verdict.cause == IdleCause::idle ? verdict.idle_stop_at : verdict.lifetime_stop_at;
  return {{"cause", std::string(to_string(verdict.cause))},
          {"reason", verdict.reason},
          {"stopAt", time_or_null(stop_at)}};
}

}  // namespace

template <typename Fn>
auto IdleWatch::with_use(const Task& task, Fn&& fn) {
  const BootTime now = parts_.clock.since_boot();
  return uses_.with(
      [&](auto& uses) { return fn(uses.try_emplace(task.task_id, task, now).first->second); });
}

void IdleWatch::note_sample(const Task& task, const std::optional<engine::Stats>& stats) {
  const auto catalog = parts_.catalog();
  const catalog::Service* service = catalog->find(task.service_type);
  const auto floors = ActivityFloors::of(service != nullptr ? service->idle : catalog::IdlePolicy{},
                                         parts_.sample_interval);
  const BootTime now = parts_.clock.since_boot();
  with_use(task, [&](TaskUse& use) { use.sample(stats, floors, now); });
}

bool IdleWatch::wants_probe(const Task& task) {
  const auto catalog = parts_.catalog();
  const catalog::Service* service = catalog->find(task.service_type);
  if (service == nullptr || !is_probed(service->idle)) return false;
  const BootTime now = parts_.clock.since_boot();
  return with_use(
      task, [&](const TaskUse& use) { return use.is_probe_due(now, parts_.sample_interval); });
}

void IdleWatch::note_probe(const Task& task, const JupyterLook& look) {
  const Moment now = Moment::of(parts_.clock);
  with_use(task, [&](TaskUse& use) { use.hear(look, now); });
}

void IdleWatch::keep_only(const std::set<std::string>& task_ids) {
  uses_.with([&](auto& uses) {
    std::erase_if(uses, [&](const auto& entry) { return !task_ids.contains(entry.first); });
  });
}

IdleWatch::Judged IdleWatch::judge(const std::string& task_id, const char* verb) {
  Judged judged;
  parts_.journal.read([&](journal::Reader& reader) {
    const auto row = reader.task(task_id);
    require_running(row, task_id, verb);
    judged.row = *row;
    judged.activity = reader.activity(task_id);
  });
  const Task& task = judged.row.task;
  const auto catalog = parts_.catalog();
  // What the catalog no longer has is limited by nothing.
  static const catalog::Service kUnlimited;
  const catalog::Service* found = catalog->find(task.service_type);
  const catalog::Service& service = found != nullptr ? *found : kUnlimited;
  IdleReport& report = judged.report;
  report.rules = IdleRules::of(service, parts_.sample_interval);
  report.facts.started_at = task.start_time.value_or(task.created_at);
  report.facts.ready_at = report.facts.started_at;
  report.facts.extended = {judged.activity.idle_until, judged.activity.lifetime_until};
  report.facts.now = Moment::of(parts_.clock);
  const IdleMemory memory = with_use(task, [&](const TaskUse& use) {
    report.facts.signals = use.signals(service.idle, report.facts.now.boot);
    judged.touches = use.touches();
    return use.memory();
  });
  report.verdict = tasks::judge(report.rules, report.facts, memory);
  return judged;
}

// Empty where something happened since the judgement that might have led to another.
std::optional<journal::TaskRow> IdleWatch::unless_changed(journal::Transaction& transaction,
                                                          const Judged& judged) {
  auto row = transaction.task(judged.row.task.task_id);
  if (!is_running(row) || row->task.start_time != judged.row.task.start_time) return std::nullopt;
  if (!same_limits(transaction.activity(row->task.task_id), judged.activity)) return std::nullopt;
  const auto touches = with_use(row->task, [](const TaskUse& use) { return use.touches(); });
  return touches == judged.touches ? row : std::nullopt;
}

void IdleWatch::record(journal::Transaction& transaction, journal::TaskRow& row,
                       const Judged& judged, bool stops) const {
  const IdleVerdict& verdict = judged.report.verdict;
  const Instant now = judged.report.facts.now.wall;
  if (verdict.withdrawn && !stops) {
    transaction.append(
        event_type::kIdleWarningWithdrawn, row, now,
        dump_json({{"idle", verdict.idle_outlook}, {"lifetime", verdict.lifetime_outlook}}));
  }
  if (stops) {
    const std::string_view by = ended_by_of(verdict.cause);
    apply_stop_intent(row, by, "", verdict.reason);
    transaction.update(row);
    transaction.append(event_type::kStopRequested, row, now,
                       dump_json({{"by", std::string(by)}, {"reason", verdict.reason}}));
  } else if (verdict.action == IdleAction::warn) {
    transaction.append(event_type::kIdleWarning, row, now, dump_json(warning_details(verdict)));
  }
}

void IdleWatch::watch(const std::string& task_id, bool engine_known) {
  const Judged judged = judge(task_id, "watch");
  const IdleVerdict& verdict = judged.report.verdict;
  const Task& task = judged.row.task;
  const bool stops = verdict.action == IdleAction::stop;
  if (stops && !engine_known) return;
  if (verdict.action != IdleAction::none || verdict.withdrawn) {
    bool recorded = false;
    failpoint(stops ? FailpointName("stop.before_commit") : FailpointName("warning.before_commit"));
    parts_.journal.transact([&](journal::Transaction& transaction) {
      auto row = unless_changed(transaction, judged);
      recorded = row.has_value();
      if (recorded) record(transaction, *row, judged, stops);
    });
    failpoint(stops ? FailpointName("stop.after_commit") : FailpointName("warning.after_commit"));
    if (!recorded) return;
  }
  with_use(task, [&](TaskUse& use) { use.keep(verdict.memory); });
  if (verdict.action == IdleAction::none) return;
  log::info("Task {TaskId} of {UserId} {Reason}",
            {{"TaskId", task.task_id}, {"UserId", task.user_id}, {"Reason", verdict.reason}});
  if (stops) parts_.wake(task.task_id, task.user_id);
}

void IdleWatch::touch(const std::string& task_id) {
  const auto row =
      parts_.journal.reading([&](journal::Reader& reader) { return reader.task(task_id); });
  require_running(row, task_id, "touch");
  const BootTime now = parts_.clock.since_boot();
  with_use(row->task, [&](TaskUse& use) { use.touch(now); });
}

IdleReport IdleWatch::report(const std::string& task_id) {
  return judge(task_id, "explain").report;
}

void IdleWatch::extend(const std::string& task_id, Millis by, std::string_view requested_by) {
  for (int tries = 0; tries < kExtendTries; ++tries) {
    const Judged judged = judge(task_id, "extend");
    const IdleReport& report = judged.report;
    const Extension wanted = tasks::extend(report.rules, report.facts, report.verdict, by);
    if (!wanted.idle_until && !wanted.lifetime_until) {
      Error error(ErrorKind::conflict, "cannot extend task '" + task_id +
                                           "': its service is stopped neither for being idle nor "
                                           "for its age");
      error.problem = "nothing-to-extend";
      throw error;
    }
    journal::Activity extended = judged.activity;
    extended.idle_until = wanted.idle_until;
    extended.lifetime_until = wanted.lifetime_until;
    bool recorded = false;
    failpoint("extension.before_commit");
    parts_.journal.transact([&](journal::Transaction& transaction) {
      const auto row = transaction.task(task_id);
      require_running(row, task_id, "extend");
      recorded = same_limits(transaction.activity(task_id), judged.activity);
      if (!recorded) return;
      transaction.put_extension(task_id, extended);
      transaction.append(event_type::kExtended, *row, report.facts.now.wall,
                         dump_json({{"duration", format_iso8601_duration(by)},
                                    {"requestedBy", std::string(requested_by)},
                                    {"idleUntil", time_or_null(extended.idle_until)},
                                    {"lifetimeUntil", time_or_null(extended.lifetime_until)}}));
    });
    failpoint("extension.after_commit");
    if (recorded) return;
  }
  throw Error(ErrorKind::unavailable,
              "cannot extend task '" + task_id + "': too many others are just doing so");
}

}  // namespace resmgr::tasks
