#include "agent/api/query.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::api {
namespace {

std::string names_of(std::initializer_list<std::string_view> known) {
  if (known.size() == 0) return "none is";
  std::string names;
  for (const std::string_view name : known) {
    names += names.empty() ? "known are " : ", ";
    names += name;
  }
  return names;
}

}  // namespace

Query::Query(const Request& request, std::initializer_list<std::string_view> known)
    : request_(request) {
  for (auto item = request.query.begin(); item != request.query.end(); ++item) {
    const std::string& name = item->first;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      fault(name, "is not known here; " + names_of(known));
    } else if (std::any_of(request.query.begin(), item,
                           [&](const auto& earlier) { return earlier.first == name; })) {
      fault(name, "is given more than once");
    }
  }
}

std::optional<std::string> Query::text(std::string_view name) const {
  for (const auto& [known, value] : request_.query) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Query::integer(std::string_view name, std::int64_t least,
                                           std::int64_t most) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = value->data() + value->size();
  const auto [stop, ec] = std::from_chars(value->data(), end, number);
  if (ec != std::errc{} || stop != end || number < least || number > most) {
    fault(name,
          "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }
  return number;
}

bool Query::flag(std::string_view name) {
  const auto value = text(name);
  if (!value || *value == "0" || *value == "false") return false;
  if (*value != "1" && *value != "true") fault(name, "must be 1, true, 0 or false");
  return true;
}

std::optional<Instant> Query::time(std::string_view name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto instant = parse_rfc3339(*value);
  if (!instant) fault(name, "must be an RFC 3339 time such as 2026-11-22T17:04:05Z");
  return instant;
}

std::optional<std::string> Query::uuid(std::string_view name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  auto id = parse_uuid(*value);
  if (!id) fault(name, "must be a UUID");
  return id;
}

void Query::fault(std::string_view name, std::string detail) {
  faults_.push_back({"?" + std::string(name), std::move(detail)});
}

void Query::check() const {
  if (faults_.empty()) return;
  std::string message = "cannot read query: ";
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    if (i > 0) message += "; ";
    message += faults_[i].pointer.substr(1) + " " + faults_[i].detail;
  }
  Error error(ErrorKind::usage, std::move(message));
  error.problem = "invalid-request";
  error.fields = faults_;
  throw error;
}

}  // namespace resmgr::api
