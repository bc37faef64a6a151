// Errors as callers see them: RFC 9457 problem details, application/problem+json.
#ifndef RESMGR_AGENT_API_PROBLEMS_H_
#define RESMGR_AGENT_API_PROBLEMS_H_

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/api/message.h"
#include "common/error.h"
#include "common/json.h"

namespace resmgr::api {

// The one table from a kind (and, where it is finer, a problem's name) to an HTTP status.
int status_of(const Error& error);

// The answer to a request that failed with `error`. What concerns us alone (corrupt, internal,
// config) is logged with the request's id, and its text is kept from the caller.
Response problem_response(const Error& error, const Request& request);

// A problem that HTTP alone knows (405, 413, 415, 431, …). `name` ends the type's URN.
Response problem_response(int status, std::string_view name, std::string_view detail,
                          const Request& request);

// `members` are put beside the standard ones.
Response problem_response(int status, std::string_view name, std::string_view detail,
                          const Request& request, Json members);

// Seconds for a Retry-After: `base` and up to as much again at random, so that callers who were
// turned away together don't come back together.
std::chrono::seconds with_jitter(std::chrono::seconds base);

// The reason phrase of RFC 9110; empty for a status that we don't use.
std::string_view reason_phrase(int status);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_PROBLEMS_H_
