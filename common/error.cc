#include "common/error.h"

namespace resmgr {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::config:
      return "config";
    case ErrorKind::unauthenticated:
      return "unauthenticated";
    case ErrorKind::forbidden:
      return "forbidden";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::limit:
      return "limit";
    case ErrorKind::not_ready:
      return "not_ready";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::rejected:
      return "rejected";
    case ErrorKind::corrupt:
      return "corrupt";
    case ErrorKind::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace resmgr
