// Who wants to know that the journal grew.

#include "agent/journal/head.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::ElementsAre;
using HeadTest = JournalTest;

constexpr Millis kLong{std::chrono::minutes(10)};

TEST_F(HeadTest, IsTheLastEventAlsoAfterReopening) {
  EXPECT_EQ(journal().head(), 0);
  EXPECT_EQ(journal().pruned_to(), 0);
  TaskRow row = new_row();
  admit(journal(), row);
  EXPECT_EQ(journal().head(), 1);
  EXPECT_EQ(move(journal(), row, TaskStatus::running, Phase::ready), 2);
  EXPECT_EQ(journal().head(), 2);
  EXPECT_EQ(reopen().head(), 2);
}

TEST_F(HeadTest, WaitsNoLongerThanItMust) {
  EXPECT_FALSE(journal().wait_beyond(0, Millis{0}));
  EXPECT_FALSE(journal().wait_beyond(0, Millis{1}));
  TaskRow row = new_row();
  admit(journal(), row);
  EXPECT_TRUE(journal().wait_beyond(0, kLong));
  EXPECT_FALSE(journal().wait_beyond(1, Millis{1}));
}

TEST_F(HeadTest, WakesWhoWaits) {
  journal();
  std::atomic<int> id{0};
  std::thread waiter([&] {
    id = this_thread_id();
    id.notify_one();
    EXPECT_TRUE(journal().wait_beyond(0, kLong));
    EXPECT_GE(journal().head(), 1);
  });
  id.wait(0);
  await_sleep(id);
  TaskRow row = new_row();
  admit(journal(), row);
  waiter.join();
}

TEST_F(HeadTest, WakesWhoWaitsWhenItCloses) {
  Journal& open = journal();
  std::atomic<int> id{0};
  std::thread waiter([&] {
    id = this_thread_id();
    id.notify_one();
    EXPECT_FALSE(open.wait_beyond(0, kLong));
  });
  id.wait(0);
  await_sleep(id);
  close();
  waiter.join();
}

TEST_F(HeadTest, TellsListenersAfterEachCommitThatAppended) {
  std::vector<std::int64_t> heads;
  const int subscription = journal().subscribe([&](std::int64_t head) { heads.push_back(head); });
  TaskRow row = new_row();
  admit(journal(), row);
  journal().transact([&](Transaction& transaction) {
    row.cpu_ms = 1;
    transaction.update(row);
  });
  journal().transact([&](Transaction& transaction) {
    transaction.append("agent.x", kNoon, "{}");
    transaction.append("agent.x", kNoon, "{}");
  });
  EXPECT_THROW(journal().transact([&](Transaction& transaction) {
    transaction.append("agent.x", kNoon, "{}");
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  journal().unsubscribe(subscription);
  admit(journal(), row = new_row());
  EXPECT_THAT(heads, ElementsAre(1, 3));
  journal().unsubscribe(subscription);
  journal().unsubscribe(4711);
}

TEST_F(HeadTest, LetsAListenerTakeItselfOff) {
  int calls = 0;
  int own = 0;
  own = journal().subscribe([&](std::int64_t) {
    ++calls;
    journal().unsubscribe(own);
  });
  int others = 0;
  journal().subscribe([&](std::int64_t) { ++others; });
  for (int i = 0; i < 3; ++i) {
    TaskRow row = new_row();
    admit(journal(), row);
  }
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(others, 3);
}

TEST_F(HeadTest, OutlivesAListenerThatThrows) {
  ErrorKind kind = ErrorKind::usage;
  journal().subscribe([&](std::int64_t) {
    kind = error_of([&] { journal().transact([](Transaction&) {}); }).kind();
    throw std::runtime_error("no");
  });
  int calls = 0;
  journal().subscribe([&](std::int64_t) { ++calls; });
  TaskRow row = new_row();
  admit(journal(), row);
  EXPECT_EQ(kind, ErrorKind::internal);
  EXPECT_EQ(calls, 1);
}

TEST_F(HeadTest, WaitsForAListenerThatIsBeingCalled) {
  Gate entered;
  Gate may_return;
  std::atomic<bool> returned{false};
  const int subscription = journal().subscribe([&](std::int64_t) {
    entered.open();
    may_return.pass();
    returned = true;
  });
  std::thread writer([&] {
    TaskRow row = new_row();
    admit(journal(), row);
  });
  entered.pass();
  std::atomic<int> id{0};
  std::thread leaver([&] {
    id = this_thread_id();
    id.notify_one();
    journal().unsubscribe(subscription);
    EXPECT_TRUE(returned);
  });
  id.wait(0);
  await_sleep(id);
  may_return.open();
  leaver.join();
  writer.join();
}

// Listeners come and go while others commit; none is called after it has left.
TEST_F(HeadTest, CallsNobodyWhoHasLeft) {
  journal();
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        TaskRow row = new_row();
        const auto seq = journal().writing([&](Transaction& transaction) {
          admit(transaction, row);
          return transaction.append("agent.x", kNoon, "{}");
        });
        EXPECT_GE(journal().head(), seq);
      }
    });
  }
  std::atomic<int> called{0};
  std::vector<std::thread> listeners;
  for (int i = 0; i < 4; ++i) {
    listeners.emplace_back([&] {
      for (int n = 0; n < 100; ++n) {
        std::atomic<bool> subscribed{true};
        std::atomic<int> calls{0};
        std::int64_t last = 0;
        const int own = journal().subscribe([&](std::int64_t head) {
          EXPECT_TRUE(subscribed);
          EXPECT_GT(head, last);
          last = head;
          ++calls;
          calls.notify_one();
        });
        if (n % 10 == 0) calls.wait(0);
        journal().unsubscribe(own);
        subscribed = false;
        called += calls;
      }
    });
  }
  for (std::thread& listener : listeners) listener.join();
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(called, 40);
}

}  // namespace
}  // namespace resmgr::journal
