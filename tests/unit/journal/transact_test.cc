// What a body can do in a transaction, and what becomes of it.

#include <gmock/gmock.h>

#include <stdexcept>

#include "agent/journal/replay.h"
#include "common/json.h"
#include "common/wire.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using TransactTest = JournalTest;

TaskRow full_row() {
  TaskRow row = new_row(kBob, "jupyter");
  row.task.container_id = "c0ffee";
  row.task.container_port = 32'768;
  row.task.start_time = kNoon + Millis{1};
  row.task.stop_time = kNoon + Millis{2};
  row.task.status = TaskStatus::error;
  row.task.status_reason = "it 'broke' \xe2\x80\x93 twice";
  row.task.precision = Precision::bounded;
  row.task.usage_hash = "4a5h";
  row.task.exit_code = -1;
  row.phase = Phase::ended;
  row.ended_by = "oom";
  row.failure = "not_ready";
  row.memory_bytes = 1LL << 40;
  row.cpus = 1.5;
  row.cpu_ms = 7;
  row.peak_memory_bytes = 8;
  return row;
}

void expect_equal(const TaskRow& a, const TaskRow& b) {
  EXPECT_EQ(wire::task_to_json(a.task), wire::task_to_json(b.task));
  EXPECT_EQ(a.task.created_at, b.task.created_at);
  EXPECT_EQ(a.task.precision, b.task.precision);
  EXPECT_EQ(a.phase, b.phase);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.ended_by, b.ended_by);
  EXPECT_EQ(a.failure, b.failure);
  EXPECT_EQ(a.spec_hash, b.spec_hash);
  EXPECT_EQ(a.memory_bytes, b.memory_bytes);
  EXPECT_EQ(a.cpus, b.cpus);
  EXPECT_EQ(a.cpu_ms, b.cpu_ms);
  EXPECT_EQ(a.peak_memory_bytes, b.peak_memory_bytes);
}

std::optional<TaskRow> stored(Journal& journal, const TaskRow& row) {
  return journal.reading([&](Reader& reader) { return reader.task(row.task.task_id); });
}

TEST_F(TransactTest, KeepsEveryFieldOfARow) {
  TaskRow empty = new_row();
  TaskRow full = full_row();
  admit(journal(), empty);
  admit(journal(), full);
  EXPECT_EQ(full.version, 1);
  reopen();
  expect_equal(stored(journal(), empty).value(), empty);
  expect_equal(stored(journal(), full).value(), full);

  TaskRow changed = full_row();
  changed.task.task_id = empty.task.task_id;
  changed.task.user_id = empty.task.user_id;
  changed.task.service_type = empty.task.service_type;
  changed.spec_hash = "0ther";
  changed.version = 1;
  journal().transact([&](Transaction& transaction) { transaction.update(changed); });
  EXPECT_EQ(changed.version, 2);
  expect_equal(stored(journal(), changed).value(), changed);
}

TEST_F(TransactTest, FindsNoTaskThatIsNotThere) {
  EXPECT_FALSE(stored(journal(), new_row()));
  journal().transact(
      [&](Transaction& transaction) { EXPECT_FALSE(transaction.task(new_row().task.task_id)); });
}

TEST_F(TransactTest, RefusesAnIdThatIsTaken) {
  TaskRow row = new_row();
  admit(journal(), row);
  const Error e = error_of([&] { admit(journal(), row); });
  EXPECT_EQ(e.kind(), ErrorKind::conflict);
  EXPECT_EQ(journal().head(), 1);
}

TEST_F(TransactTest, RefusesAnUpdateOfARowThatChanged) {
  TaskRow row = new_row();
  admit(journal(), row);
  TaskRow stale = row;
  move(journal(), row, TaskStatus::running, Phase::ready);
  EXPECT_EQ(row.version, 2);

  const Error e = error_of([&] { move(journal(), stale, TaskStatus::stopping, Phase::stopping); });
  EXPECT_EQ(e.kind(), ErrorKind::conflict);
  EXPECT_THAT(e.message(), HasSubstr("changed since it was read"));
  EXPECT_EQ(stored(journal(), row)->task.status, TaskStatus::running);

  TaskRow unknown = new_row();
  unknown.version = 1;
  EXPECT_EQ(error_of([&] { move(journal(), unknown, TaskStatus::running, Phase::ready); }).kind(),
            ErrorKind::conflict);
}

TEST_F(TransactTest, RefusesAnotherOwnerForATask) {
  TaskRow row = new_row(kAda);
  admit(journal(), row);
  row.task.user_id = kBob;
  EXPECT_EQ(error_of([&] { move(journal(), row, TaskStatus::running, Phase::ready); }).kind(),
            ErrorKind::internal);
}

TEST_F(TransactTest, UndoesTheBodyThatThrows) {
  TaskRow row = new_row();
  EXPECT_THROW(journal().transact([&](Transaction& transaction) {
    admit(transaction, row);
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_FALSE(stored(journal(), row));
  EXPECT_EQ(journal().head(), 0);
  EXPECT_EQ(journal().statistics().commits, 0);

  // A number that nobody saw may be given again; one that was committed never is.
  admit(journal(), row);
  EXPECT_EQ(journal().head(), 1);
  EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
}

TEST_F(TransactTest, GoesOnAfterAnErrorThatTheBodyCaught) {
  TaskRow row = new_row();
  admit(journal(), row);
  TaskRow other = new_row();
  journal().transact([&](Transaction& transaction) {
    EXPECT_THROW(transaction.insert(row), Error);
    admit(transaction, other);
  });
  EXPECT_TRUE(stored(journal(), other));
  EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
}

TEST_F(TransactTest, RefusesToBeginWithinABody) {
  const auto nested = [&] { journal().transact([](Transaction&) {}); };
  const Error e = error_of([&] { journal().transact([&](Transaction&) { nested(); }); });
  EXPECT_EQ(e.kind(), ErrorKind::internal);
  nested();
}

TEST_F(TransactTest, ReturnsWhatTheBodyReturns) {
  const auto number = journal().writing([](Transaction& transaction) {
    return transaction.append("agent.started", kNoon, R"({"version":"1"})");
  });
  EXPECT_EQ(number, 1);
}

TEST_F(TransactTest, TellsOfATaskWhatItBecame) {
  TaskRow row = new_row();
  admit(journal(), row);
  const auto seq = move(journal(), row, TaskStatus::running, Phase::ready);
  const auto events =
      journal().reading([&](Reader& reader) { return reader.events_of(row.task.task_id); });
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].seq, seq);
  EXPECT_EQ(events[1].type, "task.moved");
  EXPECT_EQ(events[1].time, kNoon);
  EXPECT_EQ(events[1].task_id, row.task.task_id);
  EXPECT_EQ(events[1].user_id, kAda);
  EXPECT_EQ(events[1].details, R"({"why":"test"})");
  EXPECT_EQ(parse_json(events[1].task, "task"), wire::task_to_json(row.task));
}

TEST_F(TransactTest, TakesOnlyAnObjectForDetails) {
  for (const char* details :
       {"", "[]", "null", "{", "{}}", "{\"a\":1,}", "\"{}\"", "{\"\xff\":1}"}) {
    const Error e = error_of([&] {
      journal().transact(
          [&](Transaction& transaction) { transaction.append("agent.x", kNoon, details); });
    });
    EXPECT_EQ(e.kind(), ErrorKind::internal) << details;
  }
  for (const char* details : {"{}", " {\"a\": [1, {}]}\n", "{\"\xc3\xa4\":null}"}) {
    journal().transact(
        [&](Transaction& transaction) { transaction.append("agent.x", kNoon, details); });
  }
  EXPECT_EQ(journal().head(), 3);
}

std::vector<std::string> active(Journal& journal, std::string_view user, std::string_view service) {
  return journal.writing(
      [&](Transaction& transaction) { return transaction.active(user, service); });
}

TEST_F(TransactTest, CountsAsActiveWhatHoldsASlot) {
  TaskRow starting = new_row(kAda, "hello");
  TaskRow running = new_row(kAda, "jupyter");
  TaskRow stopping = new_row(kBob, "hello");
  TaskRow ended = new_row(kAda, "hello");
  TaskRow failed = new_row(kAda, "hello");
  for (TaskRow* row : {&starting, &running, &stopping, &ended, &failed}) admit(journal(), *row);
  move(journal(), running, TaskStatus::running, Phase::ready);
  move(journal(), stopping, TaskStatus::stopping, Phase::stopping);
  move(journal(), ended, TaskStatus::stopped, Phase::removed);
  move(journal(), failed, TaskStatus::error, Phase::ended);

  const auto& [a, b, c] =
      std::tie(starting.task.task_id, running.task.task_id, stopping.task.task_id);
  EXPECT_THAT(active(journal(), "", ""), ElementsAre(a, b, c));
  EXPECT_THAT(active(journal(), kAda, ""), ElementsAre(a, b));
  EXPECT_THAT(active(journal(), "", "hello"), ElementsAre(a, c));
  EXPECT_THAT(active(journal(), kAda, "hello"), ElementsAre(a));
  EXPECT_THAT(active(journal(), kBob, "jupyter"), IsEmpty());
  EXPECT_THAT(ids_of(journal().reading([](Reader& reader) { return reader.unsettled(); })),
              ElementsAre(a, b, c, failed.task.task_id));
  EXPECT_THAT(journal().reading([](Reader& reader) { return reader.counts(); }),
              ElementsAre(1, 1, 1, 1, 1));
}

TEST_F(TransactTest, ShowsABodyWhatItWrote) {
  TaskRow row = new_row();
  journal().transact([&](Transaction& transaction) {
    admit(transaction, row);
    EXPECT_THAT(transaction.active(kAda, "hello"), ElementsAre(row.task.task_id));
    move(transaction, row, TaskStatus::stopped, Phase::ended);
    EXPECT_EQ(transaction.task(row.task.task_id)->phase, Phase::ended);
    EXPECT_THAT(transaction.active(kAda, "hello"), IsEmpty());
  });
  EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
}

TEST_F(TransactTest, RemembersAKeyForItsPrincipalAlone) {
  TaskRow row = new_row();
  journal().transact([&](Transaction& transaction) {
    admit(transaction, row);
    transaction.remember(kAda, "key", {"b0d7", row.task.task_id, kNoon});
  });
  reopen();
  journal().transact([&](Transaction& transaction) {
    const auto record = transaction.idempotency(kAda, "key");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->body_hash, "b0d7");
    EXPECT_EQ(record->task_id, row.task.task_id);
    EXPECT_EQ(record->created_at, kNoon);
    EXPECT_FALSE(transaction.idempotency(kBob, "key"));
    EXPECT_FALSE(transaction.idempotency(kAda, "KEY"));
    EXPECT_THROW(transaction.remember(kAda, "key", *record), Error);
    EXPECT_THROW(transaction.remember(kAda, "2", {"b0d7", "no-such-task", kNoon}), Error);

    transaction.forget_before(kNoon);
    EXPECT_TRUE(transaction.idempotency(kAda, "key"));
    transaction.forget_before(kNoon + Millis{1});
    EXPECT_FALSE(transaction.idempotency(kAda, "key"));
  });
}

TEST_F(TransactTest, RecordsUsageOnce) {
  const TaskRow row = new_row();
  const auto put = [&](std::string_view record) {
    journal().transact(
        [&](Transaction& transaction) { transaction.put_usage(row.task.task_id, record, "4a5h"); });
  };
  const auto record = [&] {
    return journal().reading([&](Reader& reader) { return reader.usage_record(row.task.task_id); });
  };
  EXPECT_EQ(record(), std::nullopt);
  put(R"({"version":"1"})");
  EXPECT_EQ(error_of([&] { put("{}"); }).kind(), ErrorKind::conflict);
  EXPECT_EQ(record(), R"({"version":"1"})");
}

}  // namespace
}  // namespace resmgr::journal
