#include "agent/journal/notes.h"

namespace resmgr::journal {
namespace {

// Keeps them apart from what the journal says of itself there.
constexpr char kPrefix[] = "note.";

constexpr std::string_view kFind = "SELECT value FROM meta WHERE key = ?1";
constexpr std::string_view kStore = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)";
constexpr std::string_view kDelete = "DELETE FROM meta WHERE key = ?1";

}  // namespace

std::optional<std::string> find_note(Database& database, std::string_view name) {
  const std::string key = kPrefix + std::string(name);
  Query query(database, kFind, key);
  if (!query->step()) return std::nullopt;
  return std::string(query->text(0));
}

void store_note(Database& database, std::string_view name, std::string_view text) {
  const std::string key = kPrefix + std::string(name);
  Query(database, kStore, key, text).run();
}

void delete_note(Database& database, std::string_view name) {
  const std::string key = kPrefix + std::string(name);
  Query(database, kDelete, key).run();
}

}  // namespace resmgr::journal
