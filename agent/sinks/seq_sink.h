// Seq: what happens, as events of the journal, and the agent's own log from its spool.
//
// Events go at the journal's pace, the log whenever there is no event left. What Seq does not want
// (below a level that it names) is not sent, and counts as delivered.
#ifndef RESMGR_AGENT_SINKS_SEQ_SINK_H_
#define RESMGR_AGENT_SINKS_SEQ_SINK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/sinks/clef.h"
#include "agent/sinks/seq_client.h"
#include "agent/sinks/sink.h"
#include "agent/sinks/spool.h"
#include "common/clock.h"
#include "common/log.h"

namespace resmgr::sinks {

struct SeqOptions {
  Destination destination;
  log::Level least = log::Level::information;
  Millis timeout{30'000};  // of one request
  std::int64_t spool_bytes = std::int64_t{64} << 20;
};

class SeqSink final : public Sink {
 public:
  // `spool` (null: there is none), `clock` and `profiles` (null: nobody knows the users' names)
  // must outlive it. Throws Error(config) as SeqClient.
  SeqSink(const SeqOptions& options, ClefSource source, Spool* spool, const Clock& clock,
          identity::UserProfiles* profiles = nullptr);

  std::string_view name() const override { return "seq"; }
  // 10 MB a request is what Seq takes, line feeds included.
  Limits limits() const override { return {.messages = 1'000, .bytes = std::size_t{8} << 20}; }
  bool wants(const EventView& event) const override;
  void write(const EventView& event, std::string& payload) override;
  Outcome deliver(const Batch& batch) override;
  std::optional<Millis> idle() override;
  void interrupt() noexcept override { client_.interrupt(); }

 private:
  bool is_wanted(log::Level level) const;
  bool ship_log();
  Outcome post_log(const Spool::Chunk& chunk, std::size_t& sent);
  void give_up(const Spool::Chunk& chunk, const Outcome& outcome);
  std::optional<Millis> until_level_is_due() const;

  const log::Level least_;
  const ClefSource source_;
  Spool* const spool_;
  const Clock& clock_;
  identity::UserProfiles* const profiles_;
  SeqClient client_;
  std::size_t log_limit_;         // lines at once, fewer while a bad one is looked for
  int log_rejects_in_a_row_ = 0;  // of single lines
  bool told_of_rejects_ = false;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_SEQ_SINK_H_
