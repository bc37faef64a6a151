// When the agent last saw its containers alive. It bounds the end of one that the engine can't
// tell.
#ifndef RESMGR_AGENT_JOURNAL_HEARTBEAT_H_
#define RESMGR_AGENT_JOURNAL_HEARTBEAT_H_

#include <map>
#include <optional>
#include <string>

#include "common/clock.h"

namespace resmgr::journal {

class Database;

// A point of time on the host's clocks.
struct HostMoment {
  std::string boot_id;   // empty: not known
  Instant time{};        // the wall clock, as it was then
  Millis since_boot{0};  // in that boot
  bool operator==(const HostMoment&) const = default;
};

struct Heartbeat {
  HostMoment at;
  // By task id: those that ran and were not seen alive at that time, with when they were.
  std::map<std::string, HostMoment> missed;
  bool operator==(const Heartbeat&) const = default;
};

// Empty if there never was one.
std::optional<Heartbeat> read_heartbeat(Database& database);
void write_heartbeat(Database& database, const Heartbeat& heartbeat);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_HEARTBEAT_H_
