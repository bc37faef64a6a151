// How the sinks do, and what one may ask of them.
#ifndef RESMGR_AGENT_SINKS_STATUS_H_
#define RESMGR_AGENT_SINKS_STATUS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/journal/cursors.h"
#include "agent/journal/journal.h"
#include "common/clock.h"

namespace resmgr::sinks {

class Pump;
class Sink;

enum class SinkState {
  current,   // it has all there is
  sending,   // behind, and moving
  failing,   // its destination is away; it is tried again and again
  refusing,  // its destination answers, and takes nothing; everything is kept
};
std::string_view to_string(SinkState state);

struct SinkStatus {
  std::string name;
  SinkState state = SinkState::current;
  std::int64_t lag_events = 0;  // of the journal, whether it wants them or not
  Millis lag{0};                // age of the oldest of these
  std::optional<Instant> last_success;
  std::string last_error;  // empty: none since it was last well; no secrets
  std::string hint;        // what to do about it
  std::int64_t dead_letters = 0;
  std::int64_t failures = 0;  // deliveries that did not come about, since the agent started
  // Events after this are kept for it, whatever the retention says.
  std::int64_t pins_after = 0;
};

struct PumpOptions {
  Millis backoff_min{1'000};
  Millis backoff_max{60'000};
  // For what is left at the stop.
  Millis last_flush{2'000};
};

// One pump a sink, each on a thread of its own. Thread-safe once run().
class Pumps {
 public:
  // Both must outlive it.
  Pumps(const PumpOptions& options, journal::Journal& journal, const Clock& clock);
  ~Pumps();  // as stop()
  Pumps(const Pumps&) = delete;
  Pumps& operator=(const Pumps&) = delete;

  // Before run().
  void add(std::unique_ptr<Sink> sink);
  // Makes these and no others pin the journal, and starts.
  void run();
  // One last try, bounded; what is not delivered then stays for the next start. Idempotent.
  void stop();

  // In the order in which they were added.
  std::vector<SinkStatus> statuses() const;

  // The last event that each of them is done with; the journal's head if there are none. What comes
  // after it is not to be pruned.
  std::int64_t pinned_to() const;

  // All of these throw Error(not_found) for a name that is not configured.

  // Tries now, whatever the backoff says.
  void wake(std::string_view name);
  // Tries each dead letter again; how many there are.
  int retry(std::string_view name);
  // Journal's CursorReader::letters().
  std::vector<journal::DeadLetter> letters(std::string_view name, std::int64_t after,
                                           int limit) const;

 private:
  Pump& find(std::string_view name) const;

  const PumpOptions options_;
  journal::Journal& journal_;
  const Clock& clock_;
  std::vector<std::unique_ptr<Pump>> pumps_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_STATUS_H_
