#include "agent/journal/heartbeat.h"

#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using HeartbeatTest = JournalTest;

Heartbeat sample(Instant time) {
  return {{"boot 1", time, Millis{3'600'000}},
          {{"0190a1b2-0000-7000-8000-000000000001", {"boot 0", kNoon, Millis{5}}},
           {"0190a1b2-0000-7000-8000-000000000002", {"", kNoon, Millis{0}}}}};
}

TEST_F(HeartbeatTest, OutlivesTheProcessAndIsWrittenOver) {
  const auto stored = [&](Journal& journal) {
    return journal.reading([](Reader& reader) { return reader.heartbeat(); });
  };
  EXPECT_FALSE(stored(journal()));
  for (const Instant time : {kNoon, kNoon + Millis{10'000}}) {
    journal().transact([&](Transaction& transaction) { transaction.put_heartbeat(sample(time)); });
    EXPECT_EQ(stored(reopen()), sample(time));
  }
}

// Ten a minute for years: they must not fill the journal.
TEST_F(HeartbeatTest, IsNoEvent) {
  journal().transact([](Transaction& transaction) { transaction.put_heartbeat(sample(kNoon)); });
  EXPECT_EQ(journal().head(), 0);
}

}  // namespace
}  // namespace resmgr::journal
