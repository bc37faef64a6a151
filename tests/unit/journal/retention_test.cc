// What is forgotten, and what never is. Hazard 33: what pins.

#include "agent/journal/retention.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "agent/journal/check.h"
#include "agent/journal/replay.h"
#include "tests/fakes/fake_clock.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Millis kDay{24LL * 3600 * 1000};
constexpr std::string_view kNoHash = "";

class RetentionTest : public JournalTest {
 protected:
  // Ids never go back within a process, so that each test is later than those before it.
  RetentionTest() {
    static Instant last = kNoon;
    begin_ = last += 10'000 * kDay;
    clock_.set(begin_);
  }

  // A task that ran and ended now; its number of events is 3.
  TaskRow ended_task() {
    TaskRow row = new_row(kAda, "hello", clock_.now());
    journal().transact([&](Transaction& transaction) {
      transaction.insert(row);
      transaction.append("task.start_requested", row, clock_.now(), "{}");
      row.task.status = TaskStatus::stopped;
      row.task.start_time = row.task.stop_time = clock_.now();
      row.phase = Phase::ended;
      transaction.update(row);
      transaction.append("task.ended", row, clock_.now(), "{}");
      row.phase = Phase::removed;
      transaction.update(row);
      transaction.append("task.removed", row, clock_.now(), "{}");
    });
    return row;
  }

  Retention& retention(const RetentionRules& rules) {
    return retention_.emplace(
        rules,
        Retention::Parts{journal(), clock_, [this] { return pinned_.value_or(journal().head()); },
                         [this](const std::string& id) { gone_.push_back(id); }});
  }
  static void all_of(Retention& retention) {
    while (retention.step()) {
    }
  }
  std::vector<std::int64_t> kept_events() {
    std::vector<std::int64_t> kept;
    journal().read([&](Reader& reader) {
      for (const Event& event : reader.events_after(0, 10'000, "")) kept.push_back(event.seq);
    });
    return kept;
  }
  bool has(const TaskRow& row) {
    return journal().reading(
        [&](Reader& reader) { return reader.task(row.task.task_id).has_value(); });
  }

  FakeClock clock_;
  Instant begin_;
  std::optional<std::int64_t> pinned_;
  std::vector<std::string> gone_;
  std::optional<Retention> retention_;
};

TEST_F(RetentionTest, ForgetsEventsThatAreOldEnough) {
  const TaskRow old = ended_task();
  clock_.advance(2 * kDay);
  const TaskRow young = ended_task();
  auto& keeps_three = retention({.events = 3 * kDay});
  all_of(keeps_three);
  EXPECT_EQ(journal().pruned_to(), 0);
  clock_.advance(kDay + Millis{1});
  all_of(keeps_three);
  EXPECT_EQ(journal().pruned_to(), 3);
  EXPECT_THAT(kept_events(), ElementsAre(4, 5, 6));
  EXPECT_TRUE(has(old)) << "a task is kept for ever unless [retention] tasks says else";
  EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
  reopen();
  EXPECT_EQ(journal().pruned_to(), 3);
  EXPECT_EQ(journal().head(), 6);
}

TEST_F(RetentionTest, KeepsAllWithoutARule) {
  ended_task();
  clock_.advance(1'000 * kDay);
  EXPECT_FALSE(retention({}).step());
  EXPECT_THAT(kept_events(), ElementsAre(1, 2, 3));
}

TEST_F(RetentionTest, ForgetsMuchInSmallBatches) {
  journal().transact([&](Transaction& transaction) {
    for (int i = 0; i < 1'201; ++i) transaction.append("agent.x", clock_.now(), "{}");
  });
  clock_.advance(2 * kDay);
  auto& keeps_one = retention({.events = kDay});
  EXPECT_TRUE(keeps_one.step());
  EXPECT_EQ(journal().pruned_to(), 500);
  all_of(keeps_one);
  EXPECT_EQ(journal().pruned_to(), 1'201);
  EXPECT_THAT(kept_events(), IsEmpty());
  EXPECT_EQ(reopen().head(), 1'201) << "numbers are not given out again";
}

TEST_F(RetentionTest, KeepsWhatADestinationHasNotGot) {
  ended_task();
  clock_.advance(2 * kDay);
  pinned_ = 2;
  auto& keeps_one = retention({.events = kDay});
  all_of(keeps_one);
  EXPECT_EQ(journal().pruned_to(), 2);
  pinned_ = 3;
  all_of(keeps_one);
  EXPECT_EQ(journal().pruned_to(), 3);
}

TEST_F(RetentionTest, TellsOfAGapWhereTooMuchIsPinned) {
  const TaskRow row = ended_task();
  journal().transact(
      [&](Transaction& transaction) { transaction.put_usage(row.task.task_id, "{}", kNoHash); });
  clock_.advance(2 * kDay);
  pinned_ = 1;
  auto& keeps_one = retention({.events = kDay, .tasks = kDay, .pin_max_bytes = 1});
  all_of(keeps_one);
  EXPECT_EQ(journal().pruned_to(), 3);
  journal().read([&](Reader& reader) {
    const auto events = reader.events_after(0, 10, "");
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].type, event_type::kJournalGap);
    EXPECT_EQ(events[0].details, R"({"after":1,"upTo":3})");
    EXPECT_EQ(reader.usage_record(row.task.task_id), "{}") << "usage records are never pruned";
  });
}

TEST_F(RetentionTest, ForgetsTasksWithTheirKeysAndOutput) {
  const TaskRow old = ended_task();
  TaskRow running = new_row(kAda, "hello", clock_.now());
  admit(journal(), running);
  move(journal(), running, TaskStatus::running, Phase::ready);
  journal().transact([&](Transaction& transaction) {
    transaction.remember(kAda, "key", {"b0d7", old.task.task_id, clock_.now()});
    transaction.put_usage(old.task.task_id, "{}", kNoHash);
  });
  clock_.advance(2 * kDay);
  const TaskRow young = ended_task();
  all_of(retention({.tasks = kDay}));
  EXPECT_FALSE(has(old));
  EXPECT_TRUE(has(running)) << "however old it is";
  EXPECT_TRUE(has(young));
  EXPECT_THAT(gone_, ElementsAre(old.task.task_id));
  journal().transact(
      [&](Transaction& transaction) { EXPECT_FALSE(transaction.idempotency(kAda, "key")); });
  journal().read([&](Reader& reader) {
    EXPECT_EQ(reader.usage_record(old.task.task_id), "{}");
    EXPECT_EQ(reader.counts()[static_cast<std::size_t>(TaskStatus::stopped)], 1);
  });
  // Its events outlive it here, and that is no fault.
  EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
}

TEST_F(RetentionTest, KeepsATaskWhoseEndADestinationHasNotGot) {
  const TaskRow row = ended_task();
  clock_.advance(2 * kDay);
  pinned_ = 2;
  auto& keeps_one = retention({.tasks = kDay});
  all_of(keeps_one);
  EXPECT_TRUE(has(row));
  pinned_ = 3;
  all_of(keeps_one);
  EXPECT_FALSE(has(row));
}

TEST_F(RetentionTest, ARowThatIsGoneWithoutARuleIsAFault) {
  const TaskRow old = ended_task();
  clock_.advance(2 * kDay);
  const TaskRow young = ended_task();
  all_of(retention({.tasks = kDay}));
  retention_.reset();
  close();
  SQLite::Database(file(), SQLite::OPEN_READWRITE)
      .exec("DELETE FROM tasks; UPDATE task_counts SET tasks = 0");
  EXPECT_THAT(compare_with_replay(journal()),
              ElementsAre("task " + young.task.task_id + " has events and no row"));
}

// A clock that is wrong for an hour must not cost the events of years.
TEST_F(RetentionTest, WaitsADayAfterAStepOfTheClock) {
  ended_task();
  auto& keeps_ten = retention({.events = 10 * kDay, .tasks = 10 * kDay});
  EXPECT_FALSE(keeps_ten.step());
  clock_.set(clock_.now() + 3'650 * kDay);
  EXPECT_FALSE(keeps_ten.step());
  clock_.advance(kDay - Millis{1});
  EXPECT_FALSE(keeps_ten.step());
  EXPECT_EQ(journal().pruned_to(), 0);
  clock_.advance(Millis{1});
  all_of(keeps_ten);
  EXPECT_EQ(journal().pruned_to(), 3) << "it was no mistake";
}

TEST_F(RetentionTest, AStepThatIsTakenBackCostsNothing) {
  ended_task();
  auto& keeps_ten = retention({.events = 10 * kDay});
  keeps_ten.step();
  clock_.set(clock_.now() + 3'650 * kDay);
  keeps_ten.step();
  clock_.set(clock_.now() - 3'650 * kDay);
  clock_.advance(2 * kDay);
  all_of(keeps_ten);
  EXPECT_EQ(journal().pruned_to(), 0);
}

// An event that a wrong clock dated into the future keeps nothing for ever, and one that it dated
// into the past takes nothing with it.
TEST_F(RetentionTest, JudgesEventsOfAWrongClockByTheirNeighbours) {
  const auto append = [&](Instant time) {
    journal().transact(
        [&](Transaction& transaction) { transaction.append("agent.x", time, "{}"); });
  };
  append(begin_);
  append(begin_ + 5'000 * kDay);
  append(begin_);
  append(begin_ + 20 * kDay);
  append(begin_ - 5'000 * kDay);
  clock_.advance(20 * kDay);
  all_of(retention({.events = 10 * kDay}));
  EXPECT_EQ(journal().pruned_to(), 3);
  EXPECT_THAT(kept_events(), ElementsAre(4, 5));
}

TEST_F(RetentionTest, UsesTheSpaceAgain) {
  const auto fill = [&] {
    journal().transact([&](Transaction& transaction) {
      const std::string big = "{\"a\":\"" + std::string(2'000, 'a') + "\"}";
      for (int i = 0; i < 2'000; ++i) transaction.append("agent.x", clock_.now(), big);
    });
  };
  fill();
  close();
  const auto size = std::filesystem::file_size(file());
  for (int i = 0; i < 5; ++i) {
    clock_.advance(2 * kDay);
    all_of(retention({.events = kDay}));
    fill();
    retention_.reset();
    close();
  }
  EXPECT_LT(std::filesystem::file_size(file()), size + size / 5);
}

TEST_F(RetentionTest, PrunesOnAThreadOfItsOwn) {
  ended_task();
  clock_.advance(2 * kDay);
  retention({.events = kDay}).run();
  EXPECT_TRUE(journal().wait_beyond(0, Millis{1}));
  while (journal().pruned_to() != 3) std::this_thread::yield();
  retention_->stop();
}

}  // namespace
}  // namespace resmgr::journal
