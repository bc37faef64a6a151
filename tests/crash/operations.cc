#include "tests/crash/operations.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "common/error.h"
#include "common/wire.h"
#include "tests/crash/surroundings.h"
#include "tests/support/docker_cli.h"
#include "tests/support/eventually.h"

namespace resmgr::crash {
namespace {

using support::AgentProcess;
using support::Answer;
using support::eventually;

support::RestClient caller(const AgentProcess& agent) { return agent.over_socket(); }

// Asks until the answer fits, or the agent is gone.
template <typename Fits>
void await(AgentProcess& agent, const std::string& target, Fits&& fits) {
  const bool came = eventually([&] { return !agent.running() || fits(caller(agent).get(target)); });
  if (!came) throw std::runtime_error("waited in vain for " + target + "\n" + agent.log());
}

// By name: what bears our labels and another name is not ours.
bool has_containers(const AgentProcess& agent) {
  const auto listed = support::containers_of(agent.agent_id());
  return std::any_of(listed.begin(), listed.end(), [](const support::ListedContainer& container) {
    return container.name.starts_with("resmgr-");
  });
}

// Until the end is on record, and what is left at the engine is removed.
void await_removed(AgentProcess& agent, const std::string& task_id) {
  await(agent, wire::task_path(task_id), [](const Answer& answer) {
    for (const auto& event : array_at(answer.json, "events")) {
      const auto type = string_or(event, "type");
      if (type == "task.removed" || type == "task.failed") return true;
    }
    return false;
  });
}

// Until the destinations have all that there is.
void await_synced(AgentProcess& agent) {
  await(agent, "/api/host", [](const Answer& answer) {
    for (const auto& sink : array_at(answer.json, "sinks")) {
      if (string_or(sink, "state") != "current" || integer_or(sink, "lagEvents", 1) != 0) {
        return false;
      }
    }
    return answer.status == 200;
  });
}

void start_and_stop(AgentProcess& agent) {
  const std::string id = caller(agent).start("page").text("taskId");
  caller(agent).del(wire::task_path(id));
  await_removed(agent, id);
  await_synced(agent);
}

void start(AgentProcess& agent) { caller(agent).start("page"); }

void fail_to_start(AgentProcess& agent) {
  await_removed(agent,
                caller(agent).start("never-ready", {{"Prefer", "respond-async"}}).text("taskId"));
}

void fail_to_run(AgentProcess& agent) {
  await_removed(agent, caller(agent).start("empty", {{"Prefer", "respond-async"}}).text("taskId"));
}

void lose_a_child(AgentProcess& agent) {
  const std::string id = caller(agent).start("hungry").text("taskId");
  await(agent, wire::task_path(id), [](const Answer& answer) {
    for (const auto& event : array_at(answer.json, "events")) {
      if (string_or(event, "type") == "task.oom") return true;
    }
    return false;
  });
}

void end_by_itself(AgentProcess& agent) {
  const Answer started = caller(agent).start("page");
  support::docker({"kill", "--signal", "TERM", started.text("containerId")});
  await_removed(agent, started.text("taskId"));
}

void start_and_sample(AgentProcess& agent) {
  const std::string id = caller(agent).start("page").text("taskId");
  await(agent, wire::task_path(id),
        [](const Answer& answer) { return !object_at(answer.json, "usage").is_null(); });
}

void outlive(AgentProcess& agent) {
  const std::string id = caller(agent).start(kPassing).text("taskId");
  caller(agent).post(wire::task_path(id) + "/extend", {{"by", "1s"}});
  await_removed(agent, id);
}

void drain_and_resume(AgentProcess& agent) {
  caller(agent).post("/api/host/drain", {{"reason", "new cables"}});
  agent.cli({"resume"});
}

void await_warm(AgentProcess& agent) {
  await(agent, "/api/host", [](const Answer& answer) {
    const Json& pools = array_at(answer.json, "pools");
    return pools.size() == 1 && integer_or(pools[0], "ready", 0) == 1;
  });
}

void start_warm(AgentProcess& agent) {
  await_warm(agent);
  const std::string id = caller(agent).start("warm").text("taskId");
  caller(agent).del(wire::task_path(id));
  await_removed(agent, id);
  await_warm(agent);
  await_synced(agent);
}

// From here on the table can't take a row of the page.
void refuse_rows(AgentProcess& agent) {
  agent.start();
  await_synced(agent);
  agent.stop();
  destinations().postgres.query("ALTER TABLE \"" + schema_of(agent) +
                                "\".tasks ADD CONSTRAINT mine CHECK (ServiceType <> 'page')");
}

void start_what_is_refused(AgentProcess& agent) {
  caller(agent).start("page");
  await(agent, "/api/host", [](const Answer& answer) {
    for (const auto& sink : array_at(answer.json, "sinks")) {
      if (integer_or(sink, "deadLetters", 0) > 0) return true;
    }
    return false;
  });
}

void run_until(AgentProcess& agent, const char* failpoint, void (*act)(AgentProcess&)) {
  if (agent.try_start({{"RESMGR_FAILPOINT", failpoint}})) {
    try {
      act(agent);
    } catch (const Error&) {
      // It is gone, as it should.
    }
  }
  if (agent.wait(std::chrono::seconds(60)) != 137) {
    throw std::runtime_error(std::string("did not reach ") + failpoint + "\n" + agent.log());
  }
}

// The user's stop comes while the engine is away, and nobody knows whether the create before the
// kill will come true.
void stop_what_may_be_made(AgentProcess& agent) {
  run_until(agent, "engine.before_create", start);
  agent.try_start({{"RESMGR_ENGINE_SOCKET", "unix://" + (agent.dir() / "nobody.sock").string()}});
  for (const auto& task : caller(agent).get("/api/tasks").json) {
    caller(agent).del(wire::task_path(string_or(task, "taskId")));
  }
  agent.kill9();
}

void lose_journal(const AgentProcess& agent) {
  for (const char* file : {"journal.db", "journal.db-wal", "journal.db-shm"}) {
    std::filesystem::remove(agent.dir() / "data" / file);
  }
}

void lose_journal_of_running_task(AgentProcess& agent) {
  agent.start();
  start(agent);
  agent.kill9();
  lose_journal(agent);
}

void lose_journal_of_warm_task(AgentProcess& agent) {
  agent.start();
  await_warm(agent);
  const std::string id = caller(agent).start("warm").text("taskId");
  eventually([&] {
    const auto all = support::containers_of(agent.agent_id());
    return std::any_of(all.begin(), all.end(), [&](const auto& container) {
      return container.name.find(id) != std::string::npos;
    });
  });
  agent.kill9();
  lose_journal(agent);
}

void lose_journal_of_created_task(AgentProcess& agent) {
  run_until(agent, "engine.before_start", start);
  lose_journal(agent);
}

void await_everything_removed(AgentProcess& agent) {
  for (const auto& task : caller(agent).get("/api/tasks").json) {
    await_removed(agent, string_or(task, "taskId"));
  }
}

void await_no_container(AgentProcess& agent) {
  if (eventually([&] { return !agent.running() || !has_containers(agent); })) return;
  throw std::runtime_error("the container stays\n" + agent.log());
}

void await_adopted(AgentProcess& agent) {
  await(agent, "/api/tasks", [](const Answer& answer) {
    return answer.json.size() == 1 && string_or(answer.json[0], "status") == "Running";
  });
}

}  // namespace

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = {
      {"boot", nullptr, await_synced},
      {"sample", nullptr, start_and_sample},
      {"start and stop", nullptr, start_and_stop},
      {"start that is never ready", nullptr, fail_to_start},
      {"start of what can't run", nullptr, fail_to_run},
      {"child killed for memory", nullptr, lose_a_child},
      {"end by itself", nullptr, end_by_itself},
      {"stop of what may be made", stop_what_may_be_made, await_everything_removed},
      {"warning and extension", nullptr, outlive},
      {"drain", nullptr, drain_and_resume},
      {"row that is refused", refuse_rows, start_what_is_refused},
      {"adoption", lose_journal_of_running_task, await_adopted, true},
      {"warm start", nullptr, start_warm, false, true},
      {"warm adoption", lose_journal_of_warm_task, await_adopted, true, true},
      {"orphan", lose_journal_of_created_task, await_no_container, true},
  };
  return all;
}

}  // namespace resmgr::crash
