#include "agent/sinks/postgres_rows.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "common/error.h"

namespace resmgr::sinks {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

void append_element(std::string& array, std::string_view value) {
  array += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') array += '\\';
    array += c;
  }
  array += '"';
}

}  // namespace

// The members of a task that columns are made of.
class PostgresRows::Reader {
 public:
  enum Member : std::size_t {
    kTaskId,
    kUserId,
    kServiceType,
    kContainerId,
    kContainerPort,
    kStartTime,
    kStopTime,
    kDuration,
    kStatus,
    kStatusReason,
    kExitCode,
    kPrecision,
    kUsageHash,
    kCreatedAt,
    kHost,
  };

  void read(const Message& message) {
    fields_.fill(std::nullopt);
    dom::element task;
    if (const auto error = parser_.parse(message.payload).get(task)) {
      fail(message, std::string("it is no JSON: ") + simdjson::error_message(error));
    }
    dom::object members;
    if (task.get(members) != simdjson::SUCCESS) fail(message, "it is no object");
    for (const auto& [name, value] : members) {
      const auto found = std::ranges::find(kNames, name);
      if (found == kNames.end()) continue;
      const auto member = static_cast<std::size_t>(found - kNames.begin());
      if (value.type() != dom::element_type::NULL_VALUE && !take(member, value)) {
        fail(message, std::string(name) + " is neither a text nor a whole number");
      }
    }
  }

  // Empty: it is null, or missing. Lives until the next read().
  std::optional<std::string_view> operator[](Member member) const { return fields_[member]; }

 private:
  static constexpr std::array<std::string_view, kHost + 1> kNames = {
      "taskId",    "userId",    "serviceType", "containerId", "containerPort",
      "startTime", "stopTime",  "duration",    "status",      "statusReason",
      "exitCode",  "precision", "usageHash",   "createdAt",   "host"};
  static constexpr std::size_t kMostDigits = 20;

  bool take(std::size_t member, const dom::element& value) {
    if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
      fields_[member] = text;
      return true;
    }
    std::int64_t number = 0;
    if (value.get(number) != simdjson::SUCCESS) return false;
    auto& digits = digits_[member];
    const auto end = std::to_chars(digits.begin(), digits.end(), number);
    fields_[member] = std::string_view(digits.data(), end.ptr);
    return true;
  }

  [[noreturn]] static void fail(const Message& message, const std::string& why) {
    throw Error(ErrorKind::corrupt,
                "cannot read event '" + std::to_string(message.seq) + "': task: " + why);
  }

  dom::parser parser_;
  std::array<std::optional<std::string_view>, kNames.size()> fields_;
  std::array<std::array<char, kMostDigits>, kNames.size()> digits_{};  // of the numbers among them
};

PostgresRows::PostgresRows(std::span<const Message> messages) {
  std::unordered_map<std::string_view, std::size_t> last;
  last.reserve(messages.size());
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    last[messages[i].task_id] = i;
    bytes += messages[i].payload.size();
  }
  texts_.reserve(bytes);
  rows_.reserve(last.size());
  Reader task;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (last[messages[i].task_id] != i) continue;
    task.read(messages[i]);
    add(task, messages[i]);
  }
}

const char* PostgresRows::field(std::size_t row, std::size_t column) const {
  const std::uint32_t at = rows_[row].fields[column];
  return at == kNull ? nullptr : texts_.c_str() + at;
}

std::string PostgresRows::array(std::size_t column, std::span<const std::size_t> rows) const {
  std::string array = "{";
  for (const std::size_t row : rows) {
    if (array.size() > 1) array += ',';
    const char* const value = field(row, column);
    if (value != nullptr) {
      append_element(array, value);
    } else {
      array += "NULL";
    }
  }
  return array += '}';
}

void PostgresRows::add(const Reader& task, const Message& message) {
  const std::string_view phase = task[Reader::kStatus].value_or("");
  const bool ended = phase == "Stopped" || phase == "Error";
  // A start that was called off before any container ran is none of the three.
  if (!task[Reader::kStartTime] && phase != "Error") return;

  Row& row = rows_.emplace_back();
  row.begins = message.begins;
  std::size_t column = 0;
  const auto next = [&](std::optional<std::string_view> value) {
    row.fields.at(column++) = keep(value);
  };
  next(task[Reader::kTaskId]);
  next(task[Reader::kUserId]);
  next(task[Reader::kServiceType]);
  next(task[Reader::kContainerId]);
  next(task[Reader::kContainerPort]);
  next(task[Reader::kStartTime]);
  next(task[Reader::kStopTime]);
  next(task[Reader::kDuration]);
  next(ended ? phase : "Running");
  next(phase);
  next(task[Reader::kStatusReason]);
  next(task[Reader::kExitCode]);
  next(task[Reader::kPrecision]);
  next(task[Reader::kUsageHash]);
  next(task[Reader::kCreatedAt]);
  next(task[Reader::kHost]);
  next(std::to_string(message.seq));
}

std::uint32_t PostgresRows::keep(std::optional<std::string_view> value) {
  if (!value) return kNull;
  const auto at = static_cast<std::uint32_t>(texts_.size());
  if (value->find('\0') == std::string_view::npos) {
    texts_ += *value;
  } else {
    for (const char c : *value) (c == '\0' ? texts_ += kReplacement : texts_ += c);
  }
  texts_ += '\0';
  return at;
}

}  // namespace resmgr::sinks
