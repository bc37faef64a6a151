#include "cli/api_client.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "cli/problem.h"
#include "cli/query.h"
#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

constexpr int kLargestPage = 500;
constexpr Millis kForEver{0};
constexpr Millis kLongestSilence{30'000};

std::string task_action(std::string_view verb, std::string_view task_id) {
  return std::string(verb) + " task '" + std::string(short_id(task_id)) + "'";
}

std::string status_list(const std::vector<TaskStatus>& statuses) {
  std::string list;
  for (const TaskStatus status : statuses) {
    if (!list.empty()) list += ',';
    list += to_string(status);
  }
  return list;
}

std::optional<JournalPosition> position_of(const HttpResponse& response) {
  const std::string_view seq = response.header("Journal-Seq");
  JournalPosition position{std::string(response.header("Journal-Id")), 0};
  const auto [end, code] = std::from_chars(seq.data(), seq.data() + seq.size(), position.seq);
  if (seq.empty() || code != std::errc{}) return std::nullopt;
  return position;
}

}  // namespace

ApiClient::ApiClient(HttpClient& http, AgentAddress address, std::string token,
                     const Surroundings& surroundings)
    : http_(http),
      address_(std::move(address)),
      token_(std::move(token)),
      surroundings_(surroundings) {}

HttpRequest ApiClient::make_request(std::string method, std::string target) const {
  HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers.emplace_back("Accept", "application/json");
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  return request;
}

HttpRequest ApiClient::make_post(std::string target, const Json& body) const {
  HttpRequest post = make_request("POST", std::move(target));
  post.body = dump_json(body);
  post.content_type = "application/json";
  return post;
}

HttpResponse ApiClient::exchange(const HttpRequest& request, std::string_view action) {
  HttpResponse response;
  try {
    response = http_.send(request);
  } catch (const Error& cause) {
    if (cause.kind() != ErrorKind::unavailable) throw;
    throw unreachable(address_, cause, surroundings_);
  }
  if (response.status / 100 != 2) throw error_from(response, action);
  return response;
}

void ApiClient::stream(const HttpRequest& request, std::string_view action, Millis idle_timeout,
                       const std::function<bool(std::string_view)>& on_chunk,
                       std::stop_token stop) {
  Millis heard = surroundings_.clock.since_boot();
  const auto note_chunk = [&](std::string_view chunk) {
    heard = surroundings_.clock.since_boot();
    return on_chunk(chunk);
  };
  HttpResponse response;
  try {
    response = http_.stream(request, note_chunk, idle_timeout, stop);
    // Such an end looks like the agent's own, and would pass for a whole answer.
    const Millis silence = surroundings_.clock.since_boot() - heard;
    if (idle_timeout > kForEver && silence >= idle_timeout && !stop.stop_requested()) {
      throw Error(ErrorKind::unavailable, "it fell silent in the middle of its answer");
    }
  } catch (const Error& cause) {
    if (cause.kind() != ErrorKind::unavailable) throw;
    throw unreachable(address_, cause, surroundings_);
  }
  if (response.status / 100 != 2) throw error_from(response, action);
}

Json ApiClient::json_of(const HttpResponse& response, std::string_view action) const {
  try {
    return parse_json(response.body, "answer");
  } catch (const Error& cause) {
    refuse_answer(action, "is no JSON");
  }
}

void ApiClient::refuse_answer(std::string_view action, std::string_view fault) const {
  throw Error(ErrorKind::rejected,
              "cannot " + std::string(action) + ": the answer of '" + address_.shown + "' " +
                  std::string(fault),
              "check that a resmgr agent listens there");
}

TaskAnswer ApiClient::task_of(const HttpResponse& response, std::string_view action) const {
  TaskAnswer answer;
  answer.body = json_of(response, action);
  try {
    answer.task = wire::task_from_json(answer.body);
  } catch (const Error& cause) {
    refuse_answer(action, "is no task");
  }
  answer.url = string_or(answer.body, "iframeUrl");
  return answer;
}

TaskAnswer ApiClient::start(const wire::StartRequest& request, const std::string& idempotency_key,
                            Answer answer) {
  const std::string action = "start '" + request.service_type + "'";
  HttpRequest post = make_post(wire::kTasks, wire::to_json(request));
  post.headers.emplace_back("Idempotency-Key", idempotency_key);
  if (answer == Answer::at_once) post.headers.emplace_back("Prefer", "respond-async");
  return task_of(exchange(post, action), action);
}

TaskAnswer ApiClient::task(const std::string& task_id) {
  const std::string action = task_action("show", task_id);
  return task_of(exchange(make_request("GET", wire::task_path(task_id)), action), action);
}

Json ApiClient::stop(const std::string& task_id) {
  const std::string action = task_action("stop", task_id);
  return json_of(exchange(make_request("DELETE", wire::task_path(task_id)), action), action);
}

TaskAnswer ApiClient::extend(const std::string& task_id, Millis by) {
  const std::string action = task_action("extend", task_id);
  const HttpRequest post =
      make_post(wire::extend_path(task_id), wire::to_json(wire::ExtendRequest{by}));
  return task_of(exchange(post, action), action);
}

Json ApiClient::why(const std::string& task_id) {
  return get(wire::why_path(task_id), task_action("explain", task_id));
}

std::optional<JournalPosition> ApiClient::tasks(const TaskQuery& query,
                                                const std::function<bool(const Json&)>& each) {
  std::optional<JournalPosition> position;
  constexpr char kAction[] = "list tasks";
  int left = query.limit.value_or(0);
  const int page = query.limit ? std::min(left, kLargestPage) : kLargestPage;
  std::string next = Query()
                         .add("status", status_list(query.statuses))
                         .add("userId", query.user_id)
                         .add("serviceType", query.service_type)
                         .add("from", query.from ? format_rfc3339(*query.from) : "")
                         .add("id", query.id_part)
                         .add("limit", std::to_string(page))
                         .text();
  while (!next.empty()) {
    const HttpResponse response = exchange(make_request("GET", wire::kTasks + next), kAction);
    const Json tasks = json_of(response, kAction);
    if (!tasks.is_array()) refuse_answer(kAction, "is no list");
    if (!position) position = position_of(response);
    for (const Json& task : tasks) {
      if (!each(task) || (query.limit && --left == 0)) return position;
    }
    std::string following = next_page(response);
    // A link back to the same page would never end.
    if (tasks.empty() || following == next) break;
    next = std::move(following);
  }
  return position;
}

Json ApiClient::get(std::string target, std::string_view action) {
  return json_of(exchange(make_request("GET", std::move(target)), action), action);
}

Json ApiClient::services() { return get(wire::kServices, "list services"); }

Json ApiClient::host() { return get(wire::kHost, "show the agent's status"); }

Json ApiClient::host_checks() { return get(wire::kHostChecks, "check the agent's host"); }

Json ApiClient::images() { return get(wire::kImages, "list images"); }

Json ApiClient::pull_image(const std::string& service) {
  const std::string action = "pull the image of service '" + service + "'";
  return json_of(exchange(make_post(wire::kPullImage, {{"serviceType", service}}), action), action);
}

Json ApiClient::ask_sink(const std::string& sink, const std::string& action) {
  const std::string deed = action + " sink '" + sink + "'";
  return json_of(exchange(make_request("POST", std::string(wire::kSinks) + "/" + url_encode(sink) +
                                                   "/" + action),
                          deed),
                 deed);
}

Json ApiClient::reconcile(bool dry_run) {
  constexpr char kAction[] = "reconcile journal and engine";
  const std::string target = wire::kReconcile + Query().add("dryRun", dry_run ? "1" : "").text();
  return json_of(exchange(make_request("POST", target), kAction), kAction);
}

Json ApiClient::drain(const std::string& reason) {
  constexpr char kAction[] = "drain the host";
  const Json body = reason.empty() ? Json::object() : Json{{"reason", reason}};
  return json_of(exchange(make_post(wire::kDrain, body), kAction), kAction);
}

Json ApiClient::resume() {
  constexpr char kAction[] = "resume the host";
  return json_of(exchange(make_request("POST", wire::kResume), kAction), kAction);
}

void ApiClient::logs(const std::string& task_id, const LogQuery& query,
                     const std::function<bool(std::string_view)>& on_bytes) {
  const std::string target = wire::task_path(task_id) + "/logs" +
                             Query()
                                 .add("follow", query.follow ? "1" : "")
                                 .add("tail", query.tail ? std::to_string(*query.tail) : "")
                                 .add("since", query.since ? format_rfc3339(*query.since) : "")
                                 .text();
  HttpRequest get = make_request("GET", target);
  get.headers.front().second = "text/plain, application/problem+json";
  stream(get, task_action("read the log of", task_id), query.follow ? kForEver : kLongestSilence,
         on_bytes, {});
}

void ApiClient::events(const std::optional<JournalPosition>& since, bool follow,
                       const std::function<void()>& on_open,
                       const std::function<bool(std::string_view)>& on_line, std::stop_token stop) {
  Query query;
  if (since) query.add("since", std::to_string(since->seq)).add("journal", since->journal_id);
  query.add("follow", follow ? "1" : "");
  HttpRequest get = make_request("GET", wire::kEvents + query.text());
  get.headers.front().second = "application/x-ndjson, application/problem+json";
  get.on_head = [&on_open](const HttpResponse&) { on_open(); };
  std::string pending;
  const auto on_chunk = [&](std::string_view chunk) {
    pending += chunk;
    std::size_t begin = 0;
    for (std::size_t end = pending.find('\n'); end != std::string::npos;
         end = pending.find('\n', begin)) {
      const std::string_view line(pending.data() + begin, end - begin);
      if (!line.empty() && !on_line(line)) return false;
      begin = end + 1;
    }
    pending.erase(0, begin);
    return true;
  };
  stream(get, "read events", follow ? kForEver : kLongestSilence, on_chunk, std::move(stop));
}

}  // namespace resmgr::cli
