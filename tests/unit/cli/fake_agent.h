// An agent in memory, as the command sees it: routes, pages, problems. It remembers what it was
// asked.
#ifndef RESMGR_TESTS_UNIT_CLI_FAKE_AGENT_H_
#define RESMGR_TESTS_UNIT_CLI_FAKE_AGENT_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http.h"
#include "common/json.h"
#include "common/task.h"

namespace resmgr::cli {

inline constexpr char kAlice[] = "11111111-1111-4111-8111-111111111111";
inline constexpr char kBob[] = "22222222-2222-4222-8222-222222222222";

HttpResponse json_answer(int status, const Json& body);
HttpResponse problem_answer(int status, std::string_view name, std::string_view detail,
                            Json members = Json::object());

class FakeAgent final : public HttpClient {
 public:
  // Newest first, as the list answers them.
  std::vector<Task> tasks;
  std::map<std::string, std::string> urls;  // task id -> iframeUrl
  std::map<std::string, Json> events_of;    // task id -> events of the single answer
  std::map<std::string, Json> progress_of;  // task id -> progress of the single answer
  std::string caller = kAlice;              // whom "me" and a start without user mean
  std::map<std::string, Json> reports;      // task id -> what GET …/why answers
  int page = 500;                           // the most that one list answers
  Json services = Json::array();
  Json host = Json::object();
  std::string log;                       // what every task printed
  std::vector<std::string> event_lines;  // what GET /api/events answers
  // What a stopped task ran for.
  Millis ran_for{62'000};

  // Answers instead of the routes where it returns something. It may throw, as a client does.
  std::function<std::optional<HttpResponse>(const HttpRequest&)> intercept;
  // Called while a stream is open, after `event_lines` were given out: ends it when it returns.
  std::function<void(const std::function<bool(std::string_view)>& on_chunk, std::stop_token stop)>
      while_streaming;

  // A task that runs; the last digits of its id are `tail`.
  Task& add_task(std::string_view tail, TaskStatus status = TaskStatus::running,
                 std::string_view service = "hello");
  Task* find(std::string_view id);

  HttpResponse send(const HttpRequest& request) override;
  HttpResponse stream(const HttpRequest& request,
                      const std::function<bool(std::string_view)>& on_chunk,
                      std::chrono::milliseconds idle_timeout, std::stop_token stop) override;

  // "GET /api/tasks?…", in the order in which they came.
  std::vector<std::string> asked() const;
  std::vector<HttpRequest> requests() const;
  // Header of the last request; empty if it was not sent.
  std::string last_header(std::string_view name) const;
  int count(std::string_view beginning) const;

 private:
  HttpResponse answer(const HttpRequest& request);
  HttpResponse list(const std::map<std::string, std::string>& query) const;
  HttpResponse show(const std::string& id);
  HttpResponse start(const HttpRequest& request);
  HttpResponse stop(const std::string& id);
  HttpResponse extend(const std::string& id, const HttpRequest& request);
  HttpResponse why(const std::string& id) const;

  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::map<std::string, std::string> keys_;  // idempotency key -> task id
};

// One of many clients of one agent.
std::unique_ptr<HttpClient> client_of(FakeAgent& agent);

}  // namespace resmgr::cli

#endif  // RESMGR_TESTS_UNIT_CLI_FAKE_AGENT_H_
