// A destination in memory that remembers what it was given, and fails as it is told.
#ifndef RESMGR_TESTS_FAKES_FAKE_SINK_H_
#define RESMGR_TESTS_FAKES_FAKE_SINK_H_

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/sinks/sink.h"

namespace resmgr::sinks {

// Outlives the sinks that lead to it, as a server does. Thread-safe.
class FakeDestination {
 public:
  // What stands in it, in order, each message as often as it was taken.
  std::vector<Message> taken() const;
  std::vector<std::int64_t> taken_seqs() const;
  // Sizes of the batches that it was asked to take, refused ones too.
  std::vector<std::size_t> asked() const;
  std::optional<Position> position(std::string_view journal_id) const;

  // Answers before anything is taken; an outcome that is returned is the answer.
  void set_answer(std::function<std::optional<Outcome>(const Batch&)> answer);
  // A batch that holds one of these payloads is rejected.
  void set_poison(std::function<bool(const Message&)> poison);
  // The next delivery is in doubt: it is taken or not, and the answer does not come.
  void lose_next_answer(bool taken);
  // Deliveries wait until interrupt() or thaw().
  void freeze();
  void thaw();
  bool frozen_delivery() const;  // whether one waits now
  void forget_position(const std::string& journal_id);
  void move_position(const std::string& journal_id, const Position& position);

 private:
  friend class FakeSink;
  Outcome deliver(const Batch& batch, const std::string& journal_id, bool keeps_position,
                  const bool& interrupted);
  void interrupt(bool& interrupted);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Message> taken_;
  std::vector<std::size_t> asked_;
  std::map<std::string, Position, std::less<>> positions_;
  std::function<std::optional<Outcome>(const Batch&)> answer_;
  std::function<bool(const Message&)> poison_;
  std::optional<bool> lost_;
  bool frozen_ = false;
  bool waiting_ = false;
};

struct FakeSinkOptions {
  std::string name = "fake";
  Limits limits;
  bool keeps_position = false;
  std::function<bool(const EventView&)> wants;  // empty: all
};

class FakeSink final : public Sink {
 public:
  explicit FakeSink(FakeDestination& destination, FakeSinkOptions options = {})
      : destination_(destination), options_(std::move(options)) {}

  std::string_view name() const override { return options_.name; }
  Limits limits() const override { return options_.limits; }
  bool wants(const EventView& event) const override {
    return !options_.wants || options_.wants(event);
  }
  // The task, or the event's type where it has none.
  void write(const EventView& event, std::string& payload) override {
    payload = event.task.empty() ? event.type : event.task;
  }
  Outcome deliver(const Batch& batch) override {
    return destination_.deliver(batch, journal_id_, options_.keeps_position, interrupted_);
  }
  bool keeps_position() const override { return options_.keeps_position; }
  std::optional<Position> position(std::string_view journal_id) override;
  void interrupt() noexcept override { destination_.interrupt(interrupted_); }

 private:
  FakeDestination& destination_;
  const FakeSinkOptions options_;
  std::string journal_id_;
  bool interrupted_ = false;  // under the destination's lock
};

}  // namespace resmgr::sinks

#endif  // RESMGR_TESTS_FAKES_FAKE_SINK_H_
