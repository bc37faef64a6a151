#include "tests/unit/cli/fake_agent.h"

#include <algorithm>

#include "common/ids.h"
#include "common/time_format.h"
#include "common/wire.h"

namespace resmgr::cli {
namespace {

constexpr long long kStart = 1'795'363'445'000;  // 2026-11-22T16:04:05Z

std::map<std::string, std::string> query_of(std::string_view target) {
  std::map<std::string, std::string> query;
  const std::size_t mark = target.find('?');
  std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    query[std::string(pair.substr(0, equals))] = url_decode(pair.substr(equals + 1));
  }
  return query;
}

bool list_holds(const std::string& list, std::string_view word) {
  return ("," + list + ",").find("," + std::string(word) + ",") != std::string::npos;
}

class Client final : public HttpClient {
 public:
  explicit Client(FakeAgent& agent) : agent_(agent) {}
  HttpResponse send(const HttpRequest& request) override { return agent_.send(request); }
  HttpResponse stream(const HttpRequest& request,
                      const std::function<bool(std::string_view)>& on_chunk,
                      std::chrono::milliseconds idle_timeout, std::stop_token stop) override {
    return agent_.stream(request, on_chunk, idle_timeout, std::move(stop));
  }

 private:
  FakeAgent& agent_;
};

}  // namespace

HttpResponse json_answer(int status, const Json& body) {
  return {status, {{"Content-Type", "application/json"}}, dump_json(body)};
}

HttpResponse problem_answer(int status, std::string_view name, std::string_view detail,
                            Json members) {
  members["type"] = "urn:resmgr:problem:" + std::string(name);
  members["status"] = status;
  members["title"] = "A title";
  members["detail"] = detail;
  return {status, {{"Content-Type", "application/problem+json"}}, dump_json(members)};
}

Task& FakeAgent::add_task(std::string_view tail, TaskStatus status, std::string_view service) {
  Task task;
  task.task_id = "019aaaaa-0000-7000-8000-000000000000";
  task.task_id.replace(task.task_id.size() - tail.size(), tail.size(), tail);
  task.user_id = kAlice;
  task.service_type = service;
  task.container_id = "c0ffee";
  task.container_port = 49153;
  task.host = "here";
  task.created_at = instant_from_millis(kStart);
  task.status = status;
  if (status != TaskStatus::starting) task.start_time = instant_from_millis(kStart);
  if (!is_active(status)) {
    task.stop_time = *task.start_time + ran_for;
    task.exit_code = 0;
  }
  tasks.insert(tasks.begin(), task);
  return tasks.front();
}

Task* FakeAgent::find(std::string_view id) {
  const auto found = std::find_if(tasks.begin(), tasks.end(),
                                  [&](const Task& task) { return task.task_id == id; });
  return found == tasks.end() ? nullptr : &*found;
}

HttpResponse FakeAgent::send(const HttpRequest& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  // As the agent's gate has it, whatever the route.
  if (!request.body.empty() && request.content_type != "application/json") {
    return problem_answer(415, "unsupported-media-type", "the body is no JSON");
  }
  if (intercept) {
    if (auto answer = intercept(request)) return *std::move(answer);
  }
  return answer(request);
}

HttpResponse FakeAgent::stream(const HttpRequest& request,
                               const std::function<bool(std::string_view)>& on_chunk,
                               std::chrono::milliseconds /*idle_timeout*/, std::stop_token stop) {
  std::vector<std::string> chunks;
  HttpResponse head{200, {}, {}};
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (intercept) {
      if (auto answer = intercept(request)) return *std::move(answer);
    }
    if (request.target.starts_with(wire::kEvents)) {
      for (const std::string& line : event_lines) chunks.push_back(line + "\n");
    } else {
      // In two pieces, as streams come.
      chunks = {log.substr(0, log.size() / 2), log.substr(log.size() / 2)};
    }
  }
  if (request.on_head) request.on_head(head);
  for (const std::string& chunk : chunks) {
    if (!on_chunk(chunk)) return head;
  }
  if (while_streaming) while_streaming(on_chunk, std::move(stop));
  return head;
}

HttpResponse FakeAgent::answer(const HttpRequest& request) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  const std::string tasks_path = wire::kTasks;
  if (path == tasks_path && request.method == "POST") return start(request);
  if (path == tasks_path) return list(query_of(request.target));
  if (path.starts_with(tasks_path + "/")) {
    const std::string id = path.substr(tasks_path.size() + 1, 36);
    if (path == wire::extend_path(id) && request.method == "POST") return extend(id, request);
    if (path == wire::why_path(id)) return why(id);
    return request.method == "DELETE" ? stop(id) : show(id);
  }
  if (path == wire::kServices) return json_answer(200, services);
  if (path == wire::kHost) return json_answer(200, host);
  return problem_answer(404, "not-found", "cannot find '" + std::string(path) + "': no route");
}

HttpResponse FakeAgent::list(const std::map<std::string, std::string>& query) const {
  const auto text = [&](const char* name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
  };
  std::string user = text("userId");
  if (user == "me") user = caller;
  const auto from = parse_rfc3339(text("from"));
  std::size_t left = text("limit").empty() ? 100 : std::stoul(text("limit"));
  left = std::min(left, static_cast<std::size_t>(page));
  std::size_t index = text("cursor").empty() ? 0 : std::stoul(text("cursor"));
  Json answer = Json::array();
  for (; index < tasks.size() && left > 0; ++index) {
    const Task& task = tasks[index];
    if (!text("status").empty() && !list_holds(text("status"), to_string(task.status))) continue;
    if (!user.empty() && user != task.user_id) continue;
    if (!text("serviceType").empty() && text("serviceType") != task.service_type) continue;
    if (from && task.created_at < *from) continue;
    if (!text("id").empty() && !id_matches(task.task_id, text("id"))) continue;
    answer.push_back(wire::task_to_json(task));
    --left;
  }
  HttpResponse response = json_answer(200, answer);
  if (index < tasks.size() && left == 0) {
    std::string link = "<http://elsewhere.example/prefix/api/tasks?";
    for (const auto& [name, value] : query) {
      if (name != "cursor") link += name + "=" + url_encode(value) + "&";
    }
    response.headers.emplace_back("Link",
                                  link + "cursor=" + std::to_string(index) + ">; rel=\"next\"");
  }
  response.headers.emplace_back("Journal-Id", "0a0a0a0a-0000-4000-8000-000000000000");
  response.headers.emplace_back("Journal-Seq", "41");
  return response;
}

HttpResponse FakeAgent::show(const std::string& id) {
  const Task* const task = find(id);
  if (task == nullptr) {
    return problem_answer(404, "not-found", "cannot find task '" + id + "': there is none");
  }
  Json body = wire::task_to_json(*task);
  const auto url = urls.find(id);
  body["iframeUrl"] = url == urls.end() ? Json() : Json(url->second);
  const auto events = events_of.find(id);
  body["events"] = events == events_of.end() ? Json::array() : events->second;
  const auto progress = progress_of.find(id);
  if (progress != progress_of.end() && task->status == TaskStatus::starting) {
    body["progress"] = progress->second;
  }
  return json_answer(200, body);
}

HttpResponse FakeAgent::start(const HttpRequest& request) {
  const Json body = parse_json(request.body, "body");
  std::string key;
  for (const auto& [name, value] : request.headers) {
    if (name == "Idempotency-Key") key = value;
  }
  if (const auto known = keys_.find(key); known != keys_.end()) {
    const Task* const task = find(known->second);
    if (task->status == TaskStatus::error) {
      return problem_answer(
          504, "not-ready",
          "cannot start service '" + task->service_type + "': " + task->status_reason);
    }
    return json_answer(201, wire::task_to_json(*task));
  }
  Task& task = add_task("5eed", TaskStatus::starting, string_or(body, "serviceType"));
  task.user_id = string_or(body, "userId", caller);
  if (!key.empty()) keys_[key] = task.task_id;
  return json_answer(202, wire::task_to_json(task));
}

HttpResponse FakeAgent::stop(const std::string& id) {
  Task* const task = find(id);
  if (task == nullptr) {
    return problem_answer(404, "not-found", "cannot find task '" + id + "': there is none");
  }
  task->status = TaskStatus::stopped;
  task->start_time = task->created_at;
  task->stop_time = task->created_at + ran_for;
  return json_answer(200, {{"success", true},
                           {"duration", format_iso8601_duration(ran_for)},
                           {"durationSeconds", static_cast<double>(ran_for.count()) / 1000}});
}

HttpResponse FakeAgent::extend(const std::string& id, const HttpRequest& request) {
  const Task* const task = find(id);
  if (task == nullptr) {
    return problem_answer(404, "not-found", "cannot find task '" + id + "': there is none");
  }
  if (task->status != TaskStatus::running) {
    return problem_answer(409, "not-running", "cannot extend task '" + id + "': it is Stopped");
  }
  const Millis by = wire::extend_request_from_json(parse_json(request.body, "body")).by;
  Json body = wire::task_to_json(*task);
  body["idleUntil"] = format_rfc3339(task->created_at + std::chrono::hours(1) + by);
  body["lifetimeUntil"] = Json();
  return json_answer(200, body);
}

HttpResponse FakeAgent::why(const std::string& id) const {
  const auto found = reports.find(id);
  if (found != reports.end()) return json_answer(200, found->second);
  return problem_answer(409, "not-running", "cannot explain task '" + id + "': it is Stopped");
}

std::vector<std::string> FakeAgent::asked() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const HttpRequest& request : requests_) {
    lines.push_back(request.method + " " + request.target);
  }
  return lines;
}

std::vector<HttpRequest> FakeAgent::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string FakeAgent::last_header(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  if (requests_.empty()) return {};
  for (const auto& [key, value] : requests_.back().headers) {
    if (key == name) return value;
  }
  return {};
}

int FakeAgent::count(std::string_view beginning) const {
  const auto lines = asked();
  return static_cast<int>(std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.starts_with(beginning);
  }));
}

std::unique_ptr<HttpClient> client_of(FakeAgent& agent) { return std::make_unique<Client>(agent); }

}  // namespace resmgr::cli
