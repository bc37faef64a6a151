// What an operator does to a host, on a real engine: reconciles what others left, drains it, limits
// it.

#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/ids.h"
#include "tests/contract/tiny_registry.h"
#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using ::testing::HasSubstr;

class OperatorTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { support::ensure_hello_image(); }

  explicit OperatorTest(const std::string& limits = "") : agent_(options(limits)) {}

  static support::AgentOptions options(const std::string& limits) {
    support::AgentOptions result;
    result.config = support::kAuthWithTestKey + limits;
    return result;
  }
  support::RestClient alice() const { return agent_.as(support::user_token(support::kAlice)); }
  support::RestClient admin() const { return agent_.as(support::admin_token()); }

  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent_.log() << '\n';
  }

  // Runs a container with all the labels of a task of Alice's, under a name that means nothing:
  // the agent does not look at it.
  std::string run_by_hand(const std::string& task_id, const std::string& name) const {
    const auto label = [](const std::string& key, const std::string& value) {
      return "--label=io.resmgr." + key + "=" + value;
    };
    return support::docker({"run", "--detach", "--name", name, "--publish", "127.0.0.1::8080",
                            label("managed-by", "resmgr"), label("agent-id", agent_.agent_id()),
                            label("task-id", task_id), label("user-id", support::kAlice),
                            label("service-type", "hello"), "resmgr/hello:latest"});
  }
  Json reconcile(bool dry_run) const {
    HttpRequest request;
    request.method = "POST";
    request.target = std::string(wire::kReconcile) + (dry_run ? "?dryRun=true" : "");
    const Answer answer = admin().send(request);
    EXPECT_EQ(answer.status, 200) << answer.response.body;
    return answer.json;
  }
  static Json entry_of(const Json& answer, const std::string& container_id) {
    for (const Json& entry : answer.at("entries")) {
      if (string_or(entry, "containerId") == container_id) return entry;
    }
    return {};
  }

  support::AgentProcess agent_;
};

TEST_F(OperatorTest, ReconcilesWhatOthersMade) {
  const SystemClock clock;
  const std::string live = new_uuid_v7(clock.now());
  const std::string dead = new_uuid_v7(clock.now());
  const std::string stray = new_uuid_v7(clock.now());
  const std::string live_container = run_by_hand(live, "live-" + live);
  const std::string dead_container = run_by_hand(dead, "dead-" + dead);
  const std::string stray_container = run_by_hand(stray, "stray-" + stray);
  support::docker({"kill", dead_container});
  // A change of name is no news to the agent: it does not look before the next minute.
  support::docker({"rename", "live-" + live, "resmgr-" + live});
  support::docker({"rename", "dead-" + dead, "resmgr-" + dead});

  const Json shown = reconcile(true);
  EXPECT_EQ(string_or(entry_of(shown, live_container), "class"), "adopt") << shown;
  EXPECT_EQ(string_or(entry_of(shown, live_container), "engine"), "running") << shown;
  EXPECT_EQ(string_or(entry_of(shown, dead_container), "class"), "adopt") << shown;
  EXPECT_EQ(string_or(entry_of(shown, dead_container), "engine"), "exited") << shown;
  EXPECT_EQ(string_or(entry_of(shown, stray_container), "class"), "foreign") << shown;
  EXPECT_EQ(alice().get("/api/tasks").json, Json::array()) << "a dry run did something";
  EXPECT_TRUE(support::container_exists(dead_container));

  const support::Finished done = agent_.cli({"reconcile", "--output", "json"});
  EXPECT_EQ(done.code, 0) << done.out << done.err;
  const Json did = Json::parse(done.out);
  EXPECT_EQ(string_or(entry_of(did, live_container), "outcome"), "done") << did;
  EXPECT_EQ(string_or(entry_of(did, dead_container), "outcome"), "done") << did;
  EXPECT_EQ(string_or(entry_of(did, stray_container), "outcome"), "left") << did;

  const Answer adopted = alice().get(wire::task_path(live));
  EXPECT_EQ(adopted.text("status"), "Running") << adopted.response.body;
  EXPECT_EQ(fetch(adopted.text("iframeUrl")).status, 200);
  const Answer ended = alice().get(wire::task_path(dead));
  EXPECT_EQ(ended.text("usageHash").size(), 64u) << ended.response.body;
  EXPECT_FALSE(support::container_exists(dead_container));
  EXPECT_EQ(support::docker({"inspect", "--format", "{{.State.Running}}", stray_container}),
            "true");

  const support::Finished after = agent_.cli({"reconcile", "--dry-run", "--output", "tsv"});
  EXPECT_EQ(after.code, 0) << after.err;
  EXPECT_THAT(after.out, ::testing::StartsWith("foreign\t\t" + stray_container + "\t"));
  EXPECT_EQ(alice().del(wire::task_path(live)).status, 200);
  support::docker({"rm", "--force", stray_container});
}

// Hazard 40.
TEST_F(OperatorTest, ADrainedHostStaysDrainedUntilItIsResumed) {
  const Answer started = alice().start("hello");
  ASSERT_EQ(started.status, 201);
  const support::Finished drained = agent_.cli({"drain", "--reason", "new kernel"});
  EXPECT_EQ(drained.code, 0) << drained.err;
  EXPECT_THAT(drained.out, HasSubstr(started.text("taskId")));
  agent_.kill9();
  agent_.start();
  const Answer refused = alice().start("hello");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.text("detail"), HasSubstr("new kernel"));
  EXPECT_EQ(admin().get("/readyz").status, 200);
  EXPECT_THAT(agent_.cli({"status"}).out, HasSubstr("drainReason\tnew kernel\n"));
  EXPECT_EQ(alice().del(wire::task_path(started.text("taskId"))).status, 200);
  EXPECT_EQ(agent_.cli({"resume"}).code, 0);
  const Answer again = alice().start("hello");
  EXPECT_EQ(again.status, 201) << again.response.body;
  EXPECT_EQ(alice().del(wire::task_path(again.text("taskId"))).status, 200);
  const support::Finished events = agent_.cli({"events"});
  EXPECT_THAT(events.out, HasSubstr("agent.drained"));
  EXPECT_THAT(events.out, HasSubstr("agent.resumed"));
}

class ReloadTest : public OperatorTest {
 protected:
  ReloadTest() : OperatorTest("[limits]\ntasks_per_user = 1\n") {}

  // The whole of resmgr.toml, with so much about limits.
  void configure(const std::string& rest) const {
    std::ofstream(agent_.dir() / "resmgr.toml")
        << "[auth]\nhmac_key_file = \"" << (agent_.dir() / "key").string() << "\"\n"
        << rest;
  }
  void define(const std::string& text) const {
    std::ofstream(agent_.dir() / "services.d" / "mine.toml") << text;
  }
  // Sends SIGHUP, and waits until the log says so once more.
  void reload(const std::string& word) {
    const std::size_t before = agent_.log().size();
    ::kill(agent_.pid(), SIGHUP);
    EXPECT_TRUE(support::eventually([&] {
      return agent_.log().find(word, before) != std::string::npos;
    })) << word
        << " is not in the log:\n"
        << agent_.log();
  }
};

TEST_F(ReloadTest, TakesLimitsCatalogAndKeysAndRefusesWhatIsWrong) {
  const std::string definition =
      "name = \"mine\"\nimage = \"resmgr/hello:latest\"\ncontainer_port = 8080\n";
  const Answer first = alice().start("hello");
  ASSERT_EQ(first.status, 201);
  EXPECT_EQ(alice().start("hello").status, 409);
  configure("[limits]\ntasks_per_user = 2\n");
  define(definition);
  reload("Reloaded the configuration");
  const Answer second = alice().start("mine");
  EXPECT_EQ(second.status, 201) << second.response.body;

  // Nothing of a wrong file counts, and a wrong definition takes no service away.
  configure("[limits]\ntasks_per_usr = 3\n");
  reload("tasks_per_user");
  EXPECT_EQ(alice().start("hello").status, 409);
  configure("[limits]\ntasks_per_user = 3\n[server]\nmax_connections = 99\n");
  define("name = ");
  reload("Reloaded the configuration");
  EXPECT_THAT(agent_.log(), HasSubstr("server.max_connections"));
  const Answer third = alice().start("mine");
  EXPECT_EQ(third.status, 201) << third.response.body;

  // Another key: the old one's tokens are refused from then on.
  std::ofstream(agent_.dir() / "key") << "another key, of thirty-two bytes or more\n";
  reload("Reloaded the configuration");
  EXPECT_EQ(alice().get("/api/tasks").status, 401);
  const support::Finished all = agent_.cli({"stop", "--all"});
  EXPECT_EQ(all.code, 0) << all.err;
}

// 'Without dropping a request'.
TEST_F(ReloadTest, NoRequestNoticesIt) {
  std::atomic<bool> over{false};
  std::atomic<int> asked{0};
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&, client = alice()] {
        while (!over) {
          if (client.get("/api/tasks").status != 200) ++failed;
          ++asked;
        }
      });
    }
    for (int i = 0; i < 20; ++i) reload("Reloaded the configuration");
    over = true;
  }
  EXPECT_EQ(failed, 0) << "of " << asked;
  EXPECT_GT(asked, 20);
}

TEST_F(OperatorTest, LooksForWhatIsWrong) {
  const support::Finished looked = agent_.cli({"doctor", "--output", "json"});
  const Json checks = Json::parse(looked.out);
  const auto state = [&](const std::string& name) {
    for (const Json& check : checks) {
      if (string_or(check, "name") == name) return string_or(check, "state");
    }
    return std::string("missing");
  };
  for (const char* const good : {"agent", "engine", "catalog", "image of hello", "journal", "ports",
                                 "disk of the journal", "disk of the engine"}) {
    EXPECT_EQ(state(good), "ok") << good << '\n' << looked.out;
  }
  EXPECT_EQ(state("public_url"), "off");
  EXPECT_EQ(state("postgres"), "off");
  EXPECT_EQ(looked.code, 0) << looked.out;
}

TEST_F(OperatorTest, BuildsTheImageOfAService) {
  const std::string program = agent_.dir() / "build";
  std::ofstream(program) << "#!/bin/sh\nexec docker tag resmgr/hello:latest resmgr/made:latest\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  std::ofstream(agent_.dir() / "services.d" / "made.toml")
      << "name = \"made\"\nimage = \"resmgr/made:latest\"\ncontainer_port = 8080\nbuild = \""
      << program << "\"\n";
  ::kill(agent_.pid(), SIGHUP);
  EXPECT_TRUE(support::eventually(
      [&] { return agent_.log().find("Reloaded the configuration") != std::string::npos; }));
  EXPECT_THAT(agent_.cli({"images", "list", "made"}).out, HasSubstr("\tmissing\t"));
  const support::Finished built = agent_.cli({"images", "build", "made"});
  EXPECT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("\tpresent\t"));
  support::docker({"rmi", "resmgr/made:latest"});
}

TEST_F(OperatorTest, PullsTheImageOfAService) {
  engine::TinyRegistry registry;
  registry.add("resmgr-operator/pulled", 100'000);
  const std::string image = registry.address() + "/resmgr-operator/pulled:1";
  const std::string missing = registry.address() + "/resmgr-operator/missing:1";
  for (const auto& [name, its] : {std::pair("pulled", image), std::pair("missing", missing)}) {
    std::ofstream(agent_.dir() / "services.d" / (std::string(name) + ".toml"))
        << "name = \"" << name << "\"\nimage = \"" << its << "\"\ncontainer_port = 8080\n";
  }
  ::kill(agent_.pid(), SIGHUP);
  EXPECT_TRUE(support::eventually(
      [&] { return agent_.log().find("Reloaded the configuration") != std::string::npos; }));
  const support::Finished pulled = agent_.cli({"images", "pull", "pulled"});
  EXPECT_EQ(pulled.code, 0) << pulled.out << pulled.err;
  EXPECT_EQ(pulled.out, image + "\tpulled\tpresent\t\t\n");
  const support::Finished failed = agent_.cli({"images", "pull", "missing"});
  EXPECT_EQ(failed.code, 1) << failed.out << failed.err;
  EXPECT_THAT(failed.out, HasSubstr("\tmissing\tmissing\t\tcannot pull image"));
  support::docker({"rmi", image});
}

class LimitedTest : public OperatorTest {
 protected:
  static constexpr int kRacing = 200;

  LimitedTest() : OperatorTest("[limits]\ntasks_per_user = 5\n") {}

  // How many of so many starts at once were admitted; the others must be told which limit it was.
  int race() const {
    std::atomic<int> admitted{0};
    std::atomic<int> refused{0};
    {
      std::vector<std::jthread> clients;
      for (int i = 0; i < kRacing; ++i) {
        clients.emplace_back([&, client = alice()] {
          const Answer answer = client.start("hello", {{"Prefer", "respond-async"}});
          if (answer.status == 202) ++admitted;
          if (answer.status == 409 && answer.json.at("limit").at("max") == 5 &&
              answer.json.at("taskIds").size() == 5) {
            ++refused;
          }
        });
      }
    }
    EXPECT_EQ(admitted + refused, kRacing);
    return admitted;
  }
};

TEST_F(LimitedTest, RacingStartsPassALimitNeitherAtOnceNorAfterARestart) {
  EXPECT_EQ(race(), 5);
  agent_.kill9();
  agent_.start();
  EXPECT_EQ(race(), 0);
  EXPECT_TRUE(support::eventually(
      [&] { return alice().get("/api/tasks?status=Running").json.size() == 5; }));
  EXPECT_EQ(support::containers_of(agent_.agent_id()).size(), 5u);
}

}  // namespace
}  // namespace resmgr::e2e
