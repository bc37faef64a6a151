#include "agent/sinks/postgres_sink.h"

#include <optional>
#include <pqxx/pqxx>
#include <utility>

#include "agent/sinks/postgres_schema.h"
#include "agent/sinks/postgres_session.h"
#include "agent/sinks/postgres_writer.h"
#include "common/failpoint.h"

namespace resmgr::sinks {
namespace {

// Of fewer both ways take about as long.
constexpr std::size_t kWorthCopying = 100;

}  // namespace

struct PostgresSink::State {
  explicit State(const PostgresOptions& its_options) : options(its_options), session(its_options) {}

  void prepare(PostgresConnection& connection);
  Outcome run(const std::function<Outcome(PostgresConnection&)>& body) {
    return session.run([this](PostgresConnection& connection) { prepare(connection); }, body);
  }
  bool move_cursor(pqxx::work& transaction, const Batch& batch) const;
  Outcome deliver(PostgresConnection& connection, const Batch& batch, PostgresWay way) const;

  const PostgresOptions options;
  PostgresSession session;
  std::string journal_id;
  std::string cursors;  // the table's name
  std::optional<PostgresWriter> writer;
};

void PostgresSink::State::prepare(PostgresConnection& connection) {
  migrate_postgres(connection, options.schema);
  cursors = postgres_table(connection, options.schema, "resmgr_cursors");
  writer.emplace(postgres_table(connection, options.schema, "tasks"));
}

// Whether it stood where it was thought to. Its row is locked by that until the end of the
// transaction: of two agents on copies of one journal the second one finds it moved.
bool PostgresSink::State::move_cursor(pqxx::work& transaction, const Batch& batch) const {
  if (batch.to == batch.from) return true;
  if (!batch.from) {
    const auto made = transaction.exec_params(
        "INSERT INTO " + cursors +
            " (JournalId, AgentId, Host, Seq, Digest) VALUES ($1::UUID, $2::UUID, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
        journal_id, options.agent_id, options.host, batch.to->seq, batch.to->digest);
    return made.affected_rows() == 1;
  }
  const auto moved =
      transaction.exec_params("UPDATE " + cursors +
                                  " SET Seq = $1, Digest = $2, Host = $3, MovedAt = now()"
                                  " WHERE JournalId = $4::UUID AND Seq = $5 AND Digest = $6",
                              batch.to->seq, batch.to->digest, options.host, journal_id,
                              batch.from->seq, batch.from->digest);
  return moved.affected_rows() == 1;
}

PostgresSink::PostgresSink(const PostgresOptions& options)
    : state_(std::make_unique<State>(options)) {}

PostgresSink::~PostgresSink() = default;

void PostgresSink::interrupt() noexcept { state_->session.interrupt(); }

bool PostgresSink::wants(const EventView& event) const {
  // No task has a row before its container started; PostgresRows looks closer.
  return !event.task.empty() && event.type != event_type::kStartRequested &&
         event.type != event_type::kImagePulled && event.type != event_type::kCreated;
}

bool PostgresSink::begins(const EventView& event) const {
  return event.type == event_type::kStarted || event.type == event_type::kFailed;
}

std::optional<Position> PostgresSink::position(std::string_view journal_id) {
  state_->journal_id = journal_id;
  std::optional<Position> position;
  const Outcome outcome = state_->run([&](PostgresConnection& connection) {
    pqxx::work transaction(connection);
    const auto rows = transaction.exec_params(
        "SELECT Seq, Digest FROM " + state_->cursors + " WHERE JournalId = $1::UUID",
        state_->journal_id);
    if (!rows.empty()) {
      position = Position{rows[0][0].as<std::int64_t>(), rows[0][1].as<std::string>()};
    }
    return Outcome::delivered();
  });
  if (outcome.kind == Outcome::Kind::delivered) return position;
  throw SinkFailure(outcome);
}

Outcome PostgresSink::State::deliver(PostgresConnection& connection, const Batch& batch,
                                     PostgresWay way) const {
  pqxx::work transaction(connection);
  if (!move_cursor(transaction, batch)) {
    return Outcome::retry("its cursor stands elsewhere than it should");
  }
  // A crash of the server then takes all of this transaction, the cursor too, or nothing; the next
  // commit that waits for the disk makes this one safe as well.
  if (batch.more) transaction.exec("SET LOCAL synchronous_commit TO OFF");
  writer->write(connection, transaction, batch.messages, {options.agent_id, journal_id}, way);
  failpoint("postgres.before_commit");
  transaction.commit();
  failpoint("postgres.after_commit");
  return Outcome::delivered();
}

Outcome PostgresSink::deliver(const Batch& batch) {
  return state_->run([&](PostgresConnection& connection) {
    if (batch.messages.size() < kWorthCopying) {
      return state_->deliver(connection, batch, PostgresWay::upsert);
    }
    try {
      return state_->deliver(connection, batch, PostgresWay::copy_new);
    } catch (const pqxx::sql_error&) {
      // Who is right about it says the other way.
      return state_->deliver(connection, batch, PostgresWay::upsert);
    }
  });
}

Outcome PostgresSink::check() {
  return state_->session.run(
      [this](PostgresConnection& connection) {
        try_migrating_postgres(connection, state_->options.schema);
      },
      [](PostgresConnection&) { return Outcome::delivered(); });
}

}  // namespace resmgr::sinks
