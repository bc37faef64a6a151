#include "agent/journal/heartbeat.h"

#include <string_view>

#include "agent/journal/database.h"
#include "common/json.h"

namespace resmgr::journal {
namespace {

constexpr std::string_view kRead =
    "SELECT boot_id, time, since_boot, missed FROM heartbeat WHERE id = 1";
constexpr std::string_view kWrite =
    "INSERT OR REPLACE INTO heartbeat (id, boot_id, time, since_boot, missed)"
    " VALUES (1, ?1, ?2, ?3, ?4)";

std::string missed_text(const Heartbeat& heartbeat) {
  Json missed = Json::object();
  for (const auto& [task_id, moment] : heartbeat.missed) {
    missed[task_id] = {moment.boot_id, to_millis(moment.time), moment.since_boot.count()};
  }
  return dump_json(missed);
}

HostMoment missed_moment(const Json& value) {
  if (!value.is_array() || value.size() != 3 || !value[0].is_string() ||
      !value[1].is_number_integer() || !value[2].is_number_integer()) {
    throw DatabaseError::damaged();
  }
  return {value[0].get<std::string>(), instant_from_millis(value[1].get<std::int64_t>()),
          Millis{value[2].get<std::int64_t>()}};
}

}  // namespace

std::optional<Heartbeat> read_heartbeat(Database& database) {
  Query query(database, kRead);
  if (!query->step()) return std::nullopt;
  Heartbeat heartbeat;
  heartbeat.at = {std::string(query->text(0)), instant_from_millis(query->integer(1)),
                  Millis{query->integer(2)}};
  const Json missed = Json::parse(query->text(3), nullptr, false);
  if (!missed.is_object()) throw DatabaseError::damaged();
  for (const auto& [task_id, value] : missed.items()) {
    heartbeat.missed.emplace(task_id, missed_moment(value));
  }
  return heartbeat;
}

void write_heartbeat(Database& database, const Heartbeat& heartbeat) {
  const std::string missed = missed_text(heartbeat);
  Query(database, kWrite, std::string_view(heartbeat.at.boot_id), to_millis(heartbeat.at.time),
        heartbeat.at.since_boot.count(), std::string_view(missed))
      .run();
}

}  // namespace resmgr::journal
