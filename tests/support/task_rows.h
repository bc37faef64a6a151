// The rows of PostgreSQL's table `tasks` beside those that a journal says it should have.
#ifndef RESMGR_TESTS_SUPPORT_TASK_ROWS_H_
#define RESMGR_TESTS_SUPPORT_TASK_ROWS_H_

#include <string>

#include "common/task.h"
#include "tests/support/postgres_server.h"

namespace resmgr::support {

// Whether the task has a row: from the start of its container on, or once its start has failed.
bool has_row(const Task& task);

// Its row as text, of the nine columns of the data model and the phase, separated by '|'.
std::string row_of(const Task& task);

// The rows there are in `schema`, as row_of() writes them, then the columns of `more` (SQL, each
// preceded by a comma), a line each, in the order of their ids.
std::string rows_in(const PostgresServer& server, const std::string& database,
                    const std::string& schema, const std::string& more = "");

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_TASK_ROWS_H_
