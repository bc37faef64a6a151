// The agent's own log, access lines and refused sign-ins among it, on its way to a log server.
#ifndef RESMGR_AGENT_SINKS_DIAGNOSTICS_H_
#define RESMGR_AGENT_SINKS_DIAGNOSTICS_H_

#include "agent/sinks/clef.h"
#include "agent/sinks/spool.h"
#include "common/log.h"

namespace resmgr::sinks {

// While it lives, the log's entries of `least` and above go to its spool as CLEF. One at a time.
class Diagnostics final : public log::Collector {
 public:
  // Throws as Spool.
  Diagnostics(SpoolOptions options, ClefSource source, log::Level least);
  ~Diagnostics() override;
  Diagnostics(const Diagnostics&) = delete;
  Diagnostics& operator=(const Diagnostics&) = delete;

  void collect(const log::Entry& entry) noexcept override;
  Spool& spool() { return spool_; }

 private:
  const ClefSource source_;
  Spool spool_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_DIAGNOSTICS_H_
