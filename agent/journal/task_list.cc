#include "agent/journal/task_list.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "agent/journal/task_table.h"

namespace resmgr::journal {
namespace {

// Ids are hexadecimal digits and hyphens: this is above all of them, and so is an id's beginning
// with it behind above all ids that begin so.
constexpr char kAboveDigits[] = "~";

// Room for so many rows is made ahead; a row is big to move.
constexpr std::size_t kUsualPage = 100;

using Statuses = std::bitset<kTaskStatuses.size()>;

constexpr std::size_t index_of(TaskStatus status) { return static_cast<std::size_t>(status); }

Statuses statuses_of(const TaskFilter& filter) {
  Statuses wanted;
  for (const TaskStatus status : filter.statuses) wanted.set(index_of(status));
  return wanted.none() ? wanted.set() : wanted;
}

Statuses active_statuses() {
  Statuses active;
  for (const TaskStatus status : kTaskStatuses) active.set(index_of(status), is_active(status));
  return active;
}

// Ids in [from, to).
struct Range {
  std::string from;
  std::string to = kAboveDigits;

  void raise(std::string_view least) { from = std::max<std::string>(from, std::string(least)); }
  void lower(std::string_view beyond) { to = std::min<std::string>(to, std::string(beyond)); }
};

Range range_of(const TaskFilter& filter, std::string_view before) {
  Range range;
  if (filter.from) range.raise(id_floor(*filter.from));
  if (filter.to) range.lower(id_floor(*filter.to));
  if (!before.empty()) range.lower(before);
  return range;
}

// The part as ids are written; empty if it has fewer than 4 digits, and so means none.
std::string normal_part(std::string_view part) {
  constexpr std::ptrdiff_t kLeastDigits = 4;
  std::string normal;
  for (const char c : part) {
    normal += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const auto hyphens = std::count(normal.begin(), normal.end(), '-');
  if (std::ssize(normal) - hyphens < kLeastDigits) normal.clear();
  return normal;
}

// One index to walk down.
struct Walk {
  enum Rows { all, active, failed } rows;
  bool of_user;
  bool of_service;
  bool some_statuses;  // of those that the rows may have
};
constexpr std::size_t kWalks = 3 * 2 * 2 * 2;

std::string statement_of(const Walk& walk) {
  constexpr std::string_view kIndexes[][4] = {
      {"tasks_by_id", "tasks_of_service", "tasks_of_user", "tasks_of_user_and_service"},
      {"tasks_active", "tasks_active", "tasks_active_of_user", "tasks_active_of_user"},
      {"tasks_failed", "tasks_failed", "tasks_failed_of_user", "tasks_failed_of_user"}};
  const std::size_t columns = (walk.of_user ? 2U : 0U) + (walk.of_service ? 1U : 0U);
  std::string sql = "SELECT " RESMGR_TASK_COLUMNS " FROM tasks INDEXED BY ";
  sql += kIndexes[walk.rows][columns];
  sql += " WHERE task_id >= ?1 AND task_id < ?2";
  if (walk.rows == Walk::active) sql += " AND status IN ('Starting', 'Running', 'Stopping')";
  if (walk.rows == Walk::failed) sql += " AND status = 'Error'";
  if (walk.of_user) sql += " AND user_id = ?4";
  if (walk.of_service) sql += " AND service_type = ?5";
  if (walk.some_statuses) sql += " AND status IN (?6, ?7, ?8, ?9)";
  sql += " ORDER BY task_id DESC LIMIT ?3";
  return sql;
}

std::string_view cached_statement_of(const Walk& walk) {
  static const auto kStatements = [] {
    std::array<std::string, kWalks> all;
    for (std::size_t i = 0; i < kWalks; ++i) {
      all[i] =
          statement_of({static_cast<Walk::Rows>(i >> 3), (i & 4) != 0, (i & 2) != 0, (i & 1) != 0});
    }
    return all;
  }();
  return kStatements[static_cast<std::size_t>(walk.rows) << 3 | (walk.of_user ? 4U : 0U) |
                     (walk.of_service ? 2U : 0U) | (walk.some_statuses ? 1U : 0U)];
}

// The walks that find every row with a wanted status. Nearly all rows are Stopped, so these have
// no index of their own: the walk passes over the others.
std::vector<Walk> walks_for(const TaskFilter& filter, const Statuses& wanted) {
  const bool of_user = !filter.user_id.empty();
  const bool of_service = !filter.service_type.empty();
  const auto walk = [&](Walk::Rows rows, bool some) {
    return Walk{rows, of_user, of_service, some};
  };
  if (wanted.all() || wanted.test(index_of(TaskStatus::stopped))) {
    return {walk(Walk::all, !wanted.all())};
  }
  std::vector<Walk> walks;
  const Statuses active = wanted & active_statuses();
  if (active.any()) walks.push_back(walk(Walk::active, active != active_statuses()));
  if (wanted.test(index_of(TaskStatus::error))) walks.push_back(walk(Walk::failed, false));
  return walks;
}

// At most four: five are all, which no walk looks at.
void bind_statuses(Statement& statement, const Statuses& wanted) {
  constexpr int kFirst = 6;
  constexpr int kLast = 9;
  int index = kFirst;
  for (const TaskStatus status : kTaskStatuses) {
    if (wanted.test(index_of(status))) statement.bind(index++, to_string(status));
  }
  for (; index <= kLast; ++index) statement.bind(index, nullptr);
}

void collect(Database& database, const Walk& walk, const TaskFilter& filter, const Statuses& wanted,
             const Range& range, int limit, std::vector<TaskRow>& into) {
  Query query(database, cached_statement_of(walk), range.from, range.to, limit);
  if (walk.of_user) query->bind(4, filter.user_id);
  if (walk.of_service) query->bind(5, filter.service_type);
  if (walk.some_statuses) bind_statuses(*query, wanted);
  into.reserve(into.size() + std::min<std::size_t>(static_cast<std::size_t>(limit), kUsualPage));
  while (query->step()) into.push_back(read_task(*query));
}

// Those that end with `part`. The index is over the last 12 digits, from the end on; among a
// million ids four digits leave about fifteen.
void collect_ending(Database& database, std::string_view part, const TaskFilter& filter,
                    const Statuses& wanted, const Range& range, std::vector<TaskRow>& into) {
  constexpr std::size_t kIndexed = 12;
  constexpr std::string_view kEnding =
      "SELECT " RESMGR_TASK_COLUMNS
      " FROM tasks INDEXED BY tasks_by_tail"
      " WHERE tail >= ?1 AND tail < ?2 AND task_id >= ?3 AND task_id < ?4";
  const std::string_view last = part.substr(part.size() - std::min(part.size(), kIndexed));
  const std::string least(last.rbegin(), last.rend());
  const std::string beyond = least + kAboveDigits;
  Query query(database, kEnding, least, beyond, range.from, range.to);
  while (query->step()) {
    TaskRow row = read_task(*query);
    const Task& task = row.task;
    const bool fits = std::string_view(task.task_id).ends_with(part) &&
                      (filter.user_id.empty() || task.user_id == filter.user_id) &&
                      (filter.service_type.empty() || task.service_type == filter.service_type) &&
                      wanted.test(index_of(task.status));
    if (fits) into.push_back(std::move(row));
  }
}

// Rows of several sources as one page.
void merge(std::vector<TaskRow>& rows, std::size_t limit) {
  const auto id = [](const TaskRow& row) -> const std::string& { return row.task.task_id; };
  std::ranges::sort(rows, std::ranges::greater{}, id);
  const auto is_same = [&](const TaskRow& a, const TaskRow& b) { return id(a) == id(b); };
  rows.erase(std::unique(rows.begin(), rows.end(), is_same), rows.end());
  if (rows.size() > limit) rows.resize(limit);
}

}  // namespace

std::string id_floor(Instant time) {
  constexpr std::int64_t kBeyond = std::int64_t{1} << 48;
  const std::int64_t millis = to_millis(time);
  if (millis <= 0) return "";
  if (millis >= kBeyond) return kAboveDigits;
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%08llx-%04llx",
                                   static_cast<unsigned long long>(millis >> 16),
                                   static_cast<unsigned long long>(millis & 0xffff));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::vector<TaskRow> list_tasks(Database& database, const TaskFilter& filter, int limit,
                                std::string_view before) {
  std::vector<TaskRow> rows;
  if (limit <= 0) return rows;
  const Statuses wanted = statuses_of(filter);
  Range range = range_of(filter, before);
  std::size_t sources = 0;
  if (!filter.id_part.empty()) {
    const std::string part = normal_part(filter.id_part);
    if (part.empty()) return rows;
    collect_ending(database, part, filter, wanted, range, rows);
    ++sources;
    range.raise(part);
    range.lower(part + kAboveDigits);
  }
  for (const Walk& walk : walks_for(filter, wanted)) {
    collect(database, walk, filter, wanted, range, limit, rows);
    ++sources;
  }
  if (sources > 1) merge(rows, static_cast<std::size_t>(limit));
  return rows;
}

}  // namespace resmgr::journal
