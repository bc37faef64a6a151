#include "agent/journal/cursors.h"

#include "agent/journal/batch.h"
#include "agent/journal/database.h"

namespace resmgr::journal {
namespace {

#define RESMGR_CURSOR_COLUMNS "sink, seq, digest, attached, moved_at"
#define RESMGR_LETTER_COLUMNS \
  "sink, seq, task_id, time, type, payload, reason, set_aside_at, attempts, due"

constexpr std::string_view kHead = "SELECT seq FROM sqlite_sequence WHERE name = 'events'";
constexpr std::string_view kCursor =
    "SELECT " RESMGR_CURSOR_COLUMNS " FROM cursors WHERE sink = ?1";
constexpr std::string_view kCursors = "SELECT " RESMGR_CURSOR_COLUMNS " FROM cursors ORDER BY sink";
constexpr std::string_view kDetach = "UPDATE cursors SET attached = 0 WHERE attached = 1";
constexpr std::string_view kAttach = "INSERT INTO cursors (" RESMGR_CURSOR_COLUMNS
                                     ") VALUES (?1, ?2, '', 1, ?3)"
                                     " ON CONFLICT (sink) DO UPDATE SET attached = 1";
constexpr std::string_view kMove =
    "INSERT INTO cursors (" RESMGR_CURSOR_COLUMNS
    ") VALUES (?1, ?2, ?3, ?4, ?5)"
    " ON CONFLICT (sink) DO UPDATE SET seq = ?2, digest = ?3, moved_at = ?5";

constexpr std::string_view kCountLetters = "SELECT count(*) FROM dead_letters WHERE sink = ?1";
// All of a sequence number stand on one page, so that the next one can begin after it.
constexpr std::string_view kLetters =
    "SELECT " RESMGR_LETTER_COLUMNS
    " FROM dead_letters WHERE sink = ?1 AND seq > ?2 AND seq <= ifnull("
    "(SELECT seq FROM dead_letters WHERE sink = ?1 AND seq > ?2 ORDER BY seq LIMIT 1 OFFSET ?3),"
    " 9223372036854775807) ORDER BY seq, task_id";
constexpr std::string_view kDueLetter = "SELECT " RESMGR_LETTER_COLUMNS
                                        " FROM dead_letters INDEXED BY dead_letters_due"
                                        " WHERE sink = ?1 AND due = 1 ORDER BY seq LIMIT 1";
constexpr std::string_view kSetAside = "INSERT OR REPLACE INTO dead_letters (" RESMGR_LETTER_COLUMNS
                                       ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
constexpr std::string_view kDiscard =
    "DELETE FROM dead_letters WHERE sink = ?1 AND seq = ?2 AND task_id = ?3";
constexpr std::string_view kMakeDue = "UPDATE dead_letters SET due = 1 WHERE sink = ?1";

constexpr std::string_view kReceipts =
    "SELECT sink, task_id, received_at, body FROM receipts WHERE task_id = ?1 ORDER BY sink";
constexpr std::string_view kPosts =
    "SELECT sink, task_id, made_at, body FROM posts WHERE task_id = ?1 ORDER BY sink";
constexpr std::string_view kPutPost =
    "INSERT OR REPLACE INTO posts (sink, task_id, made_at, body) VALUES (?1, ?2, ?3, ?4)";
constexpr std::string_view kErasePost = "DELETE FROM posts WHERE sink = ?1 AND task_id = ?2";
constexpr std::string_view kLettersOf = "SELECT " RESMGR_LETTER_COLUMNS
                                        " FROM dead_letters INDEXED BY dead_letters_of_task"
                                        " WHERE task_id = ?1 AND task_id <> '' ORDER BY sink, seq";
constexpr std::string_view kPutReceipt =
    "INSERT OR REPLACE INTO receipts (sink, task_id, received_at, body) VALUES (?1, ?2, ?3, ?4)";

Cursor read_cursor(const Statement& row) {
  return {std::string(row.text(0)), row.integer(1), std::string(row.text(2)), row.integer(3) != 0,
          instant_from_millis(row.integer(4))};
}

DeadLetter read_letter(const Statement& row) {
  DeadLetter letter;
  letter.sink = row.text(0);
  letter.seq = row.integer(1);
  letter.task_id = row.text(2);
  letter.time = instant_from_millis(row.integer(3));
  letter.type = row.text(4);
  letter.payload = row.text(5);
  letter.reason = row.text(6);
  letter.set_aside_at = instant_from_millis(row.integer(7));
  letter.attempts = static_cast<int>(row.integer(8));
  letter.due = row.integer(9) != 0;
  return letter;
}

}  // namespace

std::int64_t CursorReader::head() {
  Query query(database_, kHead);
  return query->step() ? query->integer(0) : 0;
}

std::optional<Cursor> CursorReader::cursor(std::string_view sink) {
  Query query(database_, kCursor, sink);
  if (!query->step()) return std::nullopt;
  return read_cursor(*query);
}

std::vector<Cursor> CursorReader::cursors() {
  std::vector<Cursor> cursors;
  Query query(database_, kCursors);
  while (query->step()) cursors.push_back(read_cursor(*query));
  return cursors;
}

std::int64_t CursorReader::letter_count(std::string_view sink) {
  Query query(database_, kCountLetters, sink);
  return query->step() ? query->integer(0) : 0;
}

std::vector<DeadLetter> CursorReader::letters(std::string_view sink, std::int64_t after,
                                              int limit) {
  if (limit <= 0) return {};
  std::vector<DeadLetter> letters;
  Query query(database_, kLetters, sink, after, limit - 1);
  while (query->step()) letters.push_back(read_letter(*query));
  return letters;
}

std::optional<DeadLetter> CursorReader::due_letter(std::string_view sink) {
  Query query(database_, kDueLetter, sink);
  if (!query->step()) return std::nullopt;
  return read_letter(*query);
}

std::vector<Receipt> CursorReader::receipts_of(std::string_view task_id) {
  std::vector<Receipt> receipts;
  Query query(database_, kReceipts, task_id);
  while (query->step()) {
    receipts.push_back({std::string(query->text(0)), std::string(query->text(1)),
                        instant_from_millis(query->integer(2)), std::string(query->text(3))});
  }
  return receipts;
}

std::vector<Post> CursorReader::posts_of(std::string_view task_id) {
  std::vector<Post> posts;
  Query query(database_, kPosts, task_id);
  while (query->step()) {
    posts.push_back({std::string(query->text(0)), std::string(query->text(1)),
                     instant_from_millis(query->integer(2)), std::string(query->text(3))});
  }
  return posts;
}

std::vector<DeadLetter> CursorReader::letters_of(std::string_view task_id) {
  std::vector<DeadLetter> letters;
  Query query(database_, kLettersOf, task_id);
  while (query->step()) letters.push_back(read_letter(*query));
  return letters;
}

void CursorWriter::attach(std::span<const std::string> sinks, std::int64_t start, Instant now) {
  batch_.write([&] {
    Query(database_, kDetach).run();
    for (const std::string& sink : sinks) {
      Query(database_, kAttach, sink, start, to_millis(now)).run();
    }
  });
}

void CursorWriter::move(const Cursor& cursor) {
  batch_.write([&] {
    Query(database_, kMove, cursor.sink, cursor.seq, cursor.digest, cursor.attached ? 1 : 0,
          to_millis(cursor.moved_at))
        .run();
  });
}

void CursorWriter::set_aside(const DeadLetter& letter) {
  batch_.write([&] {
    Query(database_, kSetAside, letter.sink, letter.seq, letter.task_id, to_millis(letter.time),
          letter.type, letter.payload, letter.reason, to_millis(letter.set_aside_at),
          letter.attempts, letter.due ? 1 : 0)
        .run();
  });
}

void CursorWriter::discard(std::string_view sink, std::int64_t seq, std::string_view task_id) {
  batch_.write([&] { Query(database_, kDiscard, sink, seq, task_id).run(); });
}

int CursorWriter::make_due(std::string_view sink) {
  int count = 0;
  batch_.write([&] {
    Query(database_, kMakeDue, sink).run();
    count = database_.changes();
  });
  return count;
}

void CursorWriter::put_receipt(const Receipt& receipt) {
  batch_.write([&] {
    Query(database_, kPutReceipt, receipt.sink, receipt.task_id, to_millis(receipt.received_at),
          receipt.body)
        .run();
  });
}

void CursorWriter::put_post(const Post& post) {
  batch_.write([&] {
    Query(database_, kPutPost, post.sink, post.task_id, to_millis(post.made_at), post.body).run();
  });
}

void CursorWriter::erase_post(std::string_view sink, std::string_view task_id) {
  batch_.write([&] { Query(database_, kErasePost, sink, task_id).run(); });
}

}  // namespace resmgr::journal
