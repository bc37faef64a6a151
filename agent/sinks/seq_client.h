// One request to Seq's ingestion endpoint, and what its answer means.
#ifndef RESMGR_AGENT_SINKS_SEQ_CLIENT_H_
#define RESMGR_AGENT_SINKS_SEQ_CLIENT_H_

#include <optional>
#include <string>

#include "agent/sinks/sink.h"
#include "common/clock.h"
#include "common/destination.h"
#include "common/http_call.h"
#include "common/log.h"

namespace resmgr::sinks {

class SeqClient {
 public:
  // `timeout` limits the whole of a request. `clock` must outlive it. Throws Error(config) as
  // make_http_client().
  SeqClient(const Destination& destination, Millis timeout, const Clock& clock);

  // Lines of CLEF with a line feed between each two; none at all: only the level is asked for.
  // Rejected means that one of the lines is to blame, or that they are too many. Never throws.
  Outcome post(std::string lines);

  // What is below it Seq does not want, as it said last; empty: it wants all.
  std::optional<log::Level> minimum_level() const { return minimum_level_; }
  // Clock::since_boot() of the last answer that told; empty before the first one.
  std::optional<Millis> asked_at() const { return asked_at_; }

  void interrupt() noexcept { caller_.interrupt(); }

 private:
  Outcome take(const HttpResponse& response);

  const Secret api_key_;
  const Clock& clock_;
  HttpCaller caller_;
  std::optional<log::Level> minimum_level_;
  std::optional<Millis> asked_at_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_SEQ_CLIENT_H_
