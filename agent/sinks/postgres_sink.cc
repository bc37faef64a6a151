#include "agent/sinks/postgres_sink.h"

#include <algorithm>
#include <future>
#include <pqxx/pqxx>
#include <span>
#include <utility>

#include "agent/sinks/postgres_rows.h"
#include "agent/sinks/postgres_schema.h"
#include "agent/sinks/postgres_session.h"
#include "common/failpoint.h"

namespace resmgr::sinks {
namespace {

constexpr std::size_t kColumns = kPostgresColumns.size();
constexpr std::size_t kRowsOfAStatement = 1'000;

std::string parameter(std::size_t number) { return "$" + std::to_string(number); }

// One statement for a batch, set-wise: row by row it would be fifty times slower.
std::string upsert_into(const std::string& table) {
  std::string columns;
  std::string arrays;
  std::string updates;
  for (std::size_t i = 0; i < kColumns; ++i) {
    const std::string name(kPostgresColumns.at(i).name);
    columns += name + ", ";
    arrays += (i == 0 ? "" : ", ") + parameter(i + 1) +
              "::" + std::string(kPostgresColumns.at(i).type) + "[]";
    if (i > 0) updates += name + " = EXCLUDED." + name + ", ";
  }
  // A row is another journal's only where that journal was restored: it may go on with a task that
  // it knows, and what has ended is final for it.
  return "INSERT INTO " + table + " AS known (" + columns + "AgentId, JournalId) SELECT rows.*, " +
         parameter(kColumns + 1) + "::UUID, " + parameter(kColumns + 2) + "::UUID FROM unnest(" +
         arrays + ") AS rows ON CONFLICT (Id) DO UPDATE SET " + updates +
         "JournalId = EXCLUDED.JournalId WHERE"
         " (known.JournalId = EXCLUDED.JournalId AND known.Seq < EXCLUDED.Seq) OR"
         " (known.JournalId <> EXCLUDED.JournalId AND known.AgentId = EXCLUDED.AgentId"
         " AND known.StopTime IS NULL)";
}

}  // namespace

struct PostgresSink::State {
  explicit State(const PostgresOptions& its_options) : options(its_options), session(its_options) {}

  void prepare(pqxx::connection& connection);
  Outcome run(const std::function<Outcome(pqxx::connection&)>& body) {
    return session.run([this](pqxx::connection& connection) { prepare(connection); }, body);
  }
  bool move_cursor(pqxx::work& transaction, const Batch& batch) const;
  void write(pqxx::work& transaction, std::span<const Message> messages) const;
  void write(pqxx::work& transaction, const PostgresRows& rows) const;

  const PostgresOptions options;
  PostgresSession session;
  std::string journal_id;
  std::string cursors;  // the table's name
  std::string upsert;
};

void PostgresSink::State::prepare(pqxx::connection& connection) {
  migrate_postgres(connection, options.schema);
  cursors = postgres_table(connection, options.schema, "resmgr_cursors");
  upsert = upsert_into(postgres_table(connection, options.schema, "tasks"));
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

// While the server takes one statement's rows, the next one's are made.
void PostgresSink::State::write(pqxx::work& transaction, std::span<const Message> messages) const {
  const auto next = [&](std::launch when) {
    const auto some = messages.first(std::min(messages.size(), kRowsOfAStatement));
    messages = messages.subspan(some.size());
    return std::async(when, [some] { return PostgresRows(some); });
  };
  auto rows = next(std::launch::deferred);
  while (!messages.empty()) {
    const PostgresRows ready = rows.get();
    rows = next(std::launch::async);
    write(transaction, ready);
  }
  write(transaction, rows.get());
}

void PostgresSink::State::write(pqxx::work& transaction, const PostgresRows& rows) const {
  if (rows.size() == 0) return;
  const auto c = [&](std::size_t column) -> const std::string& { return rows.column(column); };
  static_assert(kColumns == 17);
  transaction.exec_params(upsert, c(0), c(1), c(2), c(3), c(4), c(5), c(6), c(7), c(8), c(9), c(10),
                          c(11), c(12), c(13), c(14), c(15), c(16), options.agent_id, journal_id);
}

PostgresSink::PostgresSink(const PostgresOptions& options)
    : state_(std::make_unique<State>(options)) {}

PostgresSink::~PostgresSink() = default;

void PostgresSink::interrupt() noexcept { state_->session.interrupt(); }

bool PostgresSink::wants(const Event& event) const {
  // No task has a row before its container started; PostgresRows looks closer.
  return !event.task.empty() && event.type != event_type::kStartRequested &&
         event.type != event_type::kImagePulled && event.type != event_type::kCreated;
}

std::optional<Position> PostgresSink::position(std::string_view journal_id) {
  state_->journal_id = journal_id;
  std::optional<Position> position;
  const Outcome outcome = state_->run([&](pqxx::connection& connection) {
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

Outcome PostgresSink::deliver(const Batch& batch) {
  return state_->run([&](pqxx::connection& connection) {
    pqxx::work transaction(connection);
    if (!state_->move_cursor(transaction, batch)) {
      return Outcome::retry("its cursor stands elsewhere than it should");
    }
    state_->write(transaction, batch.messages);
    failpoint("postgres.before_commit");
    transaction.commit();
    failpoint("postgres.after_commit");
    return Outcome::delivered();
  });
}

Outcome PostgresSink::check() {
  return state_->session.run(
      [this](pqxx::connection& connection) {
        try_migrating_postgres(connection, state_->options.schema);
      },
      [](pqxx::connection&) { return Outcome::delivered(); });
}

}  // namespace resmgr::sinks
