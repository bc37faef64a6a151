#include "agent/journal/backup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "agent/journal/database.h"
#include "agent/journal/install.h"
#include "agent/journal/migrate.h"
#include "agent/journal/salvage.h"
#include "agent/journal/task_table.h"
#include "common/error.h"
#include "common/event.h"
#include "common/ids.h"
#include "common/json.h"

namespace resmgr::journal {
namespace {

constexpr std::string_view kAppend = "INSERT INTO events (time, type, details) VALUES (?1, ?2, ?3)";

Error cannot(const std::string& verb, const std::string& file, const std::string& cause,
             ErrorKind kind = ErrorKind::unavailable, const std::string& hint = {}) {
  return {kind, "cannot " + verb + " '" + file + "': " + cause, hint};
}

// A file with a name of its own, mode 0600; it is gone at the end unless it was given its name.
class Unnamed {
 public:
  explicit Unnamed(const std::string& name) : name_(name), path_(name + ".XXXXXX") {
    const int fd = mkstemp(path_.data());
    if (fd < 0) throw cannot("back up journal to", name_, std::strerror(errno));
    close(fd);
  }
  ~Unnamed() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  Unnamed(const Unnamed&) = delete;
  Unnamed& operator=(const Unnamed&) = delete;

  const std::string& path() const { return path_; }

  // Takes no other file's place.
  void give_name() {
    sync(path_, O_RDWR);
    if (link(path_.c_str(), name_.c_str()) != 0 &&
        (errno == EEXIST ||
         renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, name_.c_str(), RENAME_NOREPLACE) != 0)) {
      throw cannot("back up journal to", name_, std::strerror(errno),
                   errno == EEXIST ? ErrorKind::conflict : ErrorKind::unavailable);
    }
    unlink(path_.c_str());
    path_.clear();
    const std::string folder = std::filesystem::path(name_).parent_path();
    sync(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  }

 private:
  void sync(const std::string& path, int flags) const {
    const int fd = open(path.c_str(), flags | O_CLOEXEC);
    const bool good = fd >= 0 && fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) close(fd);
    if (!good) throw cannot("back up journal to", name_, std::strerror(error));
  }

  std::string name_;
  std::string path_;
};

std::string sql_text(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

void require_good(const CheckReport& report, const std::string& verb, const std::string& file) {
  if (report.good()) return;
  throw cannot(verb, file, report.faults.front(), ErrorKind::corrupt,
               "see what is left of it: resmgr-agent journal check");
}

// What it was; the journal's readers and destinations see by the new one that it is another.
std::string take_new_id(Database& database, const std::string& id, Instant now) {
  database.exec("BEGIN IMMEDIATE");
  std::string earlier;
  {
    Query query(database, kMeta, kMetaJournalId);
    if (query->step()) earlier = query->text(0);
  }
  Query(database, kSetMeta, kMetaJournalId, std::string_view(id)).run();
  const std::string details = dump_json({{"journal", id}, {"earlierJournal", earlier}});
  Query(database, kAppend, to_millis(now), std::string_view(event_type::kJournalRestored),
        std::string_view(details))
      .run();
  database.exec("COMMIT");
  return earlier;
}

}  // namespace

void back_up(const std::string& journal, const std::string& to, const CheckProgress& progress) {
  if (access(to.c_str(), F_OK) == 0) {
    throw cannot("back up journal to", to, "the file is there already", ErrorKind::conflict,
                 "name a file that is not there");
  }
  Unnamed copy(to);
  try {
    if (progress) progress("copy", 0, 0);
    Database source(journal, {.access = Database::Access::read_only});
    if (schema_version(source) == 0) throw DatabaseError::damaged();
    source.exec("VACUUM INTO " + sql_text(copy.path()));
  } catch (const DatabaseError& e) {
    throw cannot("back up journal", journal, e.cause(), e.kind(), e.hint());
  }
  require_good(check_journal(copy.path(), progress), "back up journal", journal);
  copy.give_name();
}

Installed restore(const std::string& backup, const std::string& journal, Instant now,
                  const CheckProgress& progress) {
  require_good(check_journal(backup, progress), "restore journal from", backup);
  const std::string incoming = begin_install(journal);
  back_up(backup, incoming, progress);
  Installed result;
  result.journal_id = new_uuid_v4();
  try {
    Database database(incoming, {});
    migrate(database);
    result.earlier_id = take_new_id(database, result.journal_id, now);
  } catch (const DatabaseError& e) {
    throw cannot("restore journal from", backup, e.cause(), e.kind(), e.hint());
  }
  result.aside = install(journal, now);
  return result;
}

Rebuilt rebuild(const std::string& journal, Instant now) {
  Rebuilt result;
  std::vector<Salvaged> salvaged = salvage(journal);
  const std::string incoming = begin_install(journal);
  {
    Journal made({.file = incoming});
    result.journal_id = made.id();
    result.usage_records = put_salvaged(made, std::move(salvaged), now);
    made.transact([&](Transaction& transaction) {
      transaction.append(
          event_type::kJournalRebuilt, now,
          dump_json({{"journal", result.journal_id}, {"usageRecords", result.usage_records}}));
    });
  }
  result.aside = install(journal, now);
  return result;
}

}  // namespace resmgr::journal
