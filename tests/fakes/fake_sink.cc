#include "tests/fakes/fake_sink.h"

#include <algorithm>
#include <utility>

namespace resmgr::sinks {

std::vector<Message> FakeDestination::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

std::vector<std::int64_t> FakeDestination::taken_seqs() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::int64_t> seqs;
  for (const Message& message : taken_) seqs.push_back(message.seq);
  return seqs;
}

std::vector<std::size_t> FakeDestination::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

std::optional<Position> FakeDestination::position(std::string_view journal_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = positions_.find(journal_id);
  return found == positions_.end() ? std::nullopt : std::optional(found->second);
}

void FakeDestination::set_answer(std::function<std::optional<Outcome>(const Batch&)> answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

void FakeDestination::set_poison(std::function<bool(const Message&)> poison) {
  const std::lock_guard lock(mutex_);
  poison_ = std::move(poison);
}

void FakeDestination::lose_next_answer(bool taken) {
  const std::lock_guard lock(mutex_);
  lost_ = taken;
}

void FakeDestination::freeze() {
  const std::lock_guard lock(mutex_);
  frozen_ = true;
}

void FakeDestination::thaw() {
  const std::lock_guard lock(mutex_);
  frozen_ = false;
  changed_.notify_all();
}

bool FakeDestination::frozen_delivery() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

void FakeDestination::forget_position(const std::string& journal_id) {
  const std::lock_guard lock(mutex_);
  positions_.erase(journal_id);
}

void FakeDestination::move_position(const std::string& journal_id, const Position& position) {
  const std::lock_guard lock(mutex_);
  positions_[journal_id] = position;
}

void FakeDestination::interrupt(bool& interrupted) {
  const std::lock_guard lock(mutex_);
  interrupted = true;
  changed_.notify_all();
}

Outcome FakeDestination::deliver(const Batch& batch, const std::string& journal_id,
                                 bool keeps_position, const bool& interrupted) {
  std::unique_lock lock(mutex_);
  asked_.push_back(batch.messages.size());
  waiting_ = frozen_;
  changed_.wait(lock, [&] { return !frozen_ || interrupted; });
  waiting_ = false;
  if (interrupted) return Outcome::retry("was interrupted");
  if (answer_) {
    if (auto outcome = answer_(batch)) return *outcome;
  }
  if (poison_ && std::ranges::any_of(batch.messages, poison_)) return Outcome::rejected("poison");
  const std::optional<bool> lost = std::exchange(lost_, std::nullopt);
  if (lost == false) return Outcome::retry("the connection was cut");
  if (keeps_position) {
    const auto found = positions_.find(journal_id);
    const auto stands = found == positions_.end() ? std::nullopt : std::optional(found->second);
    if (stands != batch.from) return Outcome::retry("its position is another");
    if (batch.to) positions_[journal_id] = *batch.to;
  }
  taken_.insert(taken_.end(), batch.messages.begin(), batch.messages.end());
  return lost == true ? Outcome::retry("the connection was cut") : Outcome::delivered();
}

std::optional<Position> FakeSink::position(std::string_view journal_id) {
  journal_id_ = journal_id;
  return destination_.position(journal_id);
}

}  // namespace resmgr::sinks
