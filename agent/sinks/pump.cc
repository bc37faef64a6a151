#include "agent/sinks/pump.h"

#include <algorithm>
#include <utility>

#include "common/error.h"
#include "common/give_way.h"
#include "common/json.h"
#include "common/log.h"
#include "common/wire.h"

namespace resmgr::sinks {
namespace {

// So many events may be passed over before the position is moved past them.
constexpr std::int64_t kPassedOver = 1'000;

// So many events are looked at for each message that a load may have.
constexpr int kLookedAtForEach = 8;
constexpr int kLeastPage = 64;

Event event_of(const Task& task, std::int64_t head) {
  Event event;
  event.seq = head;
  event.time = task.created_at;
  event.type = kTaskRow;
  event.task_id = task.task_id;
  event.user_id = task.user_id;
  event.task = dump_json(wire::task_to_json(task));
  return event;
}

Position event_position(journal::Reader& reader, std::int64_t seq) {
  const auto events = reader.events_after(seq - 1, 1, "");
  const bool found = !events.empty() && events.front().seq == seq;
  return {seq, found ? digest_of(events.front()) : ""};
}

}  // namespace

Pump::Pump(const PumpOptions& options, journal::Journal& journal, std::unique_ptr<Sink> sink,
           const Clock& clock)
    : options_(options),
      journal_(journal),
      sink_(std::move(sink)),
      clock_(clock),
      health_(std::string(sink_->name()), options, clock),
      limit_(sink_->limits().messages) {
  const auto cursor = journal_.reading(
      [&](journal::Reader& reader) { return reader.cursors().cursor(sink_->name()); });
  // A new one begins with the first event that is kept.
  see(cursor ? Position{cursor->seq, cursor->digest} : Position{journal_.pruned_to(), ""});
}

std::optional<Millis> Pump::step() {
  Outcome failure;
  try {
    return turn();
  } catch (const SinkFailure& error) {
    failure = error.outcome();
  } catch (const Error& error) {
    failure = Outcome::retry(error.message());
    failure.hint = error.hint();
  } catch (const std::exception& error) {
    failure = Outcome::retry(error.what());
  }
  if (sink_->keeps_position()) located_ = false;
  return go_down(failure);
}

std::optional<Millis> Pump::turn() {
  if (is_save_due()) save();
  if (!located_) {
    if (const auto obstacle = locate()) return go_down(*obstacle);
    if (!located_) return Millis{0};
  }
  if (first_sync_) return sync_rows();
  const std::int64_t pruned_to = journal_.pruned_to();
  if (seen_.seq < pruned_to) {
    if (const auto wait = make_up()) return wait;
    record_gap(pruned_to);
    return Millis{0};
  }
  return advance();
}

std::optional<Outcome> Pump::locate() {
  if (sink_->keeps_position()) return accept(sink_->position(journal_.id()));
  position_ = seen_;
  located_ = true;
  return std::nullopt;
}

std::optional<Outcome> Pump::accept(const std::optional<Position>& there) {
  const bool attempted = there && std::ranges::find(attempted_, *there) != attempted_.end();
  if (known_ && (there == position_ || attempted)) {
    if (attempted) {
      stand_at(*there);
      first_sync_.reset();
    }
  } else if (!there) {
    // Its first sync, or its database is another one than it was.
    position_.reset();
    begin_first_sync();
  } else if (belongs_here(*there) && (!known_ || (position_ && there->seq < position_->seq))) {
    // At the start; or later, where its database was restored from a copy.
    stand_at(*there);
    first_sync_.reset();
  } else if (known_) {
    return Outcome::refused("another agent moves the position of this journal: there are two of it",
                            "end the agent that runs on a copy of this one's data directory, and "
                            "restart this one");
  } else {
    renew_journal(there->seq);
    return std::nullopt;
  }
  known_ = true;
  located_ = true;
  attempted_.clear();
  return std::nullopt;
}

void Pump::stand_at(const Position& position) {
  position_ = position;
  see(position);
  stands_before_letter_ = false;
}

void Pump::renew_journal(std::int64_t acknowledged) {
  const std::string old_id = journal_.id();
  // First: what is not noticed now is not noticed again.
  const Json details = {{"earlierJournal", old_id}, {"sink", sink_->name()}, {"seq", acknowledged}};
  journal_.transact([&](journal::Transaction& transaction) {
    transaction.append(event_type::kJournalRestored, clock_.now(), dump_json(details));
  });
  journal_.renew_id();
  log::error(
      "Sink {Sink} has event {Seq} of journal {OldJournal}, which is not this one's: it was "
      "restored or replaced, and is now journal {Journal}",
      {{"Sink", sink_->name()},
       {"Seq", acknowledged},
       {"OldJournal", old_id},
       {"Journal", journal_.id()}});
}

// A journal that was restored lacks the events that came after its copy was made, or has others
// under their numbers.
bool Pump::belongs_here(const Position& position) const {
  if (position.seq > journal_.head()) return false;
  if (position.digest.empty() || position.seq <= journal_.pruned_to()) return true;
  return position_at(position.seq).digest == position.digest;
}

Position Pump::position_at(std::int64_t seq) const {
  return journal_.reading([&](journal::Reader& reader) { return event_position(reader, seq); });
}

void Pump::begin_first_sync() {
  first_sync_ = FirstSync{position_at(journal_.head()), ""};
  log::info("Sink {Sink} begins with the tasks there are, at event {Seq}",
            {{"Sink", sink_->name()}, {"Seq", first_sync_->start.seq}});
}

void Pump::record_gap(std::int64_t pruned_to) {
  if (sink_->keeps_position()) {
    // What was pruned is in the rows of the tasks.
    begin_first_sync();
    return;
  }
  log::warning("Sink {Sink} never gets events {First} to {Last}: they were pruned",
               {{"Sink", sink_->name()}, {"First", seen_.seq + 1}, {"Last", pruned_to}});
  const Json details = {{"sink", sink_->name()}, {"first", seen_.seq + 1}, {"last", pruned_to}};
  journal_.transact([&](journal::Transaction& transaction) {
    transaction.append(event_type::kSinkGap, clock_.now(), dump_json(details));
  });
  move_to({pruned_to, ""}, {});
}

std::optional<Millis> Pump::sync_rows() {
  const Load load = next_rows();
  if (load.empty) {
    const Position start = first_sync_->start;
    const Outcome outcome = send({}, start);
    if (outcome.kind != Outcome::Kind::delivered) return go_down(outcome);
    first_sync_.reset();
    move_to(start, {});
    return Millis{0};
  }
  if (!load.messages.empty()) {
    const Outcome outcome = send(load.messages, position_);
    if (outcome.kind != Outcome::Kind::delivered) return fall_back(outcome, load);
    note_delivered();
  }
  first_sync_->before = load.last;
  return Millis{0};
}

std::optional<Millis> Pump::advance() {
  const Load load = next_events();
  if (load.empty) return rest();
  if (load.messages.empty()) {
    see(load.end);
    if (!position_ || seen_.seq - position_->seq < kPassedOver) return Millis{0};
  }
  const bool needless = load.messages.empty() && !sink_->keeps_position();
  read_ahead(load);
  Outcome outcome = needless ? Outcome::delivered() : send(load.messages, load.end);
  if (outcome.kind != Outcome::Kind::delivered) return fall_back(outcome, load);
  move_to(load.end, std::move(outcome.receipts));
  return Millis{0};
}

Load Pump::next_events() {
  if (auto ahead = std::exchange(ahead_, std::nullopt)) {
    Load load = ahead->load.get();
    if (ahead->after == seen_ && ahead->most == limit_) return load;
  }
  return read_events(seen_.seq, limit_);
}

Load Pump::read_events(std::int64_t after, int most) const {
  using Parts = journal::Reader::Parts;
  const Parts parts = sink_->keeps_position() ? Parts::all_but_user_and_details : Parts::all;
  return journal_.reading([&](journal::Reader& reader) {
    LoadBuilder builder(*sink_, most);
    // Who takes few at once may want few of many.
    const int page = std::max(most * kLookedAtForEach, kLeastPage);
    reader.visit_events(after, page, parts,
                        [&](const EventView& event) { return builder.add(event); });
    Load load = builder.finish();
    if (!load.empty) load.end = event_position(reader, load.end.seq);
    return load;
  });
}

// Only where there is a backlog: the destination and this host work at the same time then.
void Pump::read_ahead(const Load& load) {
  if (!load.full || !sink_->keeps_position()) return;
  const int most = limit_after_success();
  ahead_ = Ahead{load.end, most, std::async(std::launch::async, [this, after = load.end.seq, most] {
                   give_way();
                   return read_events(after, most);
                 })};
}

// Each page is a view of its own, so that no view is held open across I/O. A row says how the task
// stands at the view's head; events up to that one say nothing new of it.
Load Pump::next_rows() {
  return load_of(journal_.reading([&](journal::Reader& reader) {
    std::vector<Event> events;
    const std::int64_t head = reader.cursors().head();
    for (const auto& row : reader.tasks({}, limit_, first_sync_->before)) {
      events.push_back(event_of(row.task, head));
    }
    return events;
  }));
}

Load Pump::load_of(const std::vector<Event>& events) const {
  LoadBuilder builder(*sink_, limit_);
  for (const Event& event : events) {
    if (!builder.add(event)) break;
  }
  return builder.finish();
}

}  // namespace resmgr::sinks
