#include "agent/journal/check.h"

#include <utility>

#include "agent/journal/database.h"
#include "agent/journal/migrate.h"
#include "agent/journal/replay.h"
#include "agent/journal/snapshot_reader.h"
#include "agent/journal/task_table.h"
#include "common/crypto.h"
#include "common/error.h"
#include "common/ids.h"
#include "common/jcs.h"
#include "common/json.h"

namespace resmgr::journal {
namespace {

// Of each kind; more of the same say nothing new.
constexpr int kMostFaults = 20;
constexpr int kPage = 500;

constexpr std::string_view kUsagePage =
    "SELECT task_id, record, hash FROM usage_records WHERE task_id > ?1 ORDER BY task_id LIMIT ?2";
constexpr std::string_view kUnbilled =
    "SELECT task_id FROM tasks WHERE usage_hash <> '' AND NOT EXISTS"
    " (SELECT 1 FROM usage_records AS u WHERE u.task_id = tasks.task_id AND u.hash = usage_hash)"
    " ORDER BY task_id";
constexpr std::string_view kHashless =
    "SELECT task_id FROM usage_records AS u WHERE EXISTS"
    " (SELECT 1 FROM tasks WHERE tasks.task_id = u.task_id AND tasks.usage_hash <> u.hash)"
    " ORDER BY task_id";
constexpr std::string_view kUnknownEvents =
    "SELECT CAST(max(seq) AS TEXT) FROM events"
    " HAVING max(seq) > (SELECT seq FROM sqlite_sequence WHERE name = 'events')";

class Check {
 public:
  Check(Database& database, CheckReport& report, const CheckProgress& progress)
      : database_(database), report_(report), progress_(progress) {}

  void run() {
    tell("schema");
    report_.schema_version = schema_version(database_);
    if (report_.schema_version == 0) return fault("the file holds no journal");
    tell("pages");
    const auto pages = database_.texts("PRAGMA integrity_check(20)", kMostFaults);
    if (pages != std::vector<std::string>{"ok"}) {
      for (const std::string& page : pages) fault("pages: " + page);
      return;
    }
    tell("references");
    for (const std::string& table : database_.texts("PRAGMA foreign_key_check", kMostFaults)) {
      fault("references: a row of " + table + " refers to a row that is not there");
    }
    if (report_.schema_version < static_cast<int>(migrations().size())) {
      report_.notes.push_back("its schema has version " + std::to_string(report_.schema_version) +
                              ", older than this program's: rows were not compared with events");
      return;
    }
    look_at_rows();
  }

 private:
  void look_at_rows() {
    find_identity();
    report_.tasks = database_.integer("SELECT count(*) FROM tasks");
    report_.events = database_.integer("SELECT count(*) FROM events");
    report_.usage_records = database_.integer("SELECT count(*) FROM usage_records");
    tell("rows and events", 0, report_.tasks + report_.events);
    SnapshotReader reader(database_);
    auto differences = compare_with_replay(reader);
    if (std::ssize(differences) > kMostFaults) differences.resize(kMostFaults);
    for (std::string& difference : differences) fault(std::move(difference));
    for (const std::string& seq : database_.texts(kUnknownEvents, 1)) {
      fault("event " + seq + " has a number that was never given out");
    }
    look_at_usage();
  }

  void find_identity() {
    Query query(database_, kMeta, kMetaJournalId);
    if (query->step()) report_.journal_id = query->text(0);
    if (!parse_uuid(report_.journal_id)) fault("the journal has no id");
  }

  void look_at_usage() {
    std::string last;
    std::int64_t done = 0;
    for (int found = kPage; found == kPage;) {
      tell("usage records", done, report_.usage_records);
      found = 0;
      Query query(database_, kUsagePage, std::string_view(last), kPage);
      std::string next;
      while (query->step()) {
        ++found;
        next = query->text(0);
        look_at_record(next, query->text(1), query->text(2));
      }
      done += found;
      last = next;
    }
    for (const std::string& id : database_.texts(kUnbilled, kMostFaults)) {
      fault("task " + id + " ended, and its usage record is missing or another one");
    }
    for (const std::string& id : database_.texts(kHashless, kMostFaults)) {
      fault("task " + id + " has a usage record that its row does not name");
    }
  }

  void look_at_record(const std::string& task_id, std::string_view record, std::string_view hash) {
    if (bad_records_ == kMostFaults) return;
    std::string wrong;
    const Json json = Json::parse(record, nullptr, false);
    if (sha256_hex(record) != hash) {
      wrong = "its hash is that of other bytes";
    } else if (!is_canonical(json, record)) {
      wrong = "it is not canonical JSON";
    } else if (string_or(json, "taskId") != task_id) {
      wrong = "it is that of another task";
    }
    if (wrong.empty()) return;
    ++bad_records_;
    fault("usage record of task " + task_id + ": " + wrong);
  }

  static bool is_canonical(const Json& json, std::string_view record) {
    try {
      return json.is_object() && canonical_json(json) == record;
    } catch (const Error&) {
      return false;
    }
  }

  void tell(std::string_view what, std::int64_t done = 0, std::int64_t of = 0) const {
    if (progress_) progress_(what, done, of);
  }
  void fault(std::string text) { report_.faults.push_back(std::move(text)); }

  Database& database_;
  CheckReport& report_;
  const CheckProgress& progress_;
  int bad_records_ = 0;
};

}  // namespace

CheckReport check_journal(const std::string& file, const CheckProgress& progress) {
  CheckReport report;
  try {
    Database database(file, {.access = Database::Access::read_only});
    database.exec("BEGIN");
    Check(database, report, progress).run();
  } catch (const DatabaseError& e) {
    if (e.kind() != ErrorKind::corrupt) {
      throw Error(e.kind(), "cannot check journal '" + file + "': " + e.cause(), e.hint());
    }
    report.faults.push_back(e.cause());
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::unavailable) throw;
    report.faults.push_back(e.message());
  }
  return report;
}

}  // namespace resmgr::journal
