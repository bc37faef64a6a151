#include "cli/watch.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/change_feed.h"
#include "cli/exit_code.h"
#include "cli/task_list.h"
#include "common/wire.h"

namespace resmgr::cli {
namespace {

constexpr Millis kTick{1'000};
constexpr Millis kLeastBetweenLooks{100};
constexpr char kClearScreen[] = "\033[2J";
constexpr char kFirstLine[] = "\033[H";
constexpr char kClearToEndOfLine[] = "\033[K";
constexpr char kClearBelow[] = "\033[J";

// Written over what stands there, so that nothing flickers.
std::string overwriting(const std::string& lines) {
  std::string text = kFirstLine;
  for (const char c : lines) {
    if (c == '\n') text += kClearToEndOfLine;
    text += c;
  }
  return text + kClearBelow;
}

struct Tasks {
  std::vector<Json> list;
  std::optional<JournalPosition> position;
};

Tasks read_tasks(ApiClient& api, const TaskQuery& query) {
  Tasks tasks;
  tasks.position = api.tasks(query, [&](const Json& task) {
    tasks.list.push_back(task);
    return true;
  });
  return tasks;
}

class Screen {
 public:
  Screen(Session& session, const TaskQuery& query) : session_(session), query_(query) {}

  [[noreturn]] void run() {
    tasks_ = read_tasks(session_.api(), query_);
    ChangeFeed feed(session_.api(), tasks_.position);
    draw();
    for (;;) {
      if (feed.wait(kTick).any()) look();
      draw();
    }
  }

 private:
  void look() {
    // Many changes at once are one look.
    session_.surroundings().sleep(kLeastBetweenLooks);
    try {
      tasks_ = read_tasks(session_.api(), query_);
      trouble_.clear();
    } catch (const AgentUnreachable& lost) {
      trouble_ = lost.message();
    }
  }

  void draw() {
    const Surroundings& around = session_.surroundings();
    const Instant now = around.clock.now();
    Table table = task_table();
    for (const Json& task : tasks_.list) {
      add_task_row(table, wire::task_from_json(task), user_text(task), now);
    }
    TextStream& out = session_.out();
    std::string text =
        table.empty() ? "no such tasks\n" : table.render(out.width(), around.colourful(out));
    if (!trouble_.empty()) text += "\n" + trouble_ + "; waiting for it\n";
    if (!std::exchange(drawn_, true)) out.write(kClearScreen);
    out.write(overwriting(text));
    out.flush();
  }

  Session& session_;
  TaskQuery query_;
  Tasks tasks_;
  std::string trouble_;
  bool drawn_ = false;
};

class ChangeLog {
 public:
  ChangeLog(Session& session, const TaskQuery& query, Format format, bool ids_only)
      : session_(session), query_(query), list_(session, format, ids_only, true) {}

  [[noreturn]] void run() {
    ChangeFeed feed(session_.api(), look());
    for (;;) {
      const ChangeFeed::News news = feed.wait(Millis{60'000});
      if (news.reread) try_to_look();
      for (const Json& task : news.tasks) note(task);
      session_.out().flush();
    }
  }

 private:
  void try_to_look() {
    try {
      look();
      if (std::exchange(away_, false)) session_.err().write("resmgr: the agent is back\n");
    } catch (const AgentUnreachable& lost) {
      if (!std::exchange(away_, true)) {
        session_.err().write("resmgr: " + lost.message() + "; waiting for it\n");
      }
    }
    session_.err().flush();
  }

  std::optional<JournalPosition> look() {
    std::map<std::string, Task> active;
    for (auto& [id, task] : last_) {
      if (is_active(task.status)) active.emplace(id, task);
    }
    const Tasks tasks = read_tasks(session_.api(), query_);
    for (const Json& task : tasks.list) {
      active.erase(string_or(task, "taskId"));
      note(task);
    }
    // What is no longer among them has ended meanwhile.
    for (const auto& [id, task] : active) note(session_.api().task(id).body);
    session_.out().flush();
    return tasks.position;
  }

  // Events that were on their way while the list was read tell what is known already: a task never
  // goes back to an earlier status.
  void note(const Json& json) {
    const Task task = wire::task_from_json(json);
    const auto known = last_.find(task.task_id);
    if (known == last_.end() ? !fits(task)
                             : task.status < known->second.status ||
                                   task_record(task) == task_record(known->second)) {
      return;
    }
    last_.insert_or_assign(task.task_id, task);
    list_.add(json);
  }

  bool fits(const Task& task) const {
    const auto& statuses = query_.statuses;
    return (statuses.empty() ||
            std::find(statuses.begin(), statuses.end(), task.status) != statuses.end()) &&
           (query_.user_id.empty() || query_.user_id == task.user_id) &&
           (query_.service_type.empty() || query_.service_type == task.service_type) &&
           (!query_.from || task.created_at >= *query_.from);
  }

  Session& session_;
  TaskQuery query_;
  TaskList list_;
  std::map<std::string, Task> last_;
  bool away_ = false;
};

}  // namespace

int watch_tasks(Session& session, const TaskQuery& query, Format format, bool ids_only) {
  if (format == Format::table && !ids_only && session.out().is_terminal()) {
    Screen(session, query).run();
  }
  const bool table = format == Format::table;
  ChangeLog(session, query, table ? Format::tsv : format, ids_only).run();
}

}  // namespace resmgr::cli
