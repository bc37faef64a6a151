// SQLite's write-ahead log: it is moved into the file and begun anew as soon as readers allow.

#include <gmock/gmock.h>

#include "agent/journal/replay.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::IsEmpty;

constexpr std::uintmax_t kMebibyte = 1 << 20;

class LogTest : public JournalTest {
 protected:
  // In commits of about half a mebibyte.
  void write_mebibytes(int count) {
    const std::string details = "{\"a\":\"" + std::string(kMebibyte / 16, 'a') + "\"}";
    for (int i = 0; i < 2 * count; ++i) {
      journal().transact([&](Transaction& transaction) {
        for (int n = 0; n < 8; ++n) transaction.append("agent.x", kNoon, details);
      });
    }
  }
  std::uintmax_t log_size() const { return std::filesystem::file_size(file() + "-wal"); }
};

TEST_F(LogTest, StaysSmallWhileNobodyReads) {
  write_mebibytes(24);
  EXPECT_LE(log_size(), 8 * kMebibyte);
}

TEST_F(LogTest, GrowsUnderAReaderAndShrinksAfterwards) {
  TaskRow row = new_row();
  admit(journal(), row);
  journal().read([&](Reader& reader) {
    reader.counts();
    write_mebibytes(24);
    EXPECT_EQ(reader.events_after(0, 10, "").size(), 1U);
  });
  EXPECT_GE(log_size(), 24 * kMebibyte);
  write_mebibytes(8);
  EXPECT_LE(log_size(), 17 * kMebibyte);
  EXPECT_THAT(compare_with_replay(reopen()), IsEmpty());
}

}  // namespace
}  // namespace resmgr::journal
