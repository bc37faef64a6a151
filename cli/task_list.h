// Prints tasks one after the other, in any form.
#ifndef RESMGR_CLI_TASK_LIST_H_
#define RESMGR_CLI_TASK_LIST_H_

#include <optional>
#include <string_view>

#include "cli/records.h"
#include "cli/session.h"
#include "cli/task_view.h"
#include "common/json.h"

namespace resmgr::cli {

class TaskList {
 public:
  // `ids_only` beats the form. With `endless` JSON is a text a line instead of one array.
  TaskList(Session& session, Format format, bool ids_only, bool endless);

  void add(const Json& task);
  // A table is printed here. Empty, it says `if_empty` on standard error.
  void end(std::string_view if_empty);

 private:
  // Nothing is printed before there is an answer.
  void begin();

  Session& session_;
  Format format_;
  bool ids_only_;
  bool endless_;
  bool begun_ = false;
  Instant now_;
  std::optional<Table> table_;
};

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_TASK_LIST_H_
