#include "agent/api/task_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "agent/api/usage_json.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::api {
namespace {

void append_string(std::string& out, std::string_view text) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
  });
  if (is_plain) {
    out += '"';
    out += text;
    out += '"';
  } else {
    out += dump_json(Json(text));
  }
}

// What the agent itself makes of letters and digits: ids, hashes and names of its own.
void append_plain(std::string& out, std::string_view text) {
  out += '"';
  out += text;
  out += '"';
}

void append_integer(std::string& out, std::int64_t number) {
  std::array<char, 24> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  out.append(buffer.data(), end);
}

void append_name(std::string& out, std::string_view name) {
  out += ",\"";
  out += name;
  out += "\":";
}

void append_text_or_null(std::string& out, std::string_view name, std::string_view text) {
  append_name(out, name);
  if (text.empty()) {
    out += "null";
  } else {
    append_string(out, text);
  }
}

void append_time(std::string& out, std::string_view name, const std::optional<Instant>& time) {
  append_name(out, name);
  if (!time) {
    out += "null";
    return;
  }
  out += '"';
  append_rfc3339(out, *time);
  out += '"';
}

void append_integer_or_null(std::string& out, std::string_view name, std::optional<int> number) {
  append_name(out, name);
  if (number) {
    append_integer(out, *number);
  } else {
    out += "null";
  }
}

// Seconds with as many decimals as there are, at least one.
void append_seconds(std::string& out, Millis duration) {
  append_integer(out, duration.count() / 1000);
  std::array<char, 3> digits{};
  auto rest = duration.count() % 1000;
  for (std::size_t i = 3; i-- > 0; rest /= 10) digits.at(i) = static_cast<char>('0' + rest % 10);
  std::string_view decimals(digits.data(), digits.size());
  while (decimals.size() > 1 && decimals.back() == '0') decimals.remove_suffix(1);
  out += '.';
  out += decimals;
}

void append_duration(std::string& out, const std::optional<Millis>& duration) {
  append_text_or_null(out, "duration", duration ? format_iso8601_duration(*duration) : "");
  append_name(out, "durationSeconds");
  if (duration) {
    append_seconds(out, *duration);
  } else {
    out += "null";
  }
}

// All but the closing brace.
void append_members(std::string& out, const Task& task) {
  out += "{\"taskId\":";
  append_plain(out, task.task_id);
  append_name(out, "userId");
  append_string(out, task.user_id);
  append_name(out, "serviceType");
  append_string(out, task.service_type);
  append_text_or_null(out, "containerId", task.container_id);
  append_integer_or_null(
      out, "containerPort",
      task.container_port == 0 ? std::nullopt : std::optional(task.container_port));
  append_name(out, "host");
  append_string(out, task.host);
  append_time(out, "createdAt", task.created_at);
  append_time(out, "startTime", task.start_time);
  append_time(out, "stopTime", task.stop_time);
  append_duration(out, task.duration());
  append_name(out, "status");
  append_plain(out, to_string(task.status));
  append_text_or_null(out, "statusReason", task.status_reason);
  append_text_or_null(out, "precision", task.stop_time ? to_string(task.precision) : "");
  append_integer_or_null(out, "exitCode", task.exit_code);
  append_text_or_null(out, "usageHash", task.usage_hash);
}

void append_counter(std::string& out, std::string_view name, std::int64_t number) {
  append_name(out, name);
  append_integer(out, number);
}

void append_usage(std::string& out, const std::optional<journal::UsageSample>& sample) {
  append_name(out, "usage");
  if (!sample) {
    out += "null";
    return;
  }
  out += "{\"cpuMs\":";
  append_integer(out, sample->cpu_ms);
  append_counter(out, "peakMemoryBytes", sample->peak_memory_bytes);
  append_counter(out, "networkRxBytes", sample->network_rx_bytes);
  append_counter(out, "networkTxBytes", sample->network_tx_bytes);
  append_time(out, "sampledAt", sample->time);
  out += '}';
}

void append_events(std::string& out, const std::vector<Event>& events) {
  append_name(out, "events");
  out += '[';
  for (const Event& event : events) {
    if (&event != events.data()) out += ',';
    out += "{\"seq\":";
    append_integer(out, event.seq);
    append_time(out, "time", event.time);
    append_text_or_null(out, "type", event.type);
    append_name(out, "details");
    // The journal holds them as JSON texts.
    out += event.details.empty() ? "{}" : std::string_view(event.details);
    out += '}';
  }
  out += ']';
}

void append_user(std::string& out, const identity::UserProfile* user) {
  if (user == nullptr) return;
  append_name(out, "user");
  out += "{\"email\":";
  if (user->email.empty()) {
    out += "null";
  } else {
    append_string(out, user->email);
  }
  append_text_or_null(out, "fullName", user->full_name);
  out += '}';
}

void append_progress(std::string& out, const tasks::StartProgress* progress) {
  if (progress == nullptr) return;
  append_name(out, "progress");
  out += "{\"step\":";
  append_string(out, to_string(progress->step));
  append_time(out, "since", progress->since);
  if (const auto& place = progress->place) {
    append_name(out, "queue");
    out += "{\"position\":";
    append_integer(out, place->position);
    append_name(out, "expectedWaitSeconds");
    if (place->expected_wait) {
      append_seconds(out, *place->expected_wait);
    } else {
      out += "null";
    }
    out += '}';
  }
  if (const auto& pull = progress->pull) {
    append_name(out, "pull");
    out += "{\"doneBytes\":";
    append_integer(out, pull->done_bytes);
    append_name(out, "totalBytes");
    if (pull->total_bytes) {
      append_integer(out, *pull->total_bytes);
    } else {
      out += "null";
    }
    append_name(out, "status");
    append_string(out, pull->status);
    out += '}';
  }
  out += '}';
}

}  // namespace

void append_task(std::string& out, const Task& task, const identity::UserProfile* user) {
  append_members(out, task);
  append_user(out, user);
  out += '}';
}

void append_task(std::string& out, const Task& task, std::string_view iframe_url) {
  append_members(out, task);
  append_text_or_null(out, "iframeUrl", iframe_url);
  out += '}';
}

void append_task(std::string& out, const Task& task, std::string_view iframe_url,
                 const journal::Activity& activity, const std::vector<Event>& events,
                 const std::vector<journal::Receipt>& receipts, const identity::UserProfile* user,
                 const tasks::StartProgress* progress) {
  append_members(out, task);
  append_text_or_null(out, "iframeUrl", iframe_url);
  append_usage(out, activity.sample);
  append_time(out, "idleUntil", activity.idle_until);
  append_time(out, "lifetimeUntil", activity.lifetime_until);
  append_name(out, "receipts");
  append_receipts(out, receipts);
  append_events(out, events);
  append_user(out, user);
  append_progress(out, progress);
  out += '}';
}

void append_event(std::string& out, const Event& event) {
  out += "{\"seq\":";
  append_integer(out, event.seq);
  append_time(out, "time", event.time);
  append_text_or_null(out, "type", event.type);
  append_text_or_null(out, "taskId", event.task_id);
  append_name(out, "task");
  out += event.task.empty() ? "null" : std::string_view(event.task);
  out += '}';
}

void append_progress_message(std::string& out, Instant time, const Task& task,
                             const tasks::StartProgress& progress) {
  out += "{\"type\":\"task.progress\"";
  append_time(out, "time", time);
  append_text_or_null(out, "taskId", task.task_id);
  append_name(out, "task");
  append_members(out, task);
  append_progress(out, &progress);
  out += "}}";
}

}  // namespace resmgr::api
