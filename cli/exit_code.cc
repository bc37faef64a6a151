#include "cli/exit_code.h"

namespace resmgr::cli {

int exit_code(const Error& error) {
  if (dynamic_cast<const AgentUnreachable*>(&error) != nullptr) return kUnreachable;
  if (dynamic_cast<const Interrupted*>(&error) != nullptr) return kInterrupted;
  switch (error.kind()) {
    case ErrorKind::usage:
      return kUsage;
    case ErrorKind::unauthenticated:
    case ErrorKind::forbidden:
      return kNotAllowed;
    case ErrorKind::not_found:
      return kNotFound;
    case ErrorKind::limit:
      return kLimit;
    case ErrorKind::not_ready:
      return kNotReady;
    case ErrorKind::config:
    case ErrorKind::conflict:
    case ErrorKind::unavailable:
    case ErrorKind::rejected:
    case ErrorKind::corrupt:
    case ErrorKind::internal:
      return kFailed;
  }
  return kFailed;
}

}  // namespace resmgr::cli
