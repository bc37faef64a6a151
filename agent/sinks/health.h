// Whether a destination can be reached, how long to leave it in peace, and one line in the log when
// that changes.
#ifndef RESMGR_AGENT_SINKS_HEALTH_H_
#define RESMGR_AGENT_SINKS_HEALTH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "agent/sinks/sink.h"
#include "agent/sinks/status.h"
#include "common/backoff.h"
#include "common/clock.h"
#include "common/guarded.h"

namespace resmgr::sinks {

// Changed by one thread, told to all.
class Health {
 public:
  Health(std::string sink, const PumpOptions& options, const Clock& clock);

  void succeed();
  // How long to wait before the next try. Either is logged once, until it has recovered.
  Millis fail(const Outcome& outcome);
  Millis refuse(const Outcome& outcome);
  // The next failure waits as the first one does.
  void forget_backoff() { backoff_.reset(); }

  bool is_down() const { return failures_ > 0; }
  // Fills state (failing, refusing, or as it was), last success and last error.
  void tell(SinkStatus& status) const;

 private:
  struct Shown {
    std::optional<SinkState> down;
    std::optional<Instant> last_success;
    std::string last_error;
    std::string hint;
    std::int64_t failures = 0;  // ever
  };
  Millis go_down(const Outcome& outcome, SinkState state);

  const std::string sink_;
  const Clock& clock_;
  Backoff backoff_;
  std::int64_t failures_ = 0;  // since it was last well
  std::optional<SinkState> logged_;
  Millis down_since_{0};  // Clock::since_boot()
  mutable Guarded<Shown> shown_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_HEALTH_H_
