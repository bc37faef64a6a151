// One line on standard error that says what is waited for; nothing where that is no terminal.
#ifndef RESMGR_CLI_PROGRESS_H_
#define RESMGR_CLI_PROGRESS_H_

#include <string>
#include <string_view>

#include "cli/surroundings.h"
#include "common/clock.h"
#include "common/json.h"

namespace resmgr::cli {

class ProgressLine {
 public:
  ProgressLine(const Surroundings& surroundings, bool wanted);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows `text` and the seconds since the object was made in place of what it showed; the same
  // text not more often than ten times a second.
  void show(std::string_view text);
  void clear();

 private:
  const Surroundings& surroundings_;
  bool shown_ = false;
  bool wanted_;
  Millis begin_;
  Millis last_{};
  std::string text_;
};

// "pulling its image", with a bar where it is known how much there is: of the agent's `pull`.
std::string pull_phase(const Json& pull);

// What a starting task (single-task answer, with its progress and its events) waits for; while its
// image is pulled with a bar.
std::string start_phase(const Json& task);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_PROGRESS_H_
