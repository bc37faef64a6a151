#include "agent/sinks/postgres_rows.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <unordered_map>

#include "common/error.h"

namespace resmgr::sinks {
namespace {

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

// The members of a task that columns are made of, as they come by: a tree of the whole task would
// take longer than the database takes for the row. The names of its methods are RapidJSON's.
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
    constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                                rapidjson::kParseValidateEncodingFlag |
                                rapidjson::kParseNumbersAsStringsFlag;
    for (Field& field : fields_) field.there = false;
    depth_ = 0;
    field_ = nullptr;
    why_ = "it is no JSON";
    rapidjson::MemoryStream text(message.payload.data(), message.payload.size());
    if (const auto result = parser_.Parse<kFlags>(text, *this); result.IsError()) {
      throw Error(ErrorKind::corrupt, "cannot read event '" + std::to_string(message.seq) +
                                          "': task: byte " + std::to_string(result.Offset()) +
                                          ": " + why_);
    }
  }

  // Empty: it is null, or missing. Lives until the next read().
  std::optional<std::string_view> operator[](Member member) const {
    const Field& field = fields_[member];
    return field.there ? std::optional<std::string_view>(field.text) : std::nullopt;
  }

  bool Null() { return skip(true); }
  bool Bool(bool value) { return take(value ? "true" : "false"); }
  bool RawNumber(const char* text, unsigned size, bool /*copied*/) { return take({text, size}); }
  bool String(const char* text, unsigned size, bool /*copied*/) { return take({text, size}); }
  bool Key(const char* text, unsigned size, bool /*copied*/) {
    if (depth_ != 1) return true;
    const auto found = std::ranges::find(kNames, std::string_view(text, size));
    field_ = found == kNames.end() ? nullptr : &fields_[found - kNames.begin()];
    return true;
  }
  bool StartObject() { return enter(depth_ == 0); }
  bool EndObject(unsigned /*members*/) { return leave(); }
  bool StartArray() { return enter(false); }
  bool EndArray(unsigned /*elements*/) { return leave(); }
  // Numbers come as they are written.
  static bool Int(int /*value*/) { return false; }
  static bool Uint(unsigned /*value*/) { return false; }
  static bool Int64(std::int64_t /*value*/) { return false; }
  static bool Uint64(std::uint64_t /*value*/) { return false; }
  static bool Double(double /*value*/) { return false; }

 private:
  static constexpr std::array<std::string_view, kHost + 1> kNames = {
      "taskId",    "userId",    "serviceType", "containerId", "containerPort",
      "startTime", "stopTime",  "duration",    "status",      "statusReason",
      "exitCode",  "precision", "usageHash",   "createdAt",   "host"};
  struct Field {
    std::string text;
    bool there = false;
  };

  // A value that no column is made of.
  bool skip(bool fits) {
    if (depth_ == 0) return fail("it is no object");
    if (field_ != nullptr && !fits) return fail("a member is neither a text nor a number");
    field_ = nullptr;
    return true;
  }
  bool take(std::string_view text) {
    Field* const field = field_;
    if (!skip(true)) return false;
    if (field == nullptr) return true;
    field->text = text;
    field->there = true;
    return true;
  }
  bool enter(bool outermost) {
    if (!outermost && !skip(false)) return false;
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }
  bool fail(const char* why) {
    why_ = why;
    return false;
  }

  rapidjson::Reader parser_;
  std::array<Field, kNames.size()> fields_;
  Field* field_ = nullptr;  // which the next value is for; null inside of another value
  int depth_ = 0;
  const char* why_ = "";
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
