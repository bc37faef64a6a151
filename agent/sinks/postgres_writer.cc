#include "agent/sinks/postgres_writer.h"

#include <algorithm>
#include <array>
#include <future>
#include <optional>
#include <utility>

#include "agent/sinks/postgres_copy.h"

namespace resmgr::sinks {
namespace {

constexpr std::size_t kColumns = kPostgresColumns.size();
constexpr std::size_t kRowsAtOnce = 500;
constexpr std::size_t kFirstRows = 50;  // the server has nothing to do until they are made

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

void add(PostgresCopy& copy, const PostgresRows& rows, std::size_t row,
         const PostgresOrigin& origin) {
  std::array<const char*, kColumns + 2> fields{};
  for (std::size_t column = 0; column < kColumns; ++column) {
    fields.at(column) = rows.field(row, column);
  }
  fields[kColumns] = origin.agent_id.c_str();
  fields[kColumns + 1] = origin.journal_id.c_str();
  copy.add(fields);
}

std::vector<std::string> copied_columns() {
  std::vector<std::string> names;
  for (const PostgresColumn& column : kPostgresColumns) names.emplace_back(column.name);
  names.emplace_back("AgentId");
  names.emplace_back("JournalId");
  return names;
}

}  // namespace

PostgresWriter::PostgresWriter(const std::string& table)
    : table_(table), upsert_(upsert_into(table)) {}

// While the server takes some rows, the next ones are made.
void PostgresWriter::write(pqxx::work& transaction, std::span<const Message> messages,
                           const PostgresOrigin& origin, PostgresWay way) const {
  const auto next = [&](std::launch when) {
    const std::size_t most = when == std::launch::deferred ? kFirstRows : kRowsAtOnce;
    const auto some = messages.first(std::min(messages.size(), most));
    messages = messages.subspan(some.size());
    return std::async(when, [some] { return PostgresRows(some); });
  };
  std::vector<Chosen> others;
  std::optional<PostgresCopy> copy;
  const auto take = [&](PostgresRows rows) {
    Chosen chosen{std::move(rows), {}};
    for (std::size_t row = 0; row < chosen.rows.size(); ++row) {
      if (way == PostgresWay::upsert || !chosen.rows.begins(row)) {
        chosen.numbers.push_back(row);
        continue;
      }
      if (!copy) copy.emplace(transaction, table_, copied_columns());
      add(*copy, chosen.rows, row, origin);
    }
    if (!chosen.numbers.empty()) others.push_back(std::move(chosen));
  };
  auto rows = next(std::launch::deferred);
  while (!messages.empty()) {
    PostgresRows ready = rows.get();
    rows = next(std::launch::async);
    take(std::move(ready));
  }
  take(rows.get());
  if (copy) copy->complete();
  copy.reset();
  for (const Chosen& chosen : others) upsert(transaction, chosen, origin);
}

void PostgresWriter::upsert(pqxx::work& transaction, const Chosen& chosen,
                            const PostgresOrigin& origin) const {
  const auto c = [&](std::size_t column) { return chosen.rows.array(column, chosen.numbers); };
  static_assert(kColumns == 17);
  transaction.exec_params(upsert_, c(0), c(1), c(2), c(3), c(4), c(5), c(6), c(7), c(8), c(9),
                          c(10), c(11), c(12), c(13), c(14), c(15), c(16), origin.agent_id,
                          origin.journal_id);
}

}  // namespace resmgr::sinks
