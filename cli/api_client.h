// The agent's REST API, as the commands use it.
//
// Every call throws AgentUnreachable where no answer came, an Error made of the agent's problem
// where it refused, and Error(rejected) for an answer that is not an agent's.
#ifndef RESMGR_CLI_API_CLIENT_H_
#define RESMGR_CLI_API_CLIENT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cli/agent_address.h"
#include "cli/surroundings.h"
#include "common/http.h"
#include "common/json.h"
#include "common/task.h"
#include "common/wire.h"

namespace resmgr::cli {

struct TaskAnswer {
  Task task;
  std::string url;  // iframeUrl; empty where there is none
  Json body;        // the whole task object
};

// As TaskQuery::user_id: whoever the agent takes the caller for.
inline constexpr char kCallersOwn[] = "me";

struct TaskQuery {
  std::vector<TaskStatus> statuses;  // empty: any
  std::string user_id;
  std::string service_type;
  std::optional<Instant> from;  // admitted at or after
  std::string id_part;          // the id begins or ends with it
  std::optional<int> limit;     // of all pages together; empty: no limit
};

// How far the journal had come when a list was read.
struct JournalPosition {
  std::string journal_id;  // empty: not told
  std::int64_t seq = 0;
};

struct LogQuery {
  bool follow = false;
  std::optional<int> tail;
  std::optional<Instant> since;
};

// What was used is summed up by `groups` ("user,day"; empty: one sum of all).
struct UsageQuery {
  std::string groups;
  std::string user_id;
  std::optional<Instant> from;
  std::optional<Instant> to;
};

enum class Answer { when_ready, at_once };

// Thread-safe, as the HttpClient is.
class ApiClient {
 public:
  // All of it must outlive the object.
  ApiClient(HttpClient& http, AgentAddress address, std::string token,
            const Surroundings& surroundings);

  const AgentAddress& address() const { return address_; }

  // Repeating it with the same key starts nothing more, and answers the same task.
  TaskAnswer start(const wire::StartRequest& request, const std::string& idempotency_key,
                   Answer answer);
  TaskAnswer task(const std::string& task_id);
  // {success, duration, durationSeconds}; answers when the end is on record.
  Json stop(const std::string& task_id);
  // Answers the task as it then is, with `idleUntil` and `lifetimeUntil`.
  TaskAnswer extend(const std::string& task_id, Millis by);
  // Each signal of its use, and when it will be warned and stopped.
  Json why(const std::string& task_id);
  // Newest first, page by page; `each` returns false to end it. Events after the position that is
  // returned tell what changed since.
  std::optional<JournalPosition> tasks(const TaskQuery& query,
                                       const std::function<bool(const Json& task)>& each);
  Json services();
  Json host();
  // For admins: the agent's look at its host, [{name, state, destination, text, hint}].
  Json host_checks();
  // For admins: the images of the catalog, and one of them that is pulled from now on.
  Json images();
  Json pull_image(const std::string& service);
  // What a sink had refused for good, all pages.
  Json dead_letters(const std::string& sink);
  // What is billed of a task, what was posted of it, and what was answered: the agent's own object.
  // The sums, in the order of their keys.
  Json usage(const UsageQuery& query);
  Json usage_record(const std::string& task_id);
  // The same of all tasks that the caller may see, oldest first, page by page.
  void usage_records(const std::function<void(const Json& record)>& each);
  // `action` is "sync" or "retry"; answers how the sink does.
  Json ask_sink(const std::string& sink, const std::string& action);
  // For admins; what each answers is the agent's own.
  Json reconcile(bool dry_run);
  Json drain(const std::string& reason);  // may be empty
  Json resume();

  void logs(const std::string& task_id, const LogQuery& query,
            const std::function<bool(std::string_view)>& on_bytes);
  // One JSON text a call. `since` empty: from now on with `follow`, else all that is kept.
  // `on_open` is called once nothing more can be missed. Ends when the agent ends it, `on_line`
  // returns false, or soon after `stop` is requested.
  void events(const std::optional<JournalPosition>& since, bool follow,
              const std::function<void()>& on_open,
              const std::function<bool(std::string_view line)>& on_line, std::stop_token stop);

 private:
  HttpRequest make_request(std::string method, std::string target) const;
  // What has a body says what it is: the agent takes JSON alone.
  HttpRequest make_post(std::string target, const Json& body) const;
  Json get(std::string target, std::string_view action);
  HttpResponse exchange(const HttpRequest& request, std::string_view action);
  void stream(const HttpRequest& request, std::string_view action, Millis idle_timeout,
              const std::function<bool(std::string_view)>& on_chunk, std::stop_token stop);
  [[noreturn]] void refuse_answer(std::string_view action, std::string_view fault) const;
  // Of every page of a list, from the one that `query` asks for on.
  void each_of(const std::string& path, std::string query, std::string_view action,
               const std::function<void(const Json& one)>& each);
  Json json_of(const HttpResponse& response, std::string_view action) const;
  TaskAnswer task_of(const HttpResponse& response, std::string_view action) const;

  HttpClient& http_;
  AgentAddress address_;
  std::string token_;
  const Surroundings& surroundings_;
};

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_API_CLIENT_H_
