// A refusal by a limit, with its figures.
#ifndef RESMGR_COMMON_LIMIT_ERROR_H_
#define RESMGR_COMMON_LIMIT_ERROR_H_

#include <string>
#include <utility>

#include "common/error.h"

namespace resmgr {

// In tasks or starts; of memory_overcommit in bytes, of cpu_overcommit in cores.
struct LimitUse {
  std::string name;  // as in [limits]: "tasks_per_user"
  double max = 0;
  double used = 0;  // by those in Error::task_ids, and perhaps others whom the caller may not see
};

// `problem` is "limit-" and the name with hyphens; with `retry_after`, a rate (429 instead of 409).
class LimitError final : public Error {
 public:
  LimitError(LimitUse use, std::string message, std::string hint = {})
      : Error(ErrorKind::limit, std::move(message), std::move(hint)), use_(std::move(use)) {
    problem = "limit-" + use_.name;
    for (char& c : problem) {
      if (c == '_') c = '-';
    }
  }

  const LimitUse& use() const { return use_; }

 private:
  LimitUse use_;
};

}  // namespace resmgr

#endif  // RESMGR_COMMON_LIMIT_ERROR_H_
