#include "agent/api/problems.h"

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include "common/limit_error.h"
#include "common/log.h"

namespace resmgr::api {
namespace {

struct KindRow {
  ErrorKind kind;
  int status;
  std::string_view name;
  std::string_view title;
};

constexpr std::array<KindRow, 12> kKinds = {{
    {ErrorKind::usage, 400, "invalid-request", "The request is not valid"},
    {ErrorKind::config, 500, "internal", "The agent met a fault of its own"},
    {ErrorKind::unauthenticated, 401, "unauthenticated", "Who calls is not known"},
    {ErrorKind::forbidden, 403, "forbidden", "The caller may not do this"},
    {ErrorKind::not_found, 404, "not-found", "There is no such thing"},
    {ErrorKind::conflict, 409, "conflict", "The present state does not allow it"},
    {ErrorKind::limit, 409, "limit", "A limit is used up"},
    {ErrorKind::not_ready, 504, "not-ready", "The service was not ready in time"},
    {ErrorKind::unavailable, 503, "unavailable", "A needed party is away"},
    {ErrorKind::rejected, 502, "rejected", "The container engine refused"},
    {ErrorKind::corrupt, 500, "internal", "The agent met a fault of its own"},
    {ErrorKind::internal, 500, "internal", "The agent met a fault of its own"},
}};

// Where a problem's name says more than its kind.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kTitles = {{
    {"draining", "The host takes no new tasks"},
    {"disk-full", "The host has too little free disk space"},
    {"engine-unavailable", "The container engine does not answer"},
    {"journal-unavailable", "The journal can't be written"},
    {"not-running", "The task does not run"},
    {"nothing-to-extend", "Nothing limits the task"},
}};

constexpr std::chrono::seconds kRetryAfter{2};

std::string_view title_of(std::string_view problem, std::string_view otherwise) {
  for (const auto& [name, title] : kTitles) {
    if (name == problem) return title;
  }
  return otherwise;
}

const KindRow& row_of(ErrorKind kind) {
  for (const KindRow& row : kKinds) {
    if (row.kind == kind) return row;
  }
  return kKinds.back();
}

constexpr std::array<std::pair<int, std::string_view>, 29> kReasons = {{
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
}};

// RFC 6750, section 3: what may stand in error_description.
std::string description_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte > 0x7e ? '?' : (c == '"' || c == '\\' ? '\'' : c);
  }
  return out;
}

// RFC 6750 would tell a caller without any token nothing; the reason helps the one who forgot it.
std::string challenge(const Error& error) {
  return "Bearer error=\"invalid_token\", error_description=\"" +
         description_text(error.message()) + "\"";
}

// A count is written as one.
Json number(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  if (static_cast<double>(whole) == value) return whole;
  return value;
}

Json limit_json(const LimitUse& use) {
  return {{"name", use.name}, {"max", number(use.max)}, {"used", number(use.used)}};
}

Response make(int status, std::string_view name, std::string_view title, std::string_view detail,
              const Request& request, Json body) {
  body["type"] = "urn:resmgr:problem:" + std::string(name);
  body["title"] = title;
  body["status"] = status;
  body["detail"] = detail;
  if (!request.path.empty()) body["instance"] = request.path;
  Response response;
  response.status = status;
  response.content_type = kProblemJson;
  response.body = dump_json(body);
  return response;
}

std::string detail_of(const Error& error, const KindRow& row, const Request& request) {
  if (row.status != 500) return error.message();
  log::error("Request {RequestId} failed by a fault of the agent: {Reason}",
             {{"RequestId", request.id}, {"Reason", error.message()}});
  return "the agent met a fault of its own; its log says more under request id '" + request.id +
         "'";
}

}  // namespace

int status_of(const Error& error) {
  if (error.problem == "idempotency-key-reused") return 422;
  if (error.kind() == ErrorKind::limit && error.retry_after) return 429;
  return row_of(error.kind()).status;
}

Response problem_response(const Error& error, const Request& request) {
  const KindRow& row = row_of(error.kind());
  const int status = status_of(error);
  Json members = Json::object();
  for (const FieldError& field : error.fields) {
    members["errors"].push_back({{"pointer", field.pointer}, {"detail", field.detail}});
  }
  if (!error.task_ids.empty()) members["taskIds"] = error.task_ids;
  if (const auto* limit = dynamic_cast<const LimitError*>(&error)) {
    members["limit"] = limit_json(limit->use());
  }
  if (!error.hint().empty() && status != 500) members["hint"] = error.hint();
  const std::string_view name =
      error.problem.empty() || status == 500 ? row.name : std::string_view(error.problem);
  Response response = make(status, name, title_of(name, row.title), detail_of(error, row, request),
                           request, std::move(members));
  if (status == 401) response.set("WWW-Authenticate", challenge(error));
  if (error.retry_after || status == 503) {
    response.set("Retry-After",
                 std::to_string(with_jitter(error.retry_after.value_or(kRetryAfter)).count()));
  }
  return response;
}

Response problem_response(int status, std::string_view name, std::string_view detail,
                          const Request& request) {
  return problem_response(status, name, detail, request, Json::object());
}

Response problem_response(int status, std::string_view name, std::string_view detail,
                          const Request& request, Json members) {
  Response response =
      make(status, name, reason_phrase(status), detail, request, std::move(members));
  if (status == 503 || status == 429) {
    response.set("Retry-After", std::to_string(with_jitter(kRetryAfter).count()));
  }
  return response;
}

std::chrono::seconds with_jitter(std::chrono::seconds base) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto least = std::max<std::chrono::seconds::rep>(base.count(), 1);
  return std::chrono::seconds{std::uniform_int_distribution(least, 2 * least)(random)};
}

std::string_view reason_phrase(int status) {
  for (const auto& [known, phrase] : kReasons) {
    if (known == status) return phrase;
  }
  return {};
}

}  // namespace resmgr::api
