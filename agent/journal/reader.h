// What readers of the journal see of it.
#ifndef RESMGR_AGENT_JOURNAL_READER_H_
#define RESMGR_AGENT_JOURNAL_READER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/journal/activity.h"
#include "agent/journal/cursors.h"
#include "agent/journal/heartbeat.h"
#include "agent/journal/slot_row.h"
#include "agent/journal/task_row.h"
#include "agent/journal/usage_rows.h"
#include "common/clock.h"
#include "common/event.h"

namespace resmgr::journal {

struct TaskFilter {
  std::vector<TaskStatus> statuses;  // empty: any
  std::string user_id;               // empty: any
  std::string service_type;          // empty: any
  // Admitted at or after `from`, and before `to`, by the time in the task id: a UUIDv7 begins with
  // 48 bits of Unix milliseconds. It is later than created_at only where the clock stepped back.
  std::optional<Instant> from;
  std::optional<Instant> to;
  // The id begins or ends with it, as id_matches() has it (4 digits or more); empty: any.
  std::string id_part;
};

// How far the journal was pruned.
struct Pruned {
  std::int64_t events_to = 0;  // the first event that is kept has a greater number; 0 = none was
  Instant tasks_before{};      // tasks that ended before this may be gone
};

// A task's usage record as it was hashed.
struct StoredUsage {
  std::int64_t number = 0;  // the later it was stored the greater; another one after a restore
  std::string task_id;
  std::string record;  // canonical bytes (RFC 8785)
  std::string hash;    // lower-case hex SHA-256 of them
};

struct UsageFilter {
  std::string user_id;  // empty: any; costs a look at each record
  // A sink: those that it has neither a receipt nor a dead letter of; empty: any.
  std::string unanswered_by;
  std::int64_t after = 0;  // StoredUsage::number
};

// A consistent view, on a connection of its own.
class Reader {
 public:
  virtual ~Reader() = default;

  virtual std::optional<TaskRow> task(std::string_view task_id) = 0;
  // Newest first. `before` is the task id after which the page begins (empty: the first page).
  virtual std::vector<TaskRow> tasks(const TaskFilter& filter, int limit,
                                     std::string_view before) = 0;
  // Every row whose phase is not `removed`, oldest first.
  virtual std::vector<TaskRow> unsettled() = 0;
  // How many tasks there are in each status, in the order of TaskStatus.
  virtual std::vector<std::int64_t> counts() = 0;

  // Events with a greater sequence number, in order; `user_id` not empty: only those of that
  // user's tasks.
  virtual std::vector<Event> events_after(std::int64_t seq, int limit,
                                          std::string_view user_id) = 0;
  // The same of everybody's, one by one, where the database has them; ends where on_event returns
  // false. It does not use this reader. What is not asked for is empty.
  using OnEvent = std::function<bool(const EventView&)>;
  enum class Parts { all, all_but_user_and_details };
  virtual void visit_events(std::int64_t seq, int limit, Parts parts, const OnEvent& on_event) = 0;
  virtual std::vector<Event> events_of(std::string_view task_id) = 0;
  // The same, of each its number, time, type and details alone.
  virtual std::vector<Event> history_of(std::string_view task_id) = 0;

  virtual std::optional<std::string> usage_record(std::string_view task_id) = 0;
  // Those of tasks that are pruned too. By number.
  virtual std::optional<StoredUsage> usage_of(std::string_view task_id) = 0;
  virtual std::vector<StoredUsage> usage_records(const UsageFilter& filter, int limit) = 0;
  // The last event by which the journal became another one (restored, rebuilt), if it is kept.
  virtual std::optional<Event> replacement() = 0;
  // As read_usage_rows().
  virtual void usage(const UsageRange& filter, const OnUsage& on_usage) = 0;

  // The sinks' part of it.
  virtual CursorReader& cursors() = 0;
  // Empty if there never was one.
  virtual std::optional<Heartbeat> heartbeat() = 0;
  // Empty members where nothing is known.
  virtual Activity activity(std::string_view task_id) = 0;
  virtual std::optional<SlotRow> slot(std::string_view slot_id) = 0;
  // Oldest first.
  virtual std::vector<SlotRow> slots() = 0;
  // Transaction::note().
  virtual std::optional<std::string> note(std::string_view name) = 0;
  virtual Pruned pruned() = 0;
  // Tasks that ended before that time, of which nothing is left at the engine, and whose last event
  // has no greater number; oldest first.
  virtual std::vector<std::string> prunable_tasks(Instant ended_before, std::int64_t last_event,
                                                  int limit) = 0;
  // Bytes of the file that hold something; what was pruned is used again before the file grows.
  virtual std::int64_t used_bytes() = 0;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_READER_H_
