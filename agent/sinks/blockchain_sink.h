// BlockchainService: one POST for each task whose container ran and ended, under the hash of its
// usage record, which is the key of all its repetitions.
//
// What is sent is in the journal before it is sent for the first time, and stays the same until it
// is answered: a service that answered too late, or died before it could, gets the same bytes under
// the same key.
#ifndef RESMGR_AGENT_SINKS_BLOCKCHAIN_SINK_H_
#define RESMGR_AGENT_SINKS_BLOCKCHAIN_SINK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/identity/user_profiles.h"
#include "agent/journal/journal.h"
#include "agent/sinks/sink.h"
#include "common/clock.h"
#include "common/destination.h"
#include "common/http.h"
#include "common/http_call.h"

namespace resmgr::sinks {

struct BlockchainOptions {
  Destination destination;  // its URL is the whole one
  Millis timeout{30'000};   // of one post
};

// The hash under which an earlier journal's record of the task is known to exist; empty: nobody
// knows of one. Called on the pump's thread; may take some seconds, must not throw.
using BilledBefore = std::function<std::optional<std::string>(const std::string& task_id)>;

class BlockchainSink final : public Sink {
 public:
  // What it refers to must outlive it. Without `profiles` a user's id stands for the name, without
  // `billed_before` nobody knows. `client` is for tests; null: the one for the destination. Throws
  // as make_http_client().
  BlockchainSink(const BlockchainOptions& options, journal::Journal& journal, const Clock& clock,
                 identity::UserProfiles* profiles, BilledBefore billed_before = {},
                 std::unique_ptr<HttpClient> client = nullptr);

  std::string_view name() const override { return kName; }
  Limits limits() const override { return {.messages = 1, .bytes = std::size_t{1} << 20}; }
  // The end of a task that it has not answered for yet.
  bool wants(const EventView& event) const override;
  // The body, as far as the journal knows it: names of users come with the first delivery.
  void write(const EventView& event, std::string& payload) override;
  Outcome deliver(const Batch& batch) override;
  std::vector<Event> left_over(int limit) override;
  void interrupt() noexcept override { caller_.interrupt(); }

  static constexpr std::string_view kName = "blockchain";

 private:
  std::optional<Outcome> hold(const Message& message, const journal::StoredUsage& usage) const;
  Outcome adopt_or_hold(const Message& message, const Outcome& held) const;
  std::string body_of(const journal::StoredUsage& usage);
  Outcome outcome_of(const HttpResponse& response, const Message& message);
  std::string told_by(const HttpResponse& response) const;

  const BlockchainOptions options_;
  const SplitUrl url_;
  journal::Journal& journal_;
  const Clock& clock_;
  identity::UserProfiles* const profiles_;
  const BilledBefore billed_before_;
  HttpCaller caller_;
  std::int64_t left_over_from_ = 0;  // records up to this one are all answered
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_BLOCKCHAIN_SINK_H_
