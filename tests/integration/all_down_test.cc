// Every destination is away from the start, for ten thousand tasks; then all are back: they end up
// with everything, once and in order, and the agent's memory does not grow with what waits.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/journal/journal.h"
#include "agent/sinks/blockchain_sink.h"
#include "agent/sinks/postgres_sink.h"
#include "agent/sinks/seq_sink.h"
#include "agent/sinks/status.h"
#include "common/crypto.h"
#include "common/error.h"
#include "common/ids.h"
#include "common/jcs.h"
#include "tests/contract/seq_server.h"
#include "tests/fakes/fake_http_service.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"
#include "tests/support/task_rows.h"
#include "tests/support/temp_dir.h"

namespace resmgr::sinks {
namespace {

constexpr int kTasks = RESMGR_TASKS;
constexpr int kTasksInATransaction = 200;
constexpr auto kPatience = std::chrono::minutes(8);

// A task's whole life. Its usage record's hash is in the row.
void live_through(journal::Transaction& transaction, Instant now, int number) {
  journal::TaskRow row;
  Task& task = row.task;
  task.task_id = new_uuid_v7(now);
  task.user_id = "00000000-0000-4000-8000-0000000000ad";
  task.service_type = "hello";
  task.host = "here";
  task.created_at = now;
  transaction.insert(row);
  transaction.append(event_type::kStartRequested, row, now, "{}");
  task.container_id = std::string(64, 'c');
  task.container_port = 40'000;
  task.start_time = now;
  task.status = TaskStatus::running;
  transaction.update(row);
  transaction.append(event_type::kCreated, row, now, "{}");
  transaction.append(event_type::kStarted, row, now, "{}");
  transaction.append(event_type::kReady, row, now, "{}");
  task.status = TaskStatus::stopped;
  task.stop_time = now + Millis{number};
  const std::string record = canonical_json({{"taskId", task.task_id},
                                             {"userId", task.user_id},
                                             {"stopTime", "2026-11-22T17:04:05.123Z"},
                                             {"durationMs", number}});
  task.usage_hash = sha256_hex(record);
  transaction.update(row);
  transaction.put_usage(task.task_id, record, task.usage_hash);
  transaction.append(event_type::kEnded, row, now, "{}");
  transaction.append(event_type::kRemoved, row, now, "{}");
}

class AllDownTest : public testing::Test {
 protected:
  AllDownTest()
      : journal_({.file = dir_.path() / "journal.db"}), pumps_(options(), journal_, clock_) {
    PostgresOptions postgres;
    postgres.url = server_.url();
    postgres.agent_id = new_uuid_v4();
    postgres.host = "here";
    pumps_.add(std::make_unique<PostgresSink>(postgres));
    SeqOptions seq;
    seq.destination.section = "seq";
    seq.destination.url = seq_.url();
    pumps_.add(std::make_unique<SeqSink>(seq, ClefSource{"agent", "here"}, nullptr, clock_));
    BlockchainOptions blockchain;
    blockchain.destination.section = "blockchain";
    blockchain.destination.url = "http://chain.example.org/usage";
    pumps_.add(std::make_unique<BlockchainSink>(blockchain, journal_, clock_, nullptr,
                                                BilledBefore{}, chain_.client()));
    server_.kill9();
    seq_.befall_all(support::SeqMishap{.kind = support::SeqMishap::Kind::cut});
    chain_.set_answer([](const HttpRequest&) -> std::optional<HttpResponse> {
      throw Error(ErrorKind::unavailable, "cannot reach it");
    });
  }

  static PumpOptions options() { return {.backoff_min = Millis{10}, .backoff_max = Millis{200}}; }

  void live(int tasks) {
    for (int done = 0; done < tasks; done += kTasksInATransaction) {
      journal_.transact([&](journal::Transaction& transaction) {
        for (int i = 0; i < kTasksInATransaction; ++i) {
          live_through(transaction, clock_.now(), ++lived_);
        }
      });
    }
  }
  bool all_are(const std::function<bool(const SinkStatus&)>& so) const {
    return support::eventually([&] { return std::ranges::all_of(pumps_.statuses(), so); },
                               kPatience);
  }
  std::string shown() const {
    std::string text;
    for (const auto& status : pumps_.statuses()) {
      text += status.name + " " + std::string(to_string(status.state)) + ", " +
              std::to_string(status.lag_events) + " behind, " +
              std::to_string(status.dead_letters) + " set aside: " + status.last_error + "\n";
    }
    return text;
  }

  support::TempDir dir_;
  SystemClock clock_;
  support::PostgresServer server_;
  support::SeqServer seq_;
  FakeHttpService chain_;
  journal::Journal journal_;
  int lived_ = 0;
  Pumps pumps_;
};

TEST_F(AllDownTest, EndUpWithEverythingOnceAndInOrder) {
  pumps_.run();
  live(kTasks / 10);
  ASSERT_TRUE(all_are([](const SinkStatus& status) { return status.state == SinkState::failing; }))
      << shown();
  // What waits does so in the journal. (With the sanitizers' allocator nothing is told, which is
  // little more than nothing.)
  const auto in_use = [] { return static_cast<std::int64_t>(mallinfo2().uordblks); };
  const std::int64_t before = in_use();
  live(kTasks - kTasks / 10);
  EXPECT_LT(in_use() - before, 8 << 20);

  server_.start();
  seq_.befall_all(std::nullopt);
  chain_.answer(201, R"({"txHash": "0xabc", "blockNumber": 7})");
  ASSERT_TRUE(all_are([](const SinkStatus& status) {
    return status.state == SinkState::current && status.lag_events == 0;
  })) << shown();
  for (const auto& status : pumps_.statuses()) EXPECT_EQ(status.dead_letters, 0) << status.name;

  std::map<std::string, std::string> rows;
  std::vector<std::string> ended;
  journal_.read([&](journal::Reader& reader) {
    for (const auto& row : reader.tasks({}, kTasks + 1, "")) {
      rows.emplace(row.task.task_id, support::row_of(row.task) + "\n");
    }
    for (std::int64_t seq = 0;;) {
      const auto events = reader.events_after(seq, 1'000, "");
      if (events.empty()) break;
      for (const auto& event : events) {
        if (event.type != event_type::kEnded) continue;
        ended.push_back(reader.task(event.task_id)->task.usage_hash);
      }
      seq = events.back().seq;
    }
  });
  std::string expected;
  for (const auto& [id, row] : rows) expected += row;
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(kTasks));
  EXPECT_TRUE(support::rows_in(server_, "postgres", "public") == expected)
      << "PostgreSQL has other rows than the journal";

  std::vector<std::int64_t> seqs;
  for (const Json& event : seq_.events()) seqs.push_back(event.at("Seq").get<std::int64_t>());
  ASSERT_EQ(seqs.size(), static_cast<std::size_t>(journal_.head()));
  for (std::size_t i = 0; i < seqs.size(); ++i) {
    ASSERT_EQ(seqs[i], static_cast<std::int64_t>(i) + 1) << "Seq got it out of order, or twice";
  }

  // The first one was asked for again and again while the service was away.
  std::vector<std::string> posted;
  for (const HttpRequest& request : chain_.requests()) {
    const std::string hash = string_or(parse_json(request.body, "post"), "usageHash");
    if (posted.empty() || posted.back() != hash) posted.push_back(hash);
  }
  EXPECT_TRUE(posted == ended) << posted.size() << " posted, " << ended.size() << " ended";
}

}  // namespace
}  // namespace resmgr::sinks
