#include "agent/sinks/postgres_rows.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "common/error.h"

namespace resmgr::sinks {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

constexpr std::string_view kSpecial("\"\\\0", 3);

void append_element(std::string& array, std::string_view value) {
  array += '"';
  while (!value.empty()) {
    const std::size_t plain = std::min(value.find_first_of(kSpecial), value.size());
    array += value.substr(0, plain);
    value.remove_prefix(plain);
    if (value.empty()) break;
    if (value.front() == '\0') {
      array += kReplacement;  // which no text of PostgreSQL can hold
    } else {
      (array += '\\') += value.front();
    }
    value.remove_prefix(1);
  }
  array += '"';
}

[[noreturn]] void refuse(const Message& message, const std::string& why) {
  throw Error(ErrorKind::corrupt,
              "cannot read event '" + std::to_string(message.seq) + "': " + why);
}

}  // namespace

// The members of a task that columns are made of, as they come by: a tree of the whole task would
// take most of the time that a row takes. The names of its methods are nlohmann_json's.
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
    for (Field& field : fields_) field.there = false;
    depth_ = 0;
    field_ = nullptr;
    error_.clear();
    if (!nlohmann::json::sax_parse(message.payload, this)) refuse(message, error_);
  }

  // Empty: it is null, or missing. Lives until the next read().
  std::optional<std::string_view> operator[](Member member) const {
    const Field& field = fields_[member];
    return field.there ? std::optional<std::string_view>(field.text) : std::nullopt;
  }

  bool null() { return scalar(true); }
  bool boolean(bool value) { return take(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) { return take(std::to_string(value)); }
  bool number_unsigned(std::uint64_t value) { return take(std::to_string(value)); }
  bool number_float(double /*value*/, const std::string& text) { return take(text); }
  bool string(const std::string& text) { return take(text); }
  static bool binary(const std::vector<std::uint8_t>& /*bytes*/) { return false; }
  bool start_object(std::size_t /*size*/) { return enter(depth_ == 0); }
  bool end_object() { return leave(); }
  bool start_array(std::size_t /*size*/) { return enter(false); }
  bool end_array() { return leave(); }
  bool key(const std::string& name) {
    if (depth_ != 1) return true;
    const auto found = std::ranges::find(kNames, name);
    field_ = found == kNames.end() ? nullptr : &fields_[found - kNames.begin()];
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const std::exception& /*error*/) {
    error_ = "task: it is no JSON from byte " + std::to_string(position) + " on";
    return false;
  }

 private:
  static constexpr std::array<std::string_view, kHost + 1> kNames = {
      "taskId",    "userId",    "serviceType", "containerId", "containerPort",
      "startTime", "stopTime",  "duration",    "status",      "statusReason",
      "exitCode",  "precision", "usageHash",   "createdAt",   "host"};
  struct Field {
    std::string text;
    bool there = false;
  };

  // A value where none of ours can be, or that is no text of a column.
  bool scalar(bool fits) {
    if (depth_ == 0) return fail("it is no object");
    if (field_ != nullptr && !fits) return fail("a member is neither a text nor a number");
    if (field_ != nullptr) field_->there = false;
    field_ = nullptr;
    return true;
  }
  bool take(std::string_view text) {
    Field* const field = depth_ == 1 ? field_ : nullptr;
    if (!scalar(true)) return false;
    if (field == nullptr) return true;
    field->text = text;
    field->there = true;
    return true;
  }
  bool enter(bool outermost) {
    if (!outermost && !scalar(false)) return false;
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }
  bool fail(const char* why) {
    error_ = std::string("task: ") + why;
    return false;
  }

  std::array<Field, kNames.size()> fields_;
  Field* field_ = nullptr;  // which the next value is for
  int depth_ = 0;
  std::string error_;
};

PostgresRows::PostgresRows(std::span<const Message> messages) {
  std::unordered_map<std::string_view, std::size_t> last;
  last.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) last[messages[i].task_id] = i;
  for (std::string& column : columns_) column = "{";
  Reader task;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (last[messages[i].task_id] != i) continue;
    task.read(messages[i]);
    add(task, messages[i].seq);
  }
  for (std::string& column : columns_) column += "}";
}

void PostgresRows::add(const Reader& task, std::int64_t seq) {
  const std::string_view phase = task[Reader::kStatus].value_or("");
  const bool ended = phase == "Stopped" || phase == "Error";
  // A start that was called off before any container ran is none of the three.
  if (!task[Reader::kStartTime] && phase != "Error") return;

  std::size_t column = 0;
  const auto next = [&](std::optional<std::string_view> value) { put(column++, value); };
  // TIMESTAMP has no zone, and all are UTC.
  const auto next_time = [&](std::optional<std::string_view> time) {
    if (time && time->ends_with('Z')) time->remove_suffix(1);
    next(time);
  };
  next(task[Reader::kTaskId]);
  next(task[Reader::kUserId]);
  next(task[Reader::kServiceType]);
  next(task[Reader::kContainerId]);
  next(task[Reader::kContainerPort]);
  next_time(task[Reader::kStartTime]);
  next_time(task[Reader::kStopTime]);
  next(task[Reader::kDuration]);
  next(ended ? phase : "Running");
  next(phase);
  next(task[Reader::kStatusReason]);
  next(task[Reader::kExitCode]);
  next(task[Reader::kPrecision]);
  next(task[Reader::kUsageHash]);
  next_time(task[Reader::kCreatedAt]);
  next(task[Reader::kHost]);
  next(std::to_string(seq));
  ++size_;
}

void PostgresRows::put(std::size_t column, std::optional<std::string_view> value) {
  std::string& array = columns_.at(column);
  if (size_ > 0) array += ',';
  if (value) {
    append_element(array, *value);
  } else {
    array += "NULL";
  }
}

}  // namespace resmgr::sinks
