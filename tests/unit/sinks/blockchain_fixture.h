// A journal whose usage records go to a BlockchainService in memory.
#ifndef RESMGR_TESTS_UNIT_SINKS_BLOCKCHAIN_FIXTURE_H_
#define RESMGR_TESTS_UNIT_SINKS_BLOCKCHAIN_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/sinks/blockchain_sink.h"
#include "tests/contract/journal_host.h"
#include "tests/fakes/fake_http_service.h"

namespace resmgr::sinks {

inline constexpr char kReceipt[] = R"({ "data": {"txHash":"0xabc", "blockNumber": 7} })";

class FakeProfiles final : public identity::UserProfiles {
 public:
  std::optional<identity::UserProfile> profile_of(const std::string& user_id) override {
    asked.push_back(user_id);
    return profile;
  }
  std::optional<identity::UserProfile> known(const std::string& /*user_id*/) override {
    return profile;
  }
  std::optional<identity::UserProfile> profile;
  std::vector<std::string> asked;
};

class BlockchainSinkTest : public testing::Test {
 protected:
  BlockchainSinkTest() { service_.answer(201, kReceipt); }
  static BlockchainOptions options() {
    BlockchainOptions options;
    options.destination.section = "blockchain";
    options.destination.url = "http://chain.example.org/api/metrics?kind=usage";
    return options;
  }
  std::unique_ptr<BlockchainSink> make_sink() {
    return std::make_unique<BlockchainSink>(options_, *host_.journal, host_.clock, &profiles_,
                                            billed_before_, service_.client());
  }
  journal::TaskRow run_and_end() {
    auto row = host_.run();
    host_.end(row);
    return row;
  }
  std::vector<journal::Receipt> receipts(const journal::TaskRow& row) const {
    return host_.journal->reading(
        [&](journal::Reader& reader) { return reader.cursors().receipts_of(row.task.task_id); });
  }
  std::vector<journal::Post> posts(const journal::TaskRow& row) const {
    return host_.journal->reading(
        [&](journal::Reader& reader) { return reader.cursors().posts_of(row.task.task_id); });
  }
  std::vector<journal::DeadLetter> letters() const { return host_.pump->letters(0, 1'000); }
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const auto& request : service_.requests())
      keys.push_back(header(request, "Idempotency-Key"));
    return keys;
  }
  static std::string header(const HttpRequest& request, std::string_view name) {
    HttpResponse holder;
    holder.headers = request.headers;
    return std::string(holder.header(name));
  }
  // As the retention does, while the sink is away for too long.
  void prune_all_events() const {
    host_.journal->transact([&](journal::Transaction& transaction) {
      transaction.prune_events(host_.journal->head());
    });
  }

  BlockchainOptions options_ = options();
  FakeHttpService service_;
  FakeProfiles profiles_;
  BilledBefore billed_before_;
  JournalHost host_{"here", [this] { return make_sink(); }};
};

}  // namespace resmgr::sinks

#endif  // RESMGR_TESTS_UNIT_SINKS_BLOCKCHAIN_FIXTURE_H_
