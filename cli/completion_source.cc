#include "cli/completion_source.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/api_client.h"
#include "cli/arguments.h"
#include "cli/session.h"
#include "cli/task_view.h"
#include "common/guarded.h"
#include "common/ids.h"

namespace resmgr::cli {
namespace {

constexpr int kMostTasks = 500;           // one page
constexpr std::size_t kFewestDigits = 4;  // that mean a task

// Nothing that is said while one types stands between the words.
class Silence final : public TextStream {
 public:
  void write(std::string_view) override {}
  void flush() override {}
  bool is_terminal() const override { return false; }
  int width() const override { return 0; }
};

// What a shell takes as it is. An agent that tells other names must not put them on the line.
bool is_plain(std::string_view word) {
  return !word.empty() && word.front() != '-' &&
         std::all_of(word.begin(), word.end(), [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_' || c == '.';
         });
}

class Asking {
 public:
  Asking(const Completion& completion, Session& session)
      : completion_(completion), session_(session) {}

  std::vector<Candidate> ask() {
    switch (completion_.takes) {
      case Takes::service:
        for (const Json& one : session_.api().services()) {
          offer(string_or(one, "name"), string_or(one, "title"));
        }
        break;
      case Takes::sink: {
        const Json host = session_.api().host();
        for (const Json& one : array_at(host, "sinks")) {
          offer(string_or(one, "name"), string_or(one, "state"));
        }
        break;
      }
      case Takes::active_task:
      case Takes::task:
        ask_for_tasks();
        break;
      case Takes::user:
        ask_for_users();
        break;
      case Takes::any_text:
      case Takes::choice:
      case Takes::file:
        break;
    }
    return std::move(candidates_);
  }

 private:
  void each_task(TaskQuery query, const std::function<void(const Json&)>& each) {
    query.limit = kMostTasks;
    session_.api().tasks(query, [&](const Json& task) {
      each(task);
      return true;
    });
  }

  void ask_for_tasks() {
    TaskQuery query;
    if (completion_.takes == Takes::active_task) query.statuses = active_statuses();
    each_task(query, [&](const Json& json) {
      const std::string id = string_or(json, "taskId");
      if (is_given(id)) return;
      const std::string what = describe(json);
      // All begin alike: the end is what tells one from another.
      offer(std::string(short_id(id)), what);
      if (!completion_.typed.empty()) offer(id, what);
    });
  }

  std::string describe(const Json& json) const {
    const Task task = wire::task_from_json(json);
    std::string text = task.service_type + ", " + std::string(to_string(task.status));
    const std::string time = format_run_time(task, session_.surroundings().clock.now());
    if (!time.empty()) text += " " + time;
    return text + ", " + user_text(json);
  }

  bool is_given(const std::string& id) const {
    return std::ranges::any_of(completion_.given, [&](const std::string& word) {
      return word.size() >= kFewestDigits && id_matches(id, word);
    });
  }

  void ask_for_users() {
    std::set<std::string> seen;
    each_task({}, [&](const Json& task) {
      const std::string id = string_or(task, "userId");
      const std::string name = user_text(task);
      if (seen.insert(id).second) offer(id, name == id ? "" : name);
    });
  }

  void offer(const std::string& word, const std::string& description) {
    if (!is_plain(word) || !word.starts_with(completion_.typed)) return;
    candidates_.push_back({completion_.before + word, description});
  }

  const Completion& completion_;
  Session& session_;
  std::vector<Candidate> candidates_;
};

}  // namespace

std::vector<Candidate> told_by_agent(const Completion& completion,
                                     const Surroundings& surroundings) {
  if (completion.takes == Takes::any_text || completion.takes == Takes::choice ||
      completion.takes == Takes::file) {
    return {};
  }
  // It may go on when nobody waits any more, and then nothing of the caller's is there.
  const auto told = std::make_shared<Guarded<std::vector<Candidate>>>();
  const auto ask = [told, completion, surroundings] {
    try {
      Silence silence;
      const Surroundings quiet{silence,
                               silence,
                               surroundings.clock,
                               surroundings.uid,
                               surroundings.login_name,
                               surroundings.environment,
                               surroundings.read_input,
                               surroundings.look_at,
                               surroundings.connect,
                               surroundings.catch_interrupts,
                               surroundings.sleep,
                               surroundings.run_program,
                               surroundings.within};
      Session session(completion.globals, quiet);
      auto candidates = Asking(completion, session).ask();
      told->with([&](auto& value) { value = std::move(candidates); });
    } catch (const std::exception&) {
      // The agent is away, or will not say.
    }
  };
  try {
    surroundings.within(kCompletionLimit, ask);
  } catch (const std::system_error&) {
    return {};  // no thread is to be had
  }
  return told->with([](auto& value) { return std::move(value); });
}

}  // namespace resmgr::cli
