// Ctrl-C, where a command has something to undo.
#ifndef RESMGR_CLI_INTERRUPTS_H_
#define RESMGR_CLI_INTERRUPTS_H_

#include <memory>
#include <string>

#include "common/clock.h"

namespace resmgr::cli {

class Interrupts {
 public:
  virtual ~Interrupts() = default;

  // Waits until the first interrupt or for `timeout`; whether there was one (also earlier).
  virtual bool wait_for(Millis timeout) = 0;

  // What a second interrupt prints on standard error before it ends the program with 130 at once,
  // wherever the program is. Empty text: nothing.
  virtual void set_last_words(std::string text) = 0;
};

// SIGINT, SIGTERM and SIGHUP, for as long as the object lives; there can be one at a time. A signal
// that was ignored (nohup, a job in the background of a script) stays ignored.
std::unique_ptr<Interrupts> catch_signals();

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_INTERRUPTS_H_
