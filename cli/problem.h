// An agent's refusal (RFC 9457, application/problem+json) as an Error.
#ifndef RESMGR_CLI_PROBLEM_H_
#define RESMGR_CLI_PROBLEM_H_

#include <string_view>

#include "common/error.h"
#include "common/http.h"

namespace resmgr::cli {

inline constexpr std::string_view kProblemPrefix = "urn:resmgr:problem:";

// `action` completes "cannot …": "stop task '4f3a9c0d1e2f'". The kind follows from the status; for
// 409 from the problem's type, since a quota and a state are told apart there only. Bodies that
// are no problem (a proxy's page) leave the status to speak.
Error error_from(const HttpResponse& response, std::string_view action);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_PROBLEM_H_
