// What a pump makes of a destination's answers.
#include <algorithm>
#include <utility>

#include "agent/sinks/pump.h"
#include "common/failpoint.h"
#include "common/log.h"

namespace resmgr::sinks {
namespace {

// A destination that refuses so many single messages in a row, and takes none, refuses everything:
// a wrong address or a missing schema must not make a dead letter of each event.
constexpr int kRejectsInARow = 20;

constexpr Millis kSavedAtLeastEvery{1'000};

}  // namespace

Outcome Pump::send(const std::vector<Message>& messages, const std::optional<Position>& to,
                   bool again) {
  Batch batch{.messages = messages, .from = {}, .to = {}, .again = again};
  if (sink_->keeps_position()) {
    batch.from = position_;
    batch.to = to;
    batch.more = ahead_.has_value();
    const bool moves = to && to != position_;
    if (moves && std::ranges::find(attempted_, *to) == attempted_.end()) attempted_.push_back(*to);
  }
  failpoint("sink.before_deliver");
  Outcome outcome = sink_->deliver(batch);
  failpoint("sink.after_deliver");
  if (outcome.kind == Outcome::Kind::delivered) {
    health_.succeed();
  } else if (outcome.kind == Outcome::Kind::retry && sink_->keeps_position()) {
    located_ = false;
  }
  return outcome;
}

// A call takes what is left over, in its own order; the position moves when none is.
std::optional<Millis> Pump::make_up() {
  Load load = load_of(sink_->left_over(limit_));
  if (load.messages.empty()) return std::nullopt;
  load.left_over = true;
  Outcome outcome = send(load.messages, position_);
  if (outcome.kind != Outcome::Kind::delivered) return fall_back(outcome, load);
  note_delivered();
  unsaved_.receipts = std::move(outcome.receipts);
  if (!unsaved_.receipts.empty()) save();
  return Millis{0};
}

std::optional<Millis> Pump::rest() {
  if (stands_before_letter_) {
    const Outcome outcome = send({}, seen_);
    if (outcome.kind != Outcome::Kind::delivered) return go_down(outcome);
    move_to(Position(seen_), {});
  }
  if (letters_due_.exchange(false)) {
    const auto letter = journal_.reading(
        [&](journal::Reader& reader) { return reader.cursors().due_letter(sink_->name()); });
    if (letter) {
      letters_due_ = true;
      return retry_letter(*letter);
    }
  }
  const auto wait = sink_->idle();
  if (health_.is_down()) health_.succeed();
  return wait;
}

std::optional<Millis> Pump::retry_letter(const journal::DeadLetter& letter) {
  const Message message{letter.seq, letter.time, letter.type, letter.task_id, letter.payload};
  Outcome outcome = send({message}, position_, true);
  switch (outcome.kind) {
    case Outcome::Kind::delivered:
      journal_.transact([&](journal::Transaction& transaction) {
        transaction.cursors().discard(letter.sink, letter.seq, letter.task_id);
        for (auto& receipt : outcome.receipts) {
          transaction.cursors().put_receipt(
              {letter.sink, receipt.task_id, clock_.now(), receipt.body});
        }
      });
      return Millis{0};
    case Outcome::Kind::rejected:
    case Outcome::Kind::held:
      set_aside(message, outcome, letter.attempts + 1, std::nullopt);
      return Millis{0};
    case Outcome::Kind::retry:
    case Outcome::Kind::refused:
      break;
  }
  return go_down(outcome);
}

std::optional<Millis> Pump::fall_back(const Outcome& outcome, const Load& load) {
  const bool held = outcome.kind == Outcome::Kind::held;
  if (outcome.kind != Outcome::Kind::rejected && !held) return go_down(outcome);
  if (load.messages.size() > 1 || load.replaced) {
    limit_ = std::max(static_cast<int>(load.messages.size() / 2), 1);
    return Millis{0};
  }
  if (load.messages.empty()) return health_.refuse(outcome);
  // What was not sent says nothing of the destination.
  if (!held && ++rejects_in_a_row_ >= kRejectsInARow) return health_.refuse(outcome);
  if (load.left_over) {
    set_aside(load.messages.front(), outcome, 1, std::nullopt);
  } else if (first_sync_) {
    set_aside(load.messages.front(), outcome, 1, std::nullopt);
    first_sync_->before = load.last;
  } else if (sink_->keeps_position()) {
    set_aside(load.messages.front(), outcome, 1, std::nullopt);
    stands_before_letter_ = true;
    see(load.end);
  } else {
    set_aside(load.messages.front(), outcome, 1, load.end);
    position_ = load.end;
    see(load.end);
  }
  return Millis{0};
}

Millis Pump::go_down(const Outcome& outcome) {
  ahead_.reset();
  return outcome.kind == Outcome::Kind::refused ? health_.refuse(outcome) : health_.fail(outcome);
}

void Pump::note_delivered() {
  rejects_in_a_row_ = 0;
  limit_ = limit_after_success();
}

int Pump::limit_after_success() const {
  return static_cast<int>(std::min<std::int64_t>(sink_->limits().messages, 2LL * limit_));
}

void Pump::move_to(const Position& position, std::vector<MessageReceipt> receipts) {
  note_delivered();
  attempted_.clear();
  stands_before_letter_ = false;
  position_ = position;
  see(position);
  // Even if it can't be saved: what was delivered is not sent again by this process.
  unsaved_ = {.position = true, .receipts = std::move(receipts)};
  if (is_save_due()) save();
}

// In a backlog of a destination that knows where it stands, a sync for each batch would take a good
// part of the time, for what is merely shown and pins the retention.
bool Pump::is_save_due() const {
  if (!unsaved_.receipts.empty()) return true;
  return unsaved_.position && (!ahead_ || clock_.since_boot() - saved_at_ >= kSavedAtLeastEvery);
}

void Pump::save() {
  failpoint("cursor.before_commit");
  journal_.transact([&](journal::Transaction& transaction) {
    journal::CursorWriter& cursors = transaction.cursors();
    cursors.move({.sink = std::string(sink_->name()),
                  .seq = position_->seq,
                  .digest = position_->digest,
                  .attached = true,
                  .moved_at = clock_.now()});
    for (const MessageReceipt& receipt : unsaved_.receipts) {
      cursors.put_receipt(
          {std::string(sink_->name()), receipt.task_id, clock_.now(), receipt.body});
    }
  });
  failpoint("cursor.after_commit");
  unsaved_ = {};
  saved_at_ = clock_.since_boot();
}

void Pump::set_aside(const Message& message, const Outcome& outcome, int attempts,
                     const std::optional<Position>& move) {
  const std::string sink(sink_->name());
  failpoint("dead_letter.before_commit");
  journal_.transact([&](journal::Transaction& transaction) {
    transaction.cursors().set_aside({.sink = sink,
                                     .seq = message.seq,
                                     .task_id = message.task_id,
                                     .time = message.time,
                                     .type = message.type,
                                     .payload = message.payload,
                                     .reason = outcome.reason,
                                     .set_aside_at = clock_.now(),
                                     .attempts = attempts});
    if (move) transaction.cursors().move({sink, move->seq, move->digest, true, clock_.now()});
  });
  failpoint("dead_letter.after_commit");
  log::warning("Sink {Sink} never takes event {Seq}, which is set aside: {Reason}",
               {{"Sink", sink}, {"Seq", message.seq}, {"Reason", outcome.reason}});
}

void Pump::see(const Position& position) {
  seen_ = position;
  shown_seen_ = position.seq;
}

void Pump::flush() {
  ahead_.reset();
  const bool behind =
      located_ && !first_sync_ && !health_.is_down() && position_ && *position_ != seen_;
  try {
    if (behind && (!sink_->keeps_position() || send({}, seen_).kind == Outcome::Kind::delivered)) {
      move_to(Position(seen_), {});
    }
    if (unsaved_.position) save();
  } catch (const std::exception& error) {
    log::warning("Sink {Sink} could not save how far it has come: {Reason}",
                 {{"Sink", sink_->name()}, {"Reason", error.what()}});
  }
}

}  // namespace resmgr::sinks
