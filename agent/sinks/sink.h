// The port to a destination that reads along in the journal, at its own pace.
//
// A Pump owns the order of things: it reads the journal from the sink's position, hands over
// batches, moves the position, and knows how to wait and what to set aside. A sink knows its
// destination. A new destination is one new file.
#ifndef RESMGR_AGENT_SINKS_SINK_H_
#define RESMGR_AGENT_SINKS_SINK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/event.h"

namespace resmgr::sinks {

// How far a destination has come in one journal: it is done with the event `seq` and all before.
// The digest is that event's, so that another event under the same number is noticed; it is empty
// where there is none to be had (0, or pruned).
struct Position {
  std::int64_t seq = 0;
  std::string digest;

  bool operator==(const Position&) const = default;
};

// Lower-case hex SHA-256 over every member of the event.
std::string digest_of(const Event& event);

// One event as it is sent.
struct Message {
  std::int64_t seq = 0;
  Instant time{};
  std::string type;
  std::string task_id;  // empty: it concerns no task
  std::string payload;  // what Sink::write() made, and a dead letter holds
  bool begins = false;  // as Sink::begins() of one of the events that it stands for
};

struct Batch {
  // In the journal's order; may be empty (then only the position moves). For a sink that keeps its
  // position: mostly the last of each task alone, and the tasks in the order of their first. Of a
  // first sync or of a dead letter that is tried again, `from` equals `to`: nothing moves.
  std::span<const Message> messages;
  // Only for sinks that keep their position: where it stands, and where this batch moves it.
  // `from` is empty if the destination has none for this journal yet.
  std::optional<Position> from;
  std::optional<Position> to;
  bool again = false;  // a dead letter, which somebody wants tried again
  // The next one follows at once. The destination need not have made this one safe from its own
  // crash before it answers, if that one does: where it has lost it, position() says so.
  bool more = false;
};

// What a destination answered, to be kept with the task's record.
struct MessageReceipt {
  std::string task_id;
  std::string body;
};

struct Outcome {
  enum class Kind {
    delivered,  // all of it, for good
    retry,      // the destination is away, or it is not known whether it took the batch
    rejected,   // it answered, and never will take this batch; one message may be to blame
    refused,    // it takes nothing from us until somebody acts; no message is to blame
    held,       // the message was not sent: somebody has to decide whether it is to be
  };
  Kind kind = Kind::delivered;
  std::string reason;                 // for people; no secrets
  std::string hint;                   // what to do about it; may be empty
  std::optional<Millis> retry_after;  // the destination's own wish
  std::vector<MessageReceipt> receipts;

  static Outcome delivered() { return {}; }
  static Outcome retry(std::string reason, std::optional<Millis> after = std::nullopt) {
    return {.kind = Kind::retry, .reason = std::move(reason), .retry_after = after};
  }
  static Outcome rejected(std::string reason) {
    return {.kind = Kind::rejected, .reason = std::move(reason)};
  }
  static Outcome refused(std::string reason, std::string hint = {}) {
    return {.kind = Kind::refused, .reason = std::move(reason), .hint = std::move(hint)};
  }
  static Outcome held(std::string reason) {
    return {.kind = Kind::held, .reason = std::move(reason)};
  }
};

// What a method throws that can't return an outcome.
class SinkFailure final : public Error {
 public:
  explicit SinkFailure(Outcome outcome)
      : Error(ErrorKind::unavailable, outcome.reason, outcome.hint), outcome_(std::move(outcome)) {}
  const Outcome& outcome() const { return outcome_; }

 private:
  Outcome outcome_;
};

// A batch has at most this, and at least one message.
struct Limits {
  int messages = 1'000;
  std::size_t bytes = std::size_t{4} << 20;  // of the payloads together
};

// All is called by one thread, except interrupt(). A method may throw SinkFailure, or any other
// Error, which counts as Outcome::retry. A call ends within the configured time limit.
class Sink {
 public:
  virtual ~Sink() = default;

  // "postgres", "seq", …: constant, and the name of its cursor.
  virtual std::string_view name() const = 0;
  virtual Limits limits() const = 0;

  virtual bool wants(const EventView& event) const = 0;
  // Puts the bytes that stand for the event in the place of what `payload` has. It may read the
  // journal, and does no other I/O.
  virtual void write(const EventView& event, std::string& payload) = 0;
  virtual Outcome deliver(const Batch& batch) = 0;

  // Whether the destination can have nothing of the event's task before this event. A hint: after a
  // restore it may be wrong.
  virtual bool begins(const EventView& /*event*/) const { return false; }

  // Whether the destination holds the last state of each task, and where it stands. Then its first
  // sync begins with a row of each task there is: position() is empty, and messages come whose
  // type is kTaskRow and whose payload is what write() makes of an event with that task. Of such a
  // sink wants(), write() and begins() get events without user_id and details, and are called by
  // another thread, too, while deliver() runs.
  virtual bool keeps_position() const { return false; }
  // Where the destination stands in this journal; asked first, and again after each
  // Outcome::retry: a batch in doubt is settled by that.
  virtual std::optional<Position> position(std::string_view /*journal_id*/) { return std::nullopt; }

  // Where events were pruned that it had not got yet: what it is to get all the same, as events
  // that are remade from what outlives them. Asked until there is none: what was delivered or set
  // aside may not come again.
  virtual std::vector<Event> left_over(int /*limit*/) { return {}; }

  // The time has come for something that is not a delivery (a level to be read anew). Called when
  // there is nothing to deliver; returns when it wants to be called again.
  virtual std::optional<Millis> idle() { return std::nullopt; }

  // From another thread: makes the call under way end soon, with Outcome::retry, and each later
  // one too. May be called when none is under way.
  virtual void interrupt() noexcept {}
};

// Type of the messages of a first sync: what they say is the task's row and no event.
inline constexpr char kTaskRow[] = "task";

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_SINK_H_
