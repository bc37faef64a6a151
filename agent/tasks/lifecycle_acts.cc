// What a task's lane does at the engine.

#include <algorithm>
#include <utility>

#include "agent/engine/labels.h"
#include "agent/tasks/container_spec.h"
#include "agent/tasks/lifecycle_run.h"
#include "agent/tasks/readiness.h"
#include "agent/tasks/usage.h"
#include "common/failpoint.h"
#include "common/log.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using journal::Phase;

constexpr int kOutputTries = 3;
// That its container has started is not kept from the record for longer.
constexpr Millis kFirstLook{50};
constexpr Millis kDefaultStopTimeout{10'000};

}  // namespace

Next Lifecycle::Run::create() {
  const catalog::Service* wanted = service();
  if (wanted == nullptr) {
    return fail_start(ErrorKind::rejected, "its service is no longer in the catalog");
  }
  if (wanted->pull == catalog::PullPolicy::always && !memory_.pulled) return pull(wanted->image);
  if (!has_start_slot_) {
    enter(StartStep::queued);
    return Next::start_slot();
  }
  enter(StartStep::creating);
  memory_.create_in_doubt = true;
  try {
    failpoint("engine.before_create");
    const auto spec = container_spec(parts_.options, *wanted, *row_);
    const std::string id = timed([&] { return parts_.engine.create(spec); });
    failpoint("engine.after_create");
    memory_.create_in_doubt = false;
    memory_.created_at = parts_.clock.now();
    Observation made{Observation::Kind::present, {}};
    made.container.id = id;
    memory_.seen = made;
    return start();
  } catch (const Error& error) {
    switch (error.kind()) {
      case ErrorKind::conflict:  // an earlier create of ours got there first, or a foreign one
        memory_.create_in_doubt = false;
        return look_again();
      case ErrorKind::not_found:
        memory_.create_in_doubt = false;
        if (wanted->pull == catalog::PullPolicy::never || memory_.pulled) {
          return fail_start(ErrorKind::rejected, error.message());
        }
        return pull(wanted->image);
      case ErrorKind::rejected:
        memory_.create_in_doubt = false;
        return fail_start(ErrorKind::rejected, error.message());
      default:
        throw;
    }
  }
}

Next Lifecycle::Run::start() {
  if (!has_start_slot_) {
    enter(StartStep::queued);
    // A start of before, whose answer got lost, may come true until then, and the container end.
    memory_.seen.reset();
    return Next::start_slot();
  }
  enter(StartStep::starting);
  using Came = ContainerStart::Came;
  const auto came = timed([&] {
    return memory_.start.attempt(parts_.engine, parts_.session, memory_.seen->container.id,
                                 parts_.options.port_range);
  });
  if (came == Came::to_nothing) return fail_start(ErrorKind::rejected, memory_.start.reason());
  return look_again();
}

Next Lifecycle::Run::pull(const std::string& image) {
  auto& lifecycle = lifecycle_;
  lifecycle.starts_.enter(task_id_, StartStep::pulling, image);
  lifecycle_.puller_.pull(image, [&lifecycle, task_id = task_id_,
                                  user_id = row_->task.user_id](const std::optional<Error>& error) {
    const Instant now = lifecycle.parts_.clock.now();
    lifecycle.hint(task_id, [&](Hints& hints) {
      hints.pulled = true;
      hints.pulled_at = now;
      hints.pull_error = error;
    });
    lifecycle.lanes_->wake(task_id, user_id);
  });
  return Next::parked();
}

bool Lifecycle::Run::answers_at_once(int port) {
  const catalog::Service* wanted = service();
  if (wanted == nullptr) return false;
  enter(StartStep::probing);
  memory_.probing.begin();
  return is_ready(parts_.options, *wanted, task_id_, port, kFirstLook);
}

Next Lifecycle::Run::probe() {
  const catalog::Service* wanted = service();
  if (wanted == nullptr) {
    return fail_start(ErrorKind::rejected, "its service is no longer in the catalog");
  }
  enter(StartStep::probing);
  memory_.probing.begin();
  const int port = row_->task.container_port;
  if (is_ready(parts_.options, *wanted, row_->task.task_id, port)) return record_ready();
  if (memory_.probing.lasted() >= wanted->start_timeout) {
    return fail_start(ErrorKind::not_ready, no_answer(*wanted));
  }
  return Next::after(memory_.probing.next(wanted->probe.interval));
}

// CPU time and peak memory vanish with the container's end: the last sample is taken just before.
void Lifecycle::Run::sample_usage() {
  try {
    const auto stats = parts_.engine.stats(memory_.seen->container.id);
    if (stats) memory_.sample = sample_of(*stats, row_->warm, parts_.clock.now());
  } catch (const Error& error) {
    log::debug("Task {TaskId}: no usage sample before the stop: {Reason}",
               {{"TaskId", task_id_}, {"Reason", error.message()}});
  }
}

Next Lifecycle::Run::stop() {
  const catalog::Service* wanted = row_ ? service() : nullptr;
  if (row_ && row_->phase == Phase::stopping) sample_usage();
  try {
    failpoint("engine.before_stop");
    parts_.engine.stop(memory_.seen->container.id,
                       wanted != nullptr ? wanted->stop_timeout : kDefaultStopTimeout);
    failpoint("engine.after_stop");
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) return look_again();
    throw;
  }
  return look_again();
}

// What it has used by now is not the task's. Whose it is now, the slot's lane tells the engine once
// the user was answered.
Next Lifecycle::Run::take_over() {
  const engine::ContainerState seen = memory_.seen->container;
  const auto used = timed([&] { return parts_.engine.stats(seen.id); });
  if (!used) return retry_later();
  return record_taken_over(seen, *used);
}

// A create that was sent, and whose answer nobody has, may still come true. Issued again under the
// same name it does so before this one is answered, or is answered by this one.
Next Lifecycle::Run::settle_create() {
  const catalog::Service* wanted = service();
  if (wanted != nullptr) {
    try {
      failpoint("engine.before_settle");
      parts_.engine.create(container_spec(parts_.options, *wanted, *row_));
      failpoint("engine.after_settle");
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::unavailable) throw;
    }
  }
  memory_.create_in_doubt = false;
  return look_again();
}

Next Lifecycle::Run::discard() {
  try {
    failpoint("engine.before_discard");
    parts_.engine.remove(memory_.seen->container.id);
    failpoint("engine.after_discard");
  } catch (const Error& error) {
    // A start that was under way has come true.
    if (error.kind() == ErrorKind::conflict) return look_again();
    throw;
  }
  memory_.create_in_doubt = false;
  memory_.seen = Observation{Observation::Kind::absent, {}};
  return Next::again();
}

Next Lifecycle::Run::clear() {
  const std::string id = memory_.seen->container.id;
  if (row_->phase == Phase::ended) {
    try {
      if (parts_.journal.out_of_space()) {
        throw Error(ErrorKind::unavailable, "what is left of the disk is the journal's");
      }
      lifecycle_.log_tails_.keep(parts_.engine, id, task_id_);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::unavailable && !parts_.session.trusted()) throw;
      // After the removal it is gone: one bad answer is not the last word.
      const bool may_come = error.kind() != ErrorKind::not_found && !parts_.journal.out_of_space();
      if (may_come && ++memory_.output_tries < kOutputTries) return retry_later();
      log::warning("Output of task {TaskId} could not be kept: {Reason}",
                   {{"TaskId", task_id_}, {"Reason", error.message()}});
    }
  }
  try {
    failpoint("engine.before_remove");
    parts_.engine.remove(id);
    failpoint("engine.after_remove");
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::conflict) return retry_later();
    throw;
  }
  // What appeared after the end was on record has nobody else who would.
  if (row_->phase == Phase::removed) remove_volumes(row_->task);
  memory_.seen = Observation{Observation::Kind::absent, {}};
  return Next::again();
}

void Lifecycle::Run::remove_volumes(const Task& task) {
  if (!catalog_) catalog_ = parts_.catalog();
  const catalog::Service* wanted = catalog_->find(task.service_type);
  if (wanted == nullptr) return;
  for (const auto& volume : task_volumes(*wanted, task)) {
    if (volume.keep) continue;
    try {
      failpoint("engine.before_remove_volume");
      parts_.engine.remove_volume(volume.name);
      failpoint("engine.after_remove_volume");
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::unavailable) throw;
      log::debug("Volume {Volume} stays: {Reason}",
                 {{"Volume", volume.name}, {"Reason", error.message()}});
    }
  }
}

}  // namespace resmgr::tasks
