// Holds the stand-in for Seq, to which the sink is held, to a client that others wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/contract/seq_server.h"
#include "tests/support/subprocess.h"

namespace resmgr::support {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::string log_to(const SeqServer& server, const std::string& key) {
  SpawnOptions options;
  options.env = {{"RESMGR_NPM_DIR", RESMGR_NPM_DIR}};
  const Finished finished =
      run({"node", RESMGR_SCRIPTS "/serilogger_client.mjs", server.url(), key}, options);
  EXPECT_EQ(finished.code, 0) << finished.err << "\nWas tests/npm/install run?";
  return finished.out;
}

TEST(SeqServer, TakesWhatSeriloggerSends) {
  SeqServer server;
  server.require_key("key");
  server.set_minimum_level("Warning");
  EXPECT_EQ(log_to(server, "key"), "[201,201,201,201]\n") << server.last_fault();
  auto events = server.events();
  ASSERT_THAT(events, SizeIs(4));
  std::vector<std::string> templates;
  for (const Json& event : events) templates.push_back(string_or(event, "@mt"));
  EXPECT_THAT(templates, UnorderedElementsAre("Task {TaskId} started for {UserId}",
                                              "Task {TaskId} took {Millis} ms",
                                              "Task {TaskId} failed", "At the level: {Number}"));
  const auto failed = std::ranges::find_if(
      events, [](const Json& event) { return event["@mt"] == "Task {TaskId} failed"; });
  ASSERT_NE(failed, events.end());
  EXPECT_EQ((*failed)["@l"], "Error");
  EXPECT_EQ((*failed)["TaskId"], "abc");
  EXPECT_THAT((*failed)["@x"].get<std::string>(), HasSubstr("boom"));
}

TEST(SeqServer, RefusesSeriloggerWithoutAKey) {
  SeqServer server;
  server.require_key("key");
  EXPECT_THAT(log_to(server, "another"), HasSubstr("[401,401,401,401"));
  EXPECT_THAT(server.events(), SizeIs(0));
}

}  // namespace
}  // namespace resmgr::support
