// Moves what the journal holds to one sink: in order, at the destination's pace, with memory that
// does not grow with the backlog.
#ifndef RESMGR_AGENT_SINKS_PUMP_H_
#define RESMGR_AGENT_SINKS_PUMP_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "agent/journal/journal.h"
#include "agent/sinks/health.h"
#include "agent/sinks/load.h"
#include "agent/sinks/sink.h"
#include "agent/sinks/status.h"

namespace resmgr::sinks {

class Pump {
 public:
  Pump(const PumpOptions& options, journal::Journal& journal, std::unique_ptr<Sink> sink,
       const Clock& clock);
  ~Pump();  // request_stop() and join()
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  std::string_view name() const { return sink_->name(); }

  // One turn: at most one call of Sink::deliver(). Returns how long to wait before the next one: 0
  // = there is more to do, empty = until the journal grows. Never throws. For one thread.
  std::optional<Millis> step();
  // What is left of the position to be saved, before the end.
  void flush();

  // Loops step() on a thread.
  void run();
  // Begins the last flush; join() waits for it, and cuts it off when its time is over.
  void request_stop();
  void join();

  // Thread-safe.
  SinkStatus status() const;
  void wake();
  int retry();
  std::vector<journal::DeadLetter> letters(std::int64_t after, int limit) const;

 private:
  // The rows of a first sync: tasks older than `before` are still to come.
  struct FirstSync {
    Position start;  // events after it come afterwards
    std::string before;
  };
  // The load that comes after one that is being delivered, read meanwhile.
  struct Ahead {
    Position after;
    int most = 0;
    std::future<Load> load;
  };
  struct Unsaved {
    bool position = false;
    std::vector<MessageReceipt> receipts;
  };

  // All as step().
  std::optional<Millis> turn();
  std::optional<Millis> sync_rows();
  std::optional<Millis> advance();
  // Empty: nothing is left over.
  std::optional<Millis> make_up();
  std::optional<Millis> rest();
  std::optional<Millis> retry_letter(const journal::DeadLetter& letter);
  std::optional<Millis> fall_back(const Outcome& outcome, const Load& load);

  // Empty: it is known now where the destination stands.
  std::optional<Outcome> locate();
  std::optional<Outcome> accept(const std::optional<Position>& there);
  void stand_at(const Position& position);
  void renew_journal(std::int64_t acknowledged);
  bool belongs_here(const Position& position) const;
  void begin_first_sync();
  void record_gap(std::int64_t pruned_to);

  Load next_events();
  Load read_events(std::int64_t after, int most) const;
  void read_ahead(const Load& load);
  int limit_after_success() const;
  Load next_rows();
  Load load_of(const std::vector<Event>& events) const;
  Outcome send(const std::vector<Message>& messages, const std::optional<Position>& to,
               bool again = false);
  void note_delivered();
  void move_to(const Position& position, std::vector<MessageReceipt> receipts);
  void set_aside(const Message& message, const Outcome& outcome, int attempts,
                 const std::optional<Position>& move);
  bool is_save_due() const;
  void save();
  void see(const Position& position);
  Position position_at(std::int64_t seq) const;
  Millis go_down(const Outcome& outcome);

  void loop(const std::stop_token& stop);
  void pause(const std::stop_token& stop, std::optional<Millis> wait);
  bool cut_off();

  const PumpOptions options_;
  journal::Journal& journal_;
  const std::unique_ptr<Sink> sink_;
  const Clock& clock_;
  Health health_;

  // The stepping thread's own.
  bool located_ = false;
  std::optional<Position> position_;  // of the destination
  Position seen_;                     // up to here nothing is left to be sent
  std::vector<Position> attempted_;   // where a batch in doubt may have moved it
  bool known_ = false;                // position_ was once agreed upon
  std::optional<FirstSync> first_sync_;
  std::optional<Ahead> ahead_;
  Unsaved unsaved_;
  Millis saved_at_{0};                 // since boot
  int limit_;                          // messages in a batch, fewer while a bad one is looked for
  int rejects_in_a_row_ = 0;           // of single messages
  bool stands_before_letter_ = false;  // the destination's position does

  std::atomic<std::int64_t> shown_seen_{0};
  std::atomic<bool> letters_due_{true};

  std::mutex mutex_;  // over what follows
  std::condition_variable_any changed_;
  bool woken_ = false;
  bool grown_ = false;
  bool cut_off_ = false;
  bool ended_ = true;
  std::chrono::steady_clock::time_point last_moment_{};
  std::jthread thread_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_PUMP_H_
