// A journal in which tasks live their lives, and a pump from it, as an agent has them.
#ifndef RESMGR_TESTS_CONTRACT_JOURNAL_HOST_H_
#define RESMGR_TESTS_CONTRACT_JOURNAL_HOST_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/journal/journal.h"
#include "agent/sinks/pump.h"
#include "common/event.h"
#include "tests/fakes/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace resmgr::sinks {

class JournalHost {
 public:
  using MakeSink = std::function<std::unique_ptr<Sink>()>;
  JournalHost(std::string name, MakeSink make_sink);

  // Journal and pump anew, as the next process has them after this one was killed.
  void restart();
  void make_pump();
  std::string file() const { return dir.path() / "journal.db"; }

  // Steps until there is nothing to do at once; what the last step said.
  std::optional<Millis> settle();
  // Goes on until all is delivered; whether it ever was.
  bool deliver_all();
  // The same with the pump's own thread, which has ended when this returns.
  bool await_all();
  SinkStatus status() const { return pump->status(); }
  std::string cause() const { return status().last_error; }

  journal::TaskRow admit();
  void change(journal::TaskRow& row, std::string_view event_type);
  // Start requested, created, started, ready.
  journal::TaskRow run();
  // Stop requested, ended, removed.
  void end(journal::TaskRow& row);
  // Ended, with its usage record.
  void record_end(journal::TaskRow& row, Instant stop_time);
  // A start that failed.
  journal::TaskRow fail();

  const std::string name;
  FakeClock clock;
  support::TempDir dir;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<Pump> pump;
  PumpOptions pump_options{.backoff_min = Millis{1}, .backoff_max = Millis{50}};

 private:
  MakeSink make_sink_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_TESTS_CONTRACT_JOURNAL_HOST_H_
