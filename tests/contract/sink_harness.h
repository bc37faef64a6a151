// What the contract of sinks that keep their position needs of a destination.
#ifndef RESMGR_TESTS_CONTRACT_SINK_HARNESS_H_
#define RESMGR_TESTS_CONTRACT_SINK_HARNESS_H_

#include <map>
#include <memory>
#include <string>

#include "agent/sinks/sink.h"

namespace resmgr::sinks {

class SinkHarness {
 public:
  virtual ~SinkHarness() = default;

  // All of them lead to one destination, and belong to one agent.
  virtual std::unique_ptr<Sink> make_sink() = 0;
  // Task id -> its status (of the REST contract), as the destination has it.
  virtual std::map<std::string, std::string> statuses() = 0;

  virtual void go_away() = 0;
  virtual void come_back() = 0;
  // The next delivery is in doubt: it is taken or not, and the answer does not come.
  virtual void lose_next_answer(bool taken) = 0;
  // From now on no row of this task can be taken.
  virtual void refuse(const std::string& task_id) = 0;
  // It takes what it is given and answers nothing.
  virtual void freeze() = 0;
  virtual void thaw() = 0;
};

// A new destination, in which nothing is.
std::unique_ptr<SinkHarness> make_sink_harness();

}  // namespace resmgr::sinks

#endif  // RESMGR_TESTS_CONTRACT_SINK_HARNESS_H_
