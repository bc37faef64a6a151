// An agent whose BlockchainService comes and goes: every task that ended is on the chain, and
// whoever asks sees where, and can check it without the agent.

#include <csignal>

#include "tests/e2e/fixture.h"
#include "tests/support/chain.h"
#include "tests/support/node_script.h"

namespace resmgr::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

class BlockchainE2eTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { support::ensure_hello_image(); }

  BlockchainE2eTest() {
    options_.config = "[sinks]\nbackoff_max = \"1s\"\n[blockchain]\nurl = \"" + service_->url() +
                      "/api/metrics\"\n";
    agent_ = std::make_unique<support::AgentProcess>(options_);
  }
  std::unique_ptr<support::NodeScript> make_service(const std::string& port) const {
    return std::make_unique<support::NodeScript>("blockchain_service.mjs",
                                                 std::vector<std::string>{chain_.url(), port});
  }
  void kill_service() { service_->process().signal(SIGKILL); }
  void start_service() {
    const std::string url = service_->url();
    service_.reset();
    service_ = make_service(url.substr(url.rfind(':') + 1));
  }
  // A task that ended; its usage hash.
  std::string run_and_end() {
    const auto started = agent_->cli({"start", "hello", "--quiet"});
    EXPECT_EQ(started.code, 0) << started.err;
    ids_.push_back(started.out.substr(0, started.out.find('\n')));
    EXPECT_EQ(agent_->cli({"stop", ids_.back()}).code, 0);
    return string_or(show(ids_.back()), "usageHash");
  }
  Json show(const std::string& id) const {
    return parse_json(agent_->cli({"show", id, "-o", "json"}).out, "task");
  }
  bool has_receipt(const std::string& id) const {
    return support::eventually([&] { return !array_at(show(id), "receipts").empty(); });
  }

  support::Chain chain_;
  std::unique_ptr<support::NodeScript> service_ = make_service("0");
  support::AgentOptions options_;
  std::unique_ptr<support::AgentProcess> agent_;
  std::vector<std::string> ids_;
};

TEST_F(BlockchainE2eTest, EveryTaskThatEndedIsOnTheChainOnce) {
  std::vector<std::string> hashes = {run_and_end()};
  EXPECT_TRUE(has_receipt(ids_[0]));
  kill_service();
  hashes.push_back(run_and_end());
  agent_->kill9();
  agent_->start();
  hashes.push_back(run_and_end());
  start_service();
  EXPECT_EQ(agent_->cli({"sync", "now", "blockchain"}).code, 0);
  for (const auto& id : ids_) EXPECT_TRUE(has_receipt(id));
  EXPECT_THAT(chain_.inputs(), UnorderedElementsAreArray(hashes));

  const std::string transaction = string_or(show(ids_[1])["receipts"][0], "txHash");
  EXPECT_EQ(chain_.input_of(transaction), hashes[1]);
  EXPECT_THAT(agent_->cli({"show", ids_[1], "-o", "table"}).out,
              HasSubstr("transaction " + transaction + " in block "));
  const auto verified = agent_->cli({"usage", "verify"});
  EXPECT_EQ(verified.code, 0) << verified.out;
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    EXPECT_THAT(verified.out, HasSubstr(ids_[i] + "\tok\tposted\t" + hashes[i] + "\t0x"));
  }
  // As somebody does who trusts nobody.
  support::SpawnOptions exported;
  exported.input = agent_->cli({"usage", "export", "--task", ids_[1]}).out;
  const auto digest = support::run({"sh", "-c", "jq -cSj .record | sha256sum"}, exported);
  EXPECT_THAT(digest.out, StartsWith(hashes[1] + " "));
  EXPECT_EQ(agent_->stop(), 0);
}

}  // namespace
}  // namespace resmgr::e2e
