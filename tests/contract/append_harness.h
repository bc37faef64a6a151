// What the contract of sinks whose position the journal keeps needs of a destination: one that
// takes what it is given, again too where that is in doubt.
#ifndef RESMGR_TESTS_CONTRACT_APPEND_HARNESS_H_
#define RESMGR_TESTS_CONTRACT_APPEND_HARNESS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/sinks/sink.h"

namespace resmgr::sinks {

class AppendHarness {
 public:
  virtual ~AppendHarness() = default;

  // All of them lead to one destination, and belong to one agent.
  virtual std::unique_ptr<Sink> make_sink() = 0;
  // Sequence numbers of the events that it has, in the order and as often as they came.
  virtual std::vector<std::int64_t> taken() = 0;

  virtual void go_away() = 0;
  virtual void come_back() = 0;
  // The next delivery is in doubt: it is taken or not, and the answer does not come.
  virtual void lose_next_answer(bool taken) = 0;
  // From now on no event of this task can be taken; "": none of any.
  virtual void refuse(const std::string& task_id) = 0;
  virtual void refuse_nothing() = 0;
  // It takes nothing and answers nothing.
  virtual void freeze() = 0;
  virtual void thaw() = 0;
};

// A new destination, in which nothing is.
std::unique_ptr<AppendHarness> make_append_harness();

}  // namespace resmgr::sinks

#endif  // RESMGR_TESTS_CONTRACT_APPEND_HARNESS_H_
