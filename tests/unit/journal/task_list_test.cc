// Lists, held against the plain truth: every row, filtered and sorted by hand.

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <random>
#include <set>

#include "common/ids.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kRows = 400;
constexpr int kMillis = 40;  // over which they were admitted: several in each
constexpr std::array kUsers = {kAda, kBob, "00000000-0000-4000-8000-0000000000c1"};
constexpr std::array kServices = {"hello", "jupyter", "rare"};
constexpr std::array kStatuses = {TaskStatus::starting, TaskStatus::running, TaskStatus::stopping,
                                  TaskStatus::stopped, TaskStatus::error};

// A UUIDv7 of that time. Many share their first digits, and some their last ones too.
std::string random_id(std::minstd_rand& random, Instant time) {
  const auto millis = static_cast<unsigned long long>(to_millis(time));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%08llx-%04llx-7%03x-%04x-aaaaaaaa0000", millis >> 16,
                millis & 0xffff, static_cast<unsigned>(random() & 0xfff),
                static_cast<unsigned>(0x8000 | (random() & 0x3fff)));
  std::string id = text.data();
  for (std::size_t i = id.size() - 4; i < id.size(); ++i) {
    id[i] = static_cast<char>('0' + random() % 3);
  }
  return id;
}

class TaskListTest : public JournalTest {
 protected:
  TaskListTest() {
    std::set<std::string> taken;
    journal().transact([&](Transaction& transaction) {
      while (rows_.size() < kRows) {
        const int millis = static_cast<int>(random_() % kMillis);
        TaskRow row =
            new_row(kUsers[random_() % 2], random_() % 20 == 0 ? "rare" : kServices[random_() % 2],
                    kNoon + Millis{millis});
        row.task.task_id = random_id(random_, row.task.created_at);
        if (!taken.insert(row.task.task_id).second) continue;
        transaction.insert(row);
        row.task.status = kStatuses[random_() % kStatuses.size()];
        transaction.update(row);
        rows_.push_back(row);
      }
    });
    std::sort(rows_.begin(), rows_.end(),
              [](const TaskRow& a, const TaskRow& b) { return a.task.task_id > b.task.task_id; });
  }

  static bool fits(const TaskFilter& filter, const Task& task) {
    const auto& wanted = filter.statuses;
    return (wanted.empty() ||
            std::find(wanted.begin(), wanted.end(), task.status) != wanted.end()) &&
           (filter.user_id.empty() || task.user_id == filter.user_id) &&
           (filter.service_type.empty() || task.service_type == filter.service_type) &&
           (!filter.from || task.created_at >= *filter.from) &&
           (!filter.to || task.created_at < *filter.to) &&
           (filter.id_part.empty() || id_matches(task.task_id, filter.id_part));
  }

  std::vector<std::string> expected(const TaskFilter& filter) const {
    std::vector<std::string> ids;
    for (const TaskRow& row : rows_) {
      if (fits(filter, row.task)) ids.push_back(row.task.task_id);
    }
    return ids;
  }

  // All pages, one after the other.
  std::vector<std::string> listed(const TaskFilter& filter, int limit) {
    return journal().reading([&](Reader& reader) {
      std::vector<std::string> ids;
      for (;;) {
        const auto page = ids_of(reader.tasks(filter, limit, ids.empty() ? "" : ids.back()));
        EXPECT_LE(page.size(), static_cast<std::size_t>(limit));
        ids.insert(ids.end(), page.begin(), page.end());
        if (page.empty()) return ids;
      }
    });
  }

  std::minstd_rand random_{4711};
  std::vector<TaskRow> rows_;  // newest first
};

TEST_F(TaskListTest, ListsEveryCombinationOfFilters) {
  int found = 0;
  for (unsigned statuses = 0; statuses < 32; ++statuses) {
    for (const char* user : {"", kUsers[0], kUsers[2]}) {
      for (const char* service : {"", kServices[1], kServices[2], "none"}) {
        TaskFilter filter;
        filter.user_id = user;
        filter.service_type = service;
        for (std::size_t i = 0; i < kStatuses.size(); ++i) {
          if ((statuses & (1U << i)) != 0) filter.statuses.push_back(kStatuses[i]);
        }
        const auto want = expected(filter);
        ASSERT_EQ(listed(filter, 7), want) << statuses << user << service;
        found += static_cast<int>(want.size());

        filter.from = kNoon + Millis{10};
        filter.to = kNoon + Millis{25};
        ASSERT_EQ(listed(filter, 500), expected(filter)) << statuses << user << service;
      }
    }
  }
  EXPECT_GT(found, 10 * kRows);
}

TEST_F(TaskListTest, BoundsByTheTimeOfAdmissionToTheMillisecond) {
  for (int from = -1; from <= kMillis; from += 7) {
    for (int to = -1; to <= kMillis + 1; to += 3) {
      TaskFilter filter;
      filter.from = kNoon + Millis{from};
      filter.to = kNoon + Millis{to};
      ASSERT_EQ(listed(filter, 100), expected(filter)) << from << " " << to;
    }
  }
}

TEST_F(TaskListTest, TakesTimesThatNoIdCanHave) {
  const auto list = [&](std::optional<Instant> from, std::optional<Instant> to) {
    TaskFilter filter;
    filter.from = from;
    filter.to = to;
    return listed(filter, 500);
  };
  EXPECT_THAT(list(Instant{Millis{-1}}, Instant::max()), SizeIs(kRows));
  EXPECT_THAT(list(Instant::min(), std::nullopt), SizeIs(kRows));
  EXPECT_THAT(list(Instant::max(), std::nullopt), IsEmpty());
  EXPECT_THAT(list(std::nullopt, Instant{Millis{0}}), IsEmpty());
  EXPECT_THAT(list(std::nullopt, Instant::min()), IsEmpty());
}

TEST_F(TaskListTest, FindsIdsByEachBeginningAndEnding) {
  for (std::size_t i = 0; i < rows_.size(); i += 40) {
    const std::string& id = rows_[i].task.task_id;
    for (std::size_t length = 1; length <= id.size(); ++length) {
      for (const std::string& part : {id.substr(0, length), id.substr(id.size() - length)}) {
        TaskFilter filter;
        filter.id_part = part;
        ASSERT_EQ(listed(filter, 9), expected(filter)) << part;
      }
    }
  }
}

TEST_F(TaskListTest, FindsIdsAmongThoseThatOtherFiltersLeave) {
  const std::string& id = rows_[kRows / 2].task.task_id;
  for (const std::string& part : {id.substr(0, 9), id.substr(33), id.substr(32), id.substr(24)}) {
    for (const TaskStatus status : kStatuses) {
      for (const char* user : {"", kUsers[0], kUsers[1]}) {
        TaskFilter filter;
        filter.id_part = part;
        filter.statuses = {status, TaskStatus::error};
        filter.user_id = user;
        filter.service_type = kServices[0];
        filter.from = kNoon + Millis{5};
        ASSERT_EQ(listed(filter, 5), expected(filter)) << part << user;
      }
    }
  }
}

TEST_F(TaskListTest, TakesPartsInCapitalsAndNoOthers) {
  TaskFilter filter;
  std::string& part = filter.id_part;
  for (const char c : short_id(rows_[3].task.task_id)) part += static_cast<char>(std::toupper(c));
  EXPECT_EQ(listed(filter, 500), expected(filter));
  EXPECT_THAT(expected(filter), testing::Contains(rows_[3].task.task_id));
  for (const char* nothing : {"%%%%", "____", "aaaa%", "----", "a-a-a", "'; --", "\xff\xff\xff\xff",
                              "0123456789abcdef0123456789abcdef01234"}) {
    part = nothing;
    EXPECT_THAT(listed(filter, 500), IsEmpty()) << nothing;
    EXPECT_THAT(expected(filter), IsEmpty()) << nothing;
  }
}

TEST_F(TaskListTest, GivesNothingForNoLimit) {
  journal().read([](Reader& reader) {
    EXPECT_THAT(reader.tasks({}, 0, ""), IsEmpty());
    EXPECT_THAT(reader.tasks({}, -1, ""), IsEmpty());
    EXPECT_THAT(reader.events_after(0, 0, ""), IsEmpty());
    EXPECT_THAT(reader.events_after(0, -1, ""), IsEmpty());
  });
}

}  // namespace
}  // namespace resmgr::journal
