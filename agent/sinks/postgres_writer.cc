#include "agent/sinks/postgres_writer.h"

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "agent/sinks/postgres_binary.h"
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
    columns.append(name).append(", ");
    arrays.append(i == 0 ? "" : ", ").append(parameter(i + 1)).append("::");
    arrays.append(kPostgresColumns.at(i).type).append("[]");
    if (i > 0) updates.append(name).append(" = EXCLUDED.").append(name).append(", ");
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

// False: one of its texts is for the server to read, and `out` is as it was.
bool encode(const PostgresRows& rows, std::size_t row, std::string_view origin, std::string& out) {
  const std::size_t before = out.size();
  begin_postgres_row(out, kColumns + 2);
  for (std::size_t column = 0; column < kColumns; ++column) {
    const char* const text = rows.field(row, column);
    if (text == nullptr) {
      encode_null(out);
    } else if (!kPostgresColumns.at(column).encode(out, text)) {
      out.resize(before);
      return false;
    }
  }
  out += origin;
  return true;
}

std::vector<std::string> copied_columns() {
  std::vector<std::string> names;
  names.reserve(kColumns + 2);
  for (const PostgresColumn& column : kPostgresColumns) names.emplace_back(column.name);
  names.emplace_back("AgentId");
  names.emplace_back("JournalId");
  return names;
}

}  // namespace

PostgresWriter::PostgresWriter(const std::string& table)
    : table_(table), upsert_(upsert_into(table)) {}

PostgresWriter::Made PostgresWriter::make(std::span<const Message> messages,
                                          const PostgresOrigin& origin, PostgresWay way) {
  Made made{{}, PostgresRows(messages), {}};
  std::string fields;  // the last two of each row
  const bool copies = way == PostgresWay::copy_new && encode_uuid(fields, origin.agent_id) &&
                      encode_uuid(fields, origin.journal_id);
  for (std::size_t row = 0; row < made.rows.size(); ++row) {
    if (copies && made.rows.begins(row) && encode(made.rows, row, fields, made.copied)) continue;
    made.others.push_back(row);
  }
  return made;
}

// While the server takes some rows, the next ones are made.
void PostgresWriter::write(PostgresConnection& connection, pqxx::work& transaction,
                           std::span<const Message> messages, const PostgresOrigin& origin,
                           PostgresWay way) const {
  const auto next = [&](std::launch when) {
    const std::size_t most = when == std::launch::deferred ? kFirstRows : kRowsAtOnce;
    const auto some = messages.first(std::min(messages.size(), most));
    messages = messages.subspan(some.size());
    return std::async(when, [some, &origin, way] { return make(some, origin, way); });
  };
  std::vector<Made> kept;
  std::optional<PostgresCopy> copy;
  const auto take = [&](Made made) {
    if (!made.copied.empty()) {
      if (!copy) copy.emplace(transaction, connection, table_, copied_columns());
      copy->add(made.copied);
      made.copied = {};
    }
    if (!made.others.empty()) kept.push_back(std::move(made));
  };
  auto made = next(std::launch::deferred);
  while (!messages.empty()) {
    Made ready = made.get();
    made = next(std::launch::async);
    take(std::move(ready));
  }
  take(made.get());
  if (copy) copy->complete();
  copy.reset();
  for (const Made& others : kept) upsert(transaction, others, origin);
}

void PostgresWriter::upsert(pqxx::work& transaction, const Made& made,
                            const PostgresOrigin& origin) const {
  const auto c = [&](std::size_t column) { return made.rows.array(column, made.others); };
  static_assert(kColumns == 17);
  transaction.exec_params(upsert_, c(0), c(1), c(2), c(3), c(4), c(5), c(6), c(7), c(8), c(9),
                          c(10), c(11), c(12), c(13), c(14), c(15), c(16), origin.agent_id,
                          origin.journal_id);
}

}  // namespace resmgr::sinks
