#include "agent/tasks/usage_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <random>

#include "agent/journal/journal.h"
#include "common/ids.h"
#include "common/time_format.h"
#include "tests/support/temp_dir.h"

namespace resmgr::tasks {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::Pair;

Instant at(const char* text) { return parse_rfc3339(text).value(); }

const Instant kReportedAt = at("2026-11-03T00:00:00Z");

journal::UsageRow used(const char* start, const char* stop, std::int64_t cpu_ms = 0,
                       std::int64_t memory = 0) {
  journal::UsageRow row;
  row.user_id = "alice";
  row.service_type = "web";
  row.host = "here";
  row.start = at(start);
  if (stop != nullptr) row.stop = at(stop);
  row.cpu_ms = cpu_ms;
  row.peak_memory_bytes = memory;
  return row;
}

// day: tasks, milliseconds, milliseconds of CPU, bytes
std::vector<std::string> lines(const UsageReport& report) {
  std::vector<std::string> lines;
  for (const auto& [group, sum] : report.sums()) {
    lines.push_back(group.day + ": " + std::to_string(sum.tasks) + ", " +
                    std::to_string(sum.time.count()) + ", " + std::to_string(sum.cpu_time.count()) +
                    ", " + std::to_string(sum.peak_memory_bytes));
  }
  return lines;
}

TEST(UsageReport, ATaskOverMidnightIsSplit) {
  UsageReport report({.day = true}, {}, {}, kReportedAt);
  report.add(used("2026-11-01T23:59:59Z", "2026-11-02T00:00:02Z", 1'000, 5));
  report.add(used("2026-11-02T10:00:00Z", "2026-11-02T10:00:01Z", 10, 7));
  EXPECT_THAT(lines(report),
              ElementsAre("2026-11-01: 1, 1000, 333, 5", "2026-11-02: 2, 3000, 677, 7"));
}

TEST(UsageReport, ATaskOfManyDaysIsOnEachOfThem) {
  UsageReport report({.day = true}, {}, {}, kReportedAt);
  report.add(used("2026-10-30T12:00:00Z", "2026-11-01T00:00:00Z", 36));
  EXPECT_THAT(lines(report),
              ElementsAre("2026-10-30: 1, 43200000, 12, 0", "2026-10-31: 1, 86400000, 24, 0"));
}

TEST(UsageReport, WhatRunsCountsUpToNow) {
  UsageReport report({}, {}, {}, kReportedAt);
  report.add(used("2026-11-02T23:59:00Z", nullptr, 500));
  EXPECT_THAT(lines(report), ElementsAre(": 1, 60000, 500, 0"));
}

TEST(UsageReport, OnlyWhatLiesInTheRangeCounts) {
  const Instant from = at("2026-11-01T10:00:00Z");
  const Instant to = at("2026-11-01T11:00:00Z");
  UsageReport report({}, from, to, kReportedAt);
  report.add(used("2026-11-01T09:00:00Z", "2026-11-01T10:00:00Z", 1));  // ended as it begins
  report.add(used("2026-11-01T11:00:00Z", "2026-11-01T12:00:00Z", 1));
  report.add(used("2026-11-01T11:00:00Z", "2026-11-01T11:00:00Z", 1));
  EXPECT_THAT(lines(report), ElementsAre(": 0, 0, 0, 0"));
  report.add(used("2026-11-01T09:00:00Z", "2026-11-01T12:00:00Z", 300));
  report.add(used("2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z", 4));  // ended as it began
  EXPECT_THAT(lines(report), ElementsAre(": 2, 3600000, 104, 0"));
}

TEST(UsageReport, AClockThatSteppedBackMakesNoNegativeTime) {
  UsageReport report({.day = true}, {}, {}, kReportedAt);
  report.add(used("2026-11-02T10:00:00Z", "2026-11-02T09:00:00Z", 10));
  EXPECT_THAT(lines(report), ElementsAre("2026-11-02: 1, 0, 10, 0"));
}

TEST(UsageReport, WithoutAnythingThereIsOneSumOrNone) {
  EXPECT_THAT(lines(UsageReport({}, {}, {}, kReportedAt)), ElementsAre(": 0, 0, 0, 0"));
  EXPECT_THAT(UsageReport({.user = true}, {}, {}, kReportedAt).sums(), IsEmpty());
}

TEST(UsageReport, IsToldApartByWhatIsAsked) {
  UsageReport report({.user = true, .host = true}, {}, {}, kReportedAt);
  auto row = used("2026-11-01T09:00:00Z", "2026-11-01T10:00:00Z");
  report.add(row);
  row.service_type = "other";
  report.add(row);
  row.user_id = "bob";
  report.add(row);
  ASSERT_EQ(report.sums().size(), 2U);
  EXPECT_EQ(report.sums().at({"alice", "", "", "here"}).tasks, 2);
  EXPECT_EQ(report.sums().at({"bob", "", "", "here"}).tasks, 1);
}

// Ten thousand tasks of all kinds in a journal, beside what SQLite makes of the same rows.
class UsageReportOfJournal : public testing::Test {
 protected:
  static constexpr int kTasks = 10'000;

  static void SetUpTestSuite() {
    temp_ = std::make_unique<support::TempDir>();
    journal_ = std::make_unique<journal::Journal>(journal::JournalOptions{file()});
    std::mt19937 random(1);
    const auto any = [&](std::int64_t most) {
      return std::uniform_int_distribution<std::int64_t>(0, most)(random);
    };
    journal_->transact([&](journal::Transaction& transaction) {
      for (int i = 0; i < kTasks; ++i) {
        const Instant admission = at("2026-10-25T00:00:00Z") + Millis{any(8LL * 86'400'000)};
        journal::TaskRow row;
        row.task.created_at = admission;
        row.task.task_id = id_of(admission);
        row.task.user_id = new_user(any(6));
        row.task.service_type = any(1) == 0 ? "hello" : "jupyter";
        row.task.host = any(3) == 0 ? "there" : "here";
        row.task.status = TaskStatus::starting;
        transaction.insert(row);
        const auto kind = any(19);
        if (kind == 0) continue;  // killed before anything ran
        row.task.start_time = row.task.created_at + Millis{any(5'000)};
        row.task.status = TaskStatus::running;
        transaction.update(row);
        journal::UsageSample sample{*row.task.start_time, any(5'000'000), any(1LL << 32), 0, 0};
        transaction.put_sample(row.task.task_id, sample);
        if (kind == 1) continue;  // runs still
        // A third runs for days; some end as they begin, as what crashes at once does.
        const auto time = kind < 4 ? 0 : any(kind < 9 ? 3LL * 86'400'000 : 7'200'000);
        row.task.stop_time = *row.task.start_time + Millis{time};
        row.task.precision = kind < 6 ? Precision::bounded : Precision::exact;
        row.task.status = kind < 8 ? TaskStatus::error : TaskStatus::stopped;
        row.cpu_ms = sample.cpu_ms;
        row.peak_memory_bytes = sample.peak_memory_bytes;
        transaction.update(row);
      }
    });
  }
  static void TearDownTestSuite() {
    journal_.reset();
    temp_.reset();
  }

  static std::string file() { return temp_->path() / "journal.db"; }
  // A UUIDv7 of that time. (new_uuid_v7() never goes back behind what it gave to other tests.)
  static std::string id_of(Instant time) {
    const auto millis = static_cast<unsigned long long>(to_millis(time));
    std::array<char, 32> begin{};
    std::snprintf(begin.data(), begin.size(), "%08llx-%04llx-7", millis >> 16, millis & 0xffff);
    return begin.data() + new_uuid_v4().substr(15);
  }
  static std::string new_user(std::int64_t number) {
    return "00000000-0000-4000-8000-00000000000" + std::to_string(number);
  }

  static UsageReport report(UsageGrouping grouping, const journal::UsageRange& filter = {}) {
    UsageReport report(grouping, filter.from, filter.to, kReportedAt);
    journal_->read([&](journal::Reader& reader) {
      reader.usage(filter, [&](const journal::UsageRow& row) { report.add(row); });
    });
    return report;
  }

  // Every task that was started as (user, service, host, b, e, cpu, memory).
  static std::vector<std::string> by_sql(const std::string& select) {
    journal::Database database(file(), {.access = journal::Database::Access::read_only});
    const std::string sql =
        "WITH RECURSIVE used AS (SELECT user_id AS user, service_type AS service, host,"
        " start_time AS b, coalesce(stop_time, " +
        std::to_string(to_millis(kReportedAt)) +
        ") AS e, coalesce(a.cpu_ms, t.cpu_ms) AS cpu,"
        " coalesce(a.peak_memory_bytes, t.peak_memory_bytes) AS memory"
        " FROM tasks AS t LEFT JOIN task_activity AS a USING (task_id)"
        " WHERE start_time IS NOT NULL), "
        "days (d) AS (SELECT 1792886400000 UNION ALL SELECT d + 86400000 FROM days"
        " WHERE d < 1792886400000 + 20 * 86400000) " +
        select;
    return database.texts(sql, 100'000);
  }

  inline static std::unique_ptr<support::TempDir> temp_;
  inline static std::unique_ptr<journal::Journal> journal_;
};

TEST_F(UsageReportOfJournal, SumsByUserServiceAndHost) {
  std::vector<std::string> lines;
  const UsageReport whole = report({.user = true, .service = true, .host = true});
  for (const auto& [group, sum] : whole.sums()) {
    lines.push_back(group.user_id + " " + group.service_type + " " + group.host + " " +
                    std::to_string(sum.tasks) + " " + std::to_string(sum.time.count()) + " " +
                    std::to_string(sum.cpu_time.count()) + " " +
                    std::to_string(sum.peak_memory_bytes));
  }
  EXPECT_EQ(lines.size(), 28U);
  EXPECT_THAT(by_sql("SELECT user || ' ' || service || ' ' || host || ' ' || count(*) || ' ' ||"
                     " sum(e - b) || ' ' || sum(cpu) || ' ' || max(memory) FROM used"
                     " GROUP BY user, service, host ORDER BY user, service, host"),
              ElementsAreArray(lines));
}

TEST_F(UsageReportOfJournal, SumsByDayInARange) {
  std::vector<std::string> lines;
  Millis cpu{0};
  const UsageReport whole = report({.day = true});
  for (const auto& [group, sum] : whole.sums()) {
    lines.push_back(group.day + " " + std::to_string(sum.tasks) + " " +
                    std::to_string(sum.time.count()));
    cpu += sum.cpu_time;
  }
  // A task that ended as it began counts on its day.
  EXPECT_THAT(by_sql("SELECT date(d / 1000, 'unixepoch') || ' ' || count(*) || ' ' ||"
                     " sum(min(e, d + 86400000) - max(b, d)) FROM used, days"
                     " WHERE b < d + 86400000 AND (e > d OR (b = e AND b >= d))"
                     " GROUP BY d ORDER BY d"),
              ElementsAreArray(lines));
  // However it is spread, nothing is lost of it.
  EXPECT_THAT(by_sql("SELECT CAST(sum(cpu) AS TEXT) FROM used"),
              ElementsAre(std::to_string(cpu.count())));
}

TEST_F(UsageReportOfJournal, OfOneUserInARange) {
  journal::UsageRange filter;
  filter.user_id = new_user(3);
  filter.from = at("2026-10-27T06:00:00Z");
  filter.to = at("2026-10-28T18:00:00Z");
  const UsageReport whole = report({}, filter);
  const auto& sums = whole.sums();
  const std::string from = std::to_string(to_millis(*filter.from));
  const std::string to = std::to_string(to_millis(*filter.to));
  ASSERT_EQ(sums.size(), 1U);
  const UsageSum& sum = sums.begin()->second;
  EXPECT_GT(sum.tasks, 100);
  EXPECT_THAT(by_sql("SELECT count(*) || ' ' || sum(min(e, " + to + ") - max(b, " + from +
                     ")) FROM used WHERE user = '" + filter.user_id + "' AND b < " + to +
                     " AND (e > " + from + " OR (b = e AND b >= " + from + "))"),
              ElementsAre(std::to_string(sum.tasks) + " " + std::to_string(sum.time.count())));
}

}  // namespace
}  // namespace resmgr::tasks
