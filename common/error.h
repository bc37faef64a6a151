// The one error type of both programs. Adapters translate their library's exceptions into it at
// their edge; one table maps its kind to an HTTP status (agent/api) and to an exit code (cli).
//
// Form of the message: cannot <verb> <thing> '<value>': <cause>   (lower case, no full stop)
// Form of the hint:    an imperative that follows "Try: "         (may be empty)
#ifndef RESMGR_COMMON_ERROR_H_
#define RESMGR_COMMON_ERROR_H_

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace resmgr {

enum class ErrorKind {
  usage,            // the caller's input is wrong
  config,           // the operator's configuration is wrong
  unauthenticated,  // who calls is not known
  forbidden,        // who calls is known, and may not
  not_found,
  conflict,     // the state does not allow it
  limit,        // a quota or a rate is used up
  not_ready,    // a service did not become ready in time
  unavailable,  // a party is away or did not answer: the outcome is unknown
  rejected,     // a party answered, and refused
  corrupt,      // stored data can't be trusted
  internal,     // a defect of ours
};

// Stable lower-case name of a kind, e.g. "not_found".
std::string_view to_string(ErrorKind kind);

// One fault in a request body. `pointer` is a JSON pointer (RFC 6901), e.g. "/serviceType".
struct FieldError {
  std::string pointer;
  std::string detail;
};

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {})
      : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const char* what() const noexcept override { return message_.c_str(); }

  // Name of the problem type (urn:resmgr:problem:<name>) where it is finer than the kind, e.g.
  // "limit-tasks-per-user"; empty: the kind's own.
  std::string problem;
  // Faults of a request body, all of them at once.
  std::vector<FieldError> fields;
  // The tasks that hold the limit, or that a short id could mean.
  std::vector<std::string> task_ids;
  // When it is worth asking again.
  std::optional<std::chrono::seconds> retry_after;

 private:
  ErrorKind kind_;
  std::string message_;
  std::string hint_;
};

}  // namespace resmgr

#endif  // RESMGR_COMMON_ERROR_H_
