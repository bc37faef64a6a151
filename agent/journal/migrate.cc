#include "agent/journal/migrate.h"

#include <cstdint>
#include <string>

#include "common/error.h"
#include "common/failpoint.h"

namespace resmgr::journal {
namespace {

// 'rsmj' in the file's header (https://www.sqlite.org/fileformat2.html#application_id): tells a
// journal from other programs' databases.
constexpr std::int64_t kApplicationId = 0x72736d6a;

void refuse_foreign(Database& database) {
  if (database.integer("PRAGMA application_id") == kApplicationId) return;
  if (database.integer("SELECT count(*) FROM sqlite_schema") == 0) return;
  throw Error(ErrorKind::corrupt, "it is a database of another program",
              "name another data directory");
}

// Another process may have migrated since the version was read: it is read again under the lock.
void apply(Database& database, const Migration& step) {
  database.exec("BEGIN IMMEDIATE");
  try {
    if (database.integer("PRAGMA user_version") < step.version) {
      database.exec(step.sql);
      database.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
      database.exec("PRAGMA user_version = " + std::to_string(step.version));
    }
    failpoint("journal.before_migration");
    database.exec("COMMIT");
    failpoint("journal.after_migration");
  } catch (...) {
    database.roll_back();
    throw;
  }
}

}  // namespace

int schema_version(Database& database, std::span<const Migration> steps) {
  refuse_foreign(database);
  const auto version = database.integer("PRAGMA user_version");
  const auto newest = static_cast<std::int64_t>(steps.size());
  if (version > newest) {
    throw Error(ErrorKind::corrupt,
                "its schema has version " + std::to_string(version) +
                    ", and this program knows versions up to " + std::to_string(newest),
                "use the resmgr that wrote it, or a newer one");
  }
  return static_cast<int>(version);
}

void migrate(Database& database, std::span<const Migration> steps) {
  const int version = schema_version(database, steps);
  for (const Migration& step : steps.subspan(static_cast<std::size_t>(version))) {
    apply(database, step);
  }
}

}  // namespace resmgr::journal
