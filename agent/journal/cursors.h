// What the journal keeps for its sinks: how far each has come, what it refused, what it answered.
#ifndef RESMGR_AGENT_JOURNAL_CURSORS_H_
#define RESMGR_AGENT_JOURNAL_CURSORS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"

namespace resmgr::journal {

class Batch;
class Database;

struct Cursor {
  std::string sink;
  std::int64_t seq = 0;   // the last event that it is done with; 0 = none
  std::string digest;     // of that event; empty: not known (none, or pruned)
  bool attached = false;  // configured: events after `seq` are wanted, and are not to be pruned
  Instant moved_at{};
};

// An event, or a task's row of a first sync, that a destination refused for good. A letter is known
// by sink, sequence number and task.
struct DeadLetter {
  std::string sink;
  std::int64_t seq = 0;
  std::string task_id;  // empty: it concerns no task
  Instant time{};       // the event's
  std::string type;
  std::string payload;  // the bytes that were refused
  std::string reason;   // the last one; no secrets
  Instant set_aside_at{};
  int attempts = 1;
  bool due = false;  // somebody asked to try it again
};

struct Receipt {
  std::string sink;
  std::string task_id;
  Instant received_at{};
  std::string body;
};

// The bytes that are sent to a destination for a task's record. They are here before they are first
// sent, and stay the same however often they are sent again.
struct Post {
  std::string sink;
  std::string task_id;
  Instant made_at{};
  std::string body;
};

// Part of a Reader's view: it lives as long as that.
class CursorReader {
 public:
  explicit CursorReader(Database& database) : database_(database) {}

  // Sequence number of the last event in this view, pruned or not; 0 = none.
  std::int64_t head();
  std::optional<Cursor> cursor(std::string_view sink);
  // Detached ones too, by name.
  std::vector<Cursor> cursors();

  std::int64_t letter_count(std::string_view sink);
  // By sequence number, those with a greater one than `after`. A page may be longer than `limit`
  // by those that share its last number.
  std::vector<DeadLetter> letters(std::string_view sink, std::int64_t after, int limit);
  // The first one that is due.
  std::optional<DeadLetter> due_letter(std::string_view sink);

  // By sink.
  std::vector<Receipt> receipts_of(std::string_view task_id);
  std::vector<Post> posts_of(std::string_view task_id);
  // All that were set aside for it, by sink.
  std::vector<DeadLetter> letters_of(std::string_view task_id);

 private:
  Database& database_;
};

// Part of a Transaction: it lives as long as that.
class CursorWriter {
 public:
  CursorWriter(Database& database, Batch& batch) : database_(database), batch_(batch) {}

  // These sinks are configured, and no others: makes cursors at `start` for new ones.
  void attach(std::span<const std::string> sinks, std::int64_t start, Instant now);
  // Makes the cursor where there is none; `attached` stays as it is where there is one.
  void move(const Cursor& cursor);

  // One that is known already is written anew.
  void set_aside(const DeadLetter& letter);
  // It was delivered after all.
  void discard(std::string_view sink, std::int64_t seq, std::string_view task_id);
  // Asks to try every letter of the sink again; how many there are.
  int make_due(std::string_view sink);

  // A second one of a sink and task replaces the first.
  void put_receipt(const Receipt& receipt);

  // A second one of a sink and task replaces the first.
  void put_post(const Post& post);
  // It was refused for good, and the next one may be another. One that is not there is no error.
  void erase_post(std::string_view sink, std::string_view task_id);

 private:
  Database& database_;
  Batch& batch_;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_CURSORS_H_
