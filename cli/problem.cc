#include "cli/problem.h"

#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "cli/text.h"
#include "common/json.h"

namespace resmgr::cli {
namespace {

ErrorKind kind_of(int status, std::string_view problem) {
  switch (status) {
    case 401:
      return ErrorKind::unauthenticated;
    case 403:
      return ErrorKind::forbidden;
    case 404:
      return ErrorKind::not_found;
    case 409:
      return problem.find("limit") != std::string_view::npos ? ErrorKind::limit
                                                             : ErrorKind::conflict;
    case 429:
      return ErrorKind::limit;
    case 502:
      return ErrorKind::rejected;
    case 503:
      return ErrorKind::unavailable;
    case 504:
      return ErrorKind::not_ready;
    default:
      return status >= 400 && status < 500 ? ErrorKind::usage : ErrorKind::internal;
  }
}

Json problem_body(const HttpResponse& response) {
  const std::string_view type = response.header("Content-Type");
  if (type.find("json") == std::string_view::npos) return Json::object();
  try {
    Json body = parse_json(response.body, "problem");
    return body.is_object() ? body : Json::object();
  } catch (const Error&) {
    return Json::object();
  }
}

std::string usual_hint(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::unauthenticated:
      return "give a token with --token-file or RESMGR_TOKEN; on the agent's own host its socket "
             "needs none";
    case ErrorKind::forbidden:
      return "ask an admin, or use a token of one";
    default:
      return {};
  }
}

// Details of ours have the whole form; others are completed to it.
std::string message_of(const HttpResponse& response, const Json& body, std::string_view action) {
  std::string detail = printable(string_or(body, "detail"));
  if (detail.empty()) detail = printable(string_or(body, "title"));
  if (detail.starts_with("cannot ")) return detail;
  if (detail.empty()) detail = "the agent answered " + std::to_string(response.status);
  return "cannot " + std::string(action) + ": " + detail;
}

}  // namespace

Error error_from(const HttpResponse& response, std::string_view action) {
  const Json body = problem_body(response);
  std::string type = string_or(body, "type");
  if (type.starts_with(kProblemPrefix)) type.erase(0, kProblemPrefix.size());
  const ErrorKind kind = kind_of(response.status, type);
  Error error(kind, message_of(response, body, action),
              printable(string_or(body, "hint", usual_hint(kind))));
  error.problem = std::move(type);
  for (const Json& fault : array_at(body, "errors")) {
    error.fields.push_back(
        {printable(string_or(fault, "pointer")), printable(string_or(fault, "detail"))});
  }
  for (const Json& id : array_at(body, "taskIds")) {
    if (id.is_string()) error.task_ids.push_back(printable(id.get<std::string>()));
  }
  const std::string_view wait = response.header("Retry-After");
  int seconds = 0;
  const auto [end, code] = std::from_chars(wait.data(), wait.data() + wait.size(), seconds);
  if (code == std::errc{} && end == wait.data() + wait.size() && seconds >= 0) {
    error.retry_after = std::chrono::seconds(seconds);
  }
  return error;
}

}  // namespace resmgr::cli
