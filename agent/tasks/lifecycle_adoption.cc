// What a task's lane makes of a container that the journal does not know.

#include "agent/engine/labels.h"
#include "agent/tasks/lifecycle_run.h"
#include "common/event.h"
#include "common/failpoint.h"
#include "common/ids.h"
#include "common/log.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using journal::TaskRow;
using journal::Transaction;

}  // namespace

// The journal was restored or replaced: its labels say what the container is.
Next Lifecycle::Run::adopt() {
  const engine::ContainerState& found = memory_.seen->container;
  const auto label = [&](const char* name) {
    const auto value = found.labels.find(name);
    return value == found.labels.end() ? std::string() : value->second;
  };
  TaskRow row;
  row.task.task_id = task_id_;
  const auto whose = engine::belonging_of(found.labels, found.name, parts_.options.agent_id)
                         .value_or(engine::Belonging{});
  row.task.user_id = whose.user_id;
  row.task.service_type = label(engine::kLabelServiceType);
  row.task.host = parts_.options.host_name;
  row.task.created_at =
      parse_rfc3339(label(engine::kLabelCreatedAt)).value_or(found.started_at.value_or(Instant{}));
  // A warm container was made before its task, whose id says when it was claimed.
  row.warm.slot_id = whose.slot_id;
  if (!whose.slot_id.empty()) row.task.created_at = time_of_uuid_v7(task_id_);
  row.spec_hash = label(engine::kLabelSpecHash);
  const bool ran = found.alive() || found.started_at;
  if (ran) {
    apply_started(row, found);
    if (!row.warm.slot_id.empty()) {
      row.task.start_time = row.task.created_at;
      row.warm.container_started_at = found.started_at;
    }
  } else {
    // That it is to go is an intent like any other: its volumes go after it, and by then nothing
    // but the journal knows of them.
    apply_stop_intent(row, ended_by::kStartFailed, to_string(ErrorKind::internal),
                      "was never started, and the journal did not know it");
  }
  // Nobody else says what it reserves of the host; a service that has changed since may be wrong.
  const auto catalog = parts_.catalog();
  if (const catalog::Service* known = catalog->find(row.task.service_type)) {
    row.memory_bytes = known->memory_bytes;
    row.cpus = known->cpus;
  }
  const Instant now = parts_.clock.now();
  failpoint("adoption.before_commit");
  parts_.journal.transact([&](Transaction& transaction) {
    if (transaction.task(task_id_)) return;
    transaction.insert(row);
    transaction.append(ran ? event_type::kStarted : event_type::kStopRequested, row, now,
                       dump_json({{"adopted", true}}));
  });
  failpoint("adoption.after_commit");
  log::warning("Adopted the container of task {TaskId}, which the journal did not know",
               {{"TaskId", task_id_}});
  return look_again();
}

}  // namespace resmgr::tasks
