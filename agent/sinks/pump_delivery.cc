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

}  // namespace

Outcome Pump::send(const std::vector<Message>& messages, const std::optional<Position>& to) {
  Batch batch{.messages = messages};
  if (sink_->keeps_position()) {
    batch.from = position_;
    batch.to = to;
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

std::optional<Millis> Pump::fall_back(const Outcome& outcome, const Load& load) {
  if (outcome.kind != Outcome::Kind::rejected) return go_down(outcome);
  if (load.messages.size() > 1) {
    limit_ = static_cast<int>(load.messages.size() / 2);
    return Millis{0};
  }
  if (load.messages.empty()) return health_.refuse(outcome);
  if (++rejects_in_a_row_ >= kRejectsInARow) return health_.refuse(outcome);
  if (first_sync_) {
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
  return outcome.kind == Outcome::Kind::refused ? health_.refuse(outcome) : health_.fail(outcome);
}

void Pump::note_delivered() {
  rejects_in_a_row_ = 0;
  limit_ = static_cast<int>(std::min<std::int64_t>(sink_->limits().messages, 2LL * limit_));
}

void Pump::move_to(const Position& position, std::vector<MessageReceipt> receipts) {
  note_delivered();
  attempted_.clear();
  stands_before_letter_ = false;
  position_ = position;
  see(position);
  // Even if it can't be saved: what was delivered is not sent again by this process.
  unsaved_ = {.position = true, .receipts = std::move(receipts)};
  save();
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
  if (!located_ || first_sync_ || health_.is_down() || !position_ || *position_ == seen_) return;
  try {
    if (sink_->keeps_position() && send({}, seen_).kind != Outcome::Kind::delivered) return;
    move_to(Position(seen_), {});
  } catch (const std::exception& error) {
    log::warning("Sink {Sink} could not save how far it has come: {Reason}",
                 {{"Sink", sink_->name()}, {"Reason", error.what()}});
  }
}

}  // namespace resmgr::sinks
