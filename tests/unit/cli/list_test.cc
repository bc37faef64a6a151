// `resmgr list`.

#include "common/time_format.h"
#include "common/wire.h"
#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kListId1[] = "019aaaaa-0000-7000-8000-000000000001";
constexpr char kListId2[] = "019aaaaa-0000-7000-8000-000000000002";
constexpr char kId3[] = "019aaaaa-0000-7000-8000-000000000003";

class ListTest : public CommandTest {
 protected:
  ListTest() {
    setenv("TZ", "UTC", 1);
    tzset();
    agent.add_task("1", TaskStatus::stopped).user_id = kBob;
    Task& failed = agent.add_task("2", TaskStatus::error, "jupyter");
    failed.exit_code = 137;
    failed.status_reason = "ran out of its 1 GiB of memory";
    agent.add_task("3");
  }
};

TEST_F(ListTest, InAPipeIsActiveTasksAsTsv) {
  EXPECT_EQ(run({"list"}), kDone);
  EXPECT_EQ(out.text,
            "019aaaaa-0000-7000-8000-000000000003\tRunning\thello\t"
            "11111111-1111-4111-8111-111111111111\t49153\t2026-11-22T16:04:05.000Z\t"
            "2026-11-22T16:04:05.000Z\t\t\there\tc0ffee\t\t\n");
  EXPECT_EQ(err.text, "");
  EXPECT_THAT(agent.asked(),
              ElementsAre("GET /api/tasks?status=Starting%2CRunning%2CStopping&limit=500"));
}

TEST_F(ListTest, AllAddsEndedOnes) {
  EXPECT_EQ(run({"ls", "--all", "-q"}), kDone);
  EXPECT_EQ(out.text, std::string(kId3) + "\n" + kListId2 + "\n" + kListId1 + "\n");
}

TEST_F(ListTest, TsvOfEndedTasks) {
  EXPECT_EQ(run({"list", "--status", "error,stopped"}), kDone);
  EXPECT_EQ(out.text,
            "019aaaaa-0000-7000-8000-000000000002\tError\tjupyter\t"
            "11111111-1111-4111-8111-111111111111\t49153\t2026-11-22T16:04:05.000Z\t"
            "2026-11-22T16:04:05.000Z\t2026-11-22T16:05:07.000Z\t62.000\there\tc0ffee\t137\t"
            "ran out of its 1 GiB of memory\n"
            "019aaaaa-0000-7000-8000-000000000001\tStopped\thello\t"
            "22222222-2222-4222-8222-222222222222\t49153\t2026-11-22T16:04:05.000Z\t"
            "2026-11-22T16:04:05.000Z\t2026-11-22T16:05:07.000Z\t62.000\there\tc0ffee\t0\t\n");
}

TEST_F(ListTest, OnATerminalIsATable) {
  out.terminal = true;
  variables["NO_COLOR"] = "1";
  agent.find(kListId2)->status_reason = "said \x1b[2J and \xff, which is no text";
  EXPECT_EQ(run({"list", "--all"}), kDone);
  EXPECT_EQ(out.text,
            "TASK          STATUS   SERVICE  USER                                   PORT  STARTED  "
            "       TIME  REASON\n"
            "000000000003  Running  hello    11111111-1111-4111-8111-111111111111  49153  16:04:05"
            "  1h 00m 00s\n"
            "000000000002  Error    jupyter  11111111-1111-4111-8111-111111111111  49153  16:04:05"
            "      1m 02s  said ?[2J and �, whi…\n"
            "000000000001  Stopped  hello    22222222-2222-4222-8222-222222222222  49153  16:04:05"
            "      1m 02s\n");
}

TEST_F(ListTest, NamesUsersWhereTheAgentDoes) {
  out.terminal = true;
  variables["NO_COLOR"] = "1";
  agent.intercept = [&](const HttpRequest&) {
    Json tasks = Json::array();
    for (const Task& task : agent.tasks) tasks.push_back(wire::task_to_json(task));
    tasks[0]["user"] = {{"email", "ada@example.org"}, {"fullName", "Ada \x1b[2J"}};
    tasks[1]["user"] = {{"email", "bob@example.org"}, {"fullName", nullptr}};
    return std::optional(json_answer(200, tasks));
  };
  EXPECT_EQ(run({"list", "--all"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("hello    Ada ?[2J "));
  EXPECT_THAT(out.text, HasSubstr("jupyter  bob@example.org "));
  EXPECT_THAT(out.text, HasSubstr(std::string("hello    ") + kBob));
}

TEST_F(ListTest, ColourIsForTerminalsWithoutObjection) {
  run({"list", "--output", "table"});
  EXPECT_THAT(out.text, Not(HasSubstr("\x1b")));
  out.terminal = true;
  run({"list"});
  EXPECT_THAT(out.text, HasSubstr("\x1b[32mRunning\x1b[0m"));
  variables["NO_COLOR"] = "";
  run({"list"});
  EXPECT_THAT(out.text, HasSubstr("\x1b[32m")) << "an empty NO_COLOR is none";
  variables["NO_COLOR"] = "yes";
  run({"list"});
  EXPECT_THAT(out.text, Not(HasSubstr("\x1b")));
  variables.erase("NO_COLOR");
  variables["TERM"] = "dumb";
  run({"list"});
  EXPECT_THAT(out.text, Not(HasSubstr("\x1b")));
}

TEST_F(ListTest, JsonIsTheAgentsArray) {
  EXPECT_EQ(run({"list", "--all", "--output", "json"}), kDone);
  const Json answer = parse_json(out.text, "output");
  ASSERT_EQ(answer.size(), 3u);
  EXPECT_EQ(answer[0]["taskId"], kId3);
  EXPECT_EQ(answer[1]["statusReason"], "ran out of its 1 GiB of memory");
  EXPECT_EQ(answer[0]["stopTime"], Json());
}

TEST_F(ListTest, JsonOfNothingIsAnEmptyArray) {
  agent.tasks.clear();
  EXPECT_EQ(run({"--output", "json", "list"}), kDone);
  EXPECT_EQ(out.text, "[]\n");
}

TEST_F(ListTest, CsvHasAHeader) {
  agent.find(kId3)->status_reason = "a, b";
  EXPECT_EQ(run({"list", "-o", "csv"}), kDone);
  EXPECT_EQ(out.text,
            "taskId,status,serviceType,userId,containerPort,createdAt,startTime,stopTime,"
            "durationSeconds,host,containerId,exitCode,statusReason\r\n"
            "019aaaaa-0000-7000-8000-000000000003,Running,hello,"
            "11111111-1111-4111-8111-111111111111,49153,2026-11-22T16:04:05.000Z,"
            "2026-11-22T16:04:05.000Z,,,here,c0ffee,,\"a, b\"\r\n");
}

TEST_F(ListTest, NothingIsSaidOnATerminalOnly) {
  agent.tasks.clear();
  EXPECT_EQ(run({"list"}), kDone);
  EXPECT_EQ(out.text + err.text, "");
  out.terminal = true;
  EXPECT_EQ(run({"list"}), kDone);
  EXPECT_EQ(out.text, "");
  EXPECT_THAT(err.text, HasSubstr("no active tasks"));
}

TEST_F(ListTest, AllPagesAreRead) {
  agent.page = 1;
  EXPECT_EQ(run({"list", "--all", "--quiet"}), kDone);
  EXPECT_EQ(out.text, std::string(kId3) + "\n" + kListId2 + "\n" + kListId1 + "\n");
  EXPECT_THAT(agent.asked(),
              ElementsAre("GET /api/tasks?limit=500", "GET /api/tasks?limit=500&cursor=1",
                          "GET /api/tasks?limit=500&cursor=2"))
      << "of a link only the query is taken";
}

TEST_F(ListTest, LimitEndsThePages) {
  agent.page = 1;
  EXPECT_EQ(run({"list", "--all", "--quiet", "--limit", "2"}), kDone);
  EXPECT_EQ(out.text, std::string(kId3) + "\n" + kListId2 + "\n");
  EXPECT_EQ(agent.asked().front(), "GET /api/tasks?limit=2");
  EXPECT_EQ(agent.asked().size(), 2u);
}

TEST_F(ListTest, FiltersAreTheAgents) {
  EXPECT_EQ(run({"list", "--user", "22222222-2222-4222-8222-222222222222", "--service", "a b",
                 "--status", "Running", "--since", "2h"}),
            kDone);
  EXPECT_THAT(agent.asked(),
              ElementsAre("GET /api/tasks?status=Running&"
                          "userId=22222222-2222-4222-8222-222222222222&serviceType=a%20b&"
                          "from=2026-11-22T15%3A04%3A05.000Z&limit=500"));
}

TEST_F(ListTest, SinceTakesTimesToo) {
  run({"list", "--since", "2026-11-01"});
  EXPECT_THAT(agent.asked().back(), HasSubstr("from=2026-11-01T00%3A00%3A00.000Z"));
  run({"list", "--since", "2026-11-22T17:04:05+01:00"});
  EXPECT_THAT(agent.asked().back(), HasSubstr("from=2026-11-22T16%3A04%3A05.000Z"));
}

TEST_F(ListTest, WrongValuesAreUsageErrors) {
  EXPECT_EQ(run({"list", "--since", "yesterday"}), kUsage);
  EXPECT_THAT(err.text, StartsWith("resmgr: cannot use --since 'yesterday'"));
  EXPECT_EQ(run({"list", "--user", "alice"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("it is no UUID"));
  EXPECT_EQ(run({"list", "--status", "Dead"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("Starting, Running"));
  EXPECT_EQ(run({"list", "--limit", "0"}), kUsage);
  EXPECT_EQ(run({"list", "--limit", "many"}), kUsage);
  EXPECT_THAT(agent.asked(), IsEmpty());
}

TEST_F(ListTest, AReaderThatGoesAwayIsNoError) {
  out.before_write = [] { throw OutputClosed(); };
  EXPECT_EQ(run({"list", "--all"}), kDone);
  EXPECT_EQ(err.text, "");
}

TEST_F(ListTest, AFullDiskIs) {
  out.before_write = [] {
    throw Error(ErrorKind::unavailable, "cannot write standard output: No space left on device");
  };
  EXPECT_EQ(run({"list", "--all"}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("No space left"));
}

TEST_F(ListTest, NothingIsPrintedWhereTheAgentRefuses) {
  agent.intercept = [](const HttpRequest&) {
    return problem_answer(403, "forbidden", "cannot list tasks of user 'x': only an admin may");
  };
  for (const char* const format : {"json", "csv", "tsv", "table"}) {
    EXPECT_EQ(run({"list", "--output", format}), kNotAllowed);
    EXPECT_EQ(out.text, "") << format;
  }
}

TEST_F(ListTest, AnAnswerThatIsNoAgentsIsRefused) {
  agent.intercept = [](const HttpRequest&) {
    return HttpResponse{200, {{"Content-Type", "text/html"}}, "<html>"};
  };
  EXPECT_EQ(run({"list"}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("is no JSON"));
  agent.intercept = [](const HttpRequest&) { return json_answer(200, {{"a", 1}}); };
  EXPECT_EQ(run({"list"}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("is no list"));
}

}  // namespace
}  // namespace resmgr::cli
