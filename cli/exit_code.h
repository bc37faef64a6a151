// What the command's exit code says; --help and resmgr(1) list the same.
#ifndef RESMGR_CLI_EXIT_CODE_H_
#define RESMGR_CLI_EXIT_CODE_H_

#include <string>
#include <utility>

#include "common/error.h"

namespace resmgr::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kUnreachable = 3;
inline constexpr int kNotAllowed = 4;
inline constexpr int kNotFound = 5;
inline constexpr int kLimit = 6;
inline constexpr int kNotReady = 7;
inline constexpr int kInterrupted = 130;

// The agent gave no answer. An agent that answers and says that something else is away (the
// engine, its disk) is Error(unavailable), and exits otherwise.
class AgentUnreachable final : public Error {
 public:
  explicit AgentUnreachable(std::string message, std::string hint = {})
      : Error(ErrorKind::unavailable, std::move(message), std::move(hint)) {}

  // Whether the agent may have got the request; false: there never was a connection.
  bool may_have_been_sent = false;
};

// The user gave up, and what there was to undo is undone, as far as the message does not say
// otherwise.
class Interrupted final : public Error {
 public:
  explicit Interrupted(std::string message, std::string hint = {})
      : Error(ErrorKind::conflict, std::move(message), std::move(hint)) {}
};

int exit_code(const Error& error);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_EXIT_CODE_H_
