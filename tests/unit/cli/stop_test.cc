// `resmgr stop`.

#include <algorithm>

#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr char kId1[] = "019aaaaa-0000-7000-8000-000000000001";
constexpr char kId2[] = "019aaaaa-0000-7000-8000-000000000002";
constexpr char kId3[] = "019aaaaa-0000-7000-8000-000000000003";

class StopTest : public CommandTest {
 protected:
  StopTest() {
    agent.add_task("1").user_id = kBob;
    agent.add_task("2", TaskStatus::running, "jupyter");
    agent.add_task("3");
  }
  std::vector<std::string> stopped() const {
    std::vector<std::string> ids;
    for (const Task& task : agent.tasks) {
      if (task.status == TaskStatus::stopped) ids.push_back(task.task_id);
    }
    return ids;
  }
};

TEST_F(StopTest, AWholeIdIsNotLookedUp) {
  EXPECT_EQ(run({"stop", kId2}), kDone);
  EXPECT_EQ(out.text, std::string(kId2) + "\tStopped\t62.000\n");
  EXPECT_THAT(agent.asked(), ElementsAre(std::string("DELETE /api/tasks/") + kId2));
}

TEST_F(StopTest, PeopleReadHowLongItRan) {
  out.terminal = true;
  EXPECT_EQ(run({"stop", kId2}), kDone);
  EXPECT_EQ(out.text, "stopped 000000000002 after 1m 02s\n");
}

TEST_F(StopTest, WhatNeverRanHasNoDuration) {
  out.terminal = true;
  agent.intercept = [](const HttpRequest&) {
    return json_answer(200, {{"success", true}, {"duration", "PT0S"}, {"durationSeconds", 0.0}});
  };
  EXPECT_EQ(run({"stop", kId2}), kDone);
  EXPECT_EQ(out.text, "stopped 000000000002\n");
}

TEST_F(StopTest, PartsOfIds) {
  EXPECT_EQ(run({"stop", "0003", "00000001"}), kDone);
  EXPECT_THAT(stopped(), UnorderedElementsAre(kId1, kId3));
  EXPECT_EQ(agent.count("GET /api/tasks?id=0003&limit=500"), 1);
}

TEST_F(StopTest, UpperCaseIsTheSame) {
  agent.add_task("ABCD").task_id = "019aaaaa-0000-7000-8000-00000000abcd";
  EXPECT_EQ(run({"stop", "0000ABCD"}), kDone);
  EXPECT_THAT(stopped(), ElementsAre("019aaaaa-0000-7000-8000-00000000abcd"));
}

TEST_F(StopTest, AmbiguousPartsNameTheCandidates) {
  EXPECT_EQ(run({"stop", "019aaaaa"}), kUsage);
  EXPECT_EQ(err.text, std::string("resmgr: cannot find task '019aaaaa': several tasks fit\n"
                                  "  task ") +
                          kId3 + "\n  task " + kId2 + "\n  task " + kId1 +
                          "\nTry: more digits of the id\n");
  EXPECT_THAT(stopped(), IsEmpty());
}

TEST_F(StopTest, ManyCandidatesAreNotAllListed) {
  for (int i = 10; i < 30; ++i) agent.add_task(std::to_string(i));
  EXPECT_EQ(run({"stop", "019aaaaa"}), kUsage);
  EXPECT_EQ(std::count(err.text.begin(), err.text.end(), '\n'), 13);
  EXPECT_THAT(err.text, HasSubstr("  and more\n"));
}

TEST_F(StopTest, UnknownAndImpossibleIds) {
  EXPECT_EQ(run({"stop", "deadbeef"}), kNotFound);
  EXPECT_EQ(run({"stop", "019aaaaa-0000-7000-8000-00000000ffff"}), kNotFound);
  EXPECT_EQ(run({"stop", "abc"}), kUsage);
  EXPECT_EQ(run({"stop", "jupyter"}), kUsage);
  EXPECT_EQ(run({"stop", "0-0-0"}), kUsage) << "three digits";
}

TEST_F(StopTest, GoesOnAfterAFailure) {
  EXPECT_EQ(run({"stop", kId1, "ffff", "zz", kId3}), kNotFound) << "the code of the first failure";
  EXPECT_THAT(stopped(), UnorderedElementsAre(kId1, kId3));
  EXPECT_THAT(err.text, HasSubstr("cannot find task 'ffff'"));
  EXPECT_THAT(err.text, HasSubstr("cannot find task 'zz'"));
  EXPECT_EQ(run({"stop", "zz", "ffff"}), kUsage);
}

TEST_F(StopTest, TheSameTwiceIsOne) {
  EXPECT_EQ(run({"stop", kId1, kId1}), kDone);
  EXPECT_EQ(agent.count("DELETE"), 1);
}

TEST_F(StopTest, IdsFromStandardInput) {
  input = std::string("  ") + kId1 + "\n\t" + kId2 + "\r\n";
  EXPECT_EQ(run({"stop", "-"}), kDone);
  EXPECT_THAT(stopped(), UnorderedElementsAre(kId1, kId2));
}

TEST_F(StopTest, NothingOnStandardInputIsNoError) {
  for (const char* const nothing : {"", " \n\n"}) {
    input = nothing;
    EXPECT_EQ(run({"stop", "-"}), kDone);
  }
  EXPECT_THAT(agent.asked(), IsEmpty());
  EXPECT_EQ(out.text + err.text, "");
  EXPECT_EQ(run({"stop", "-", "--output", "json"}), kDone);
  EXPECT_EQ(out.text, "[]\n");
}

TEST_F(StopTest, All) {
  EXPECT_EQ(run({"stop", "--all"}), kDone);
  EXPECT_THAT(stopped(), UnorderedElementsAre(kId1, kId2, kId3));
}

TEST_F(StopTest, AllOfAUserOrAService) {
  EXPECT_EQ(run({"stop", "--all", "--user", kBob}), kDone);
  EXPECT_THAT(stopped(), ElementsAre(kId1));
  EXPECT_EQ(run({"stop", "--service", "jupyter"}), kDone);
  EXPECT_THAT(stopped(), UnorderedElementsAre(kId1, kId2));
}

TEST_F(StopTest, AllOfNothingIsNoError) {
  agent.tasks.clear();
  EXPECT_EQ(run({"stop", "--all"}), kDone);
  EXPECT_EQ(run({"stop", "--all", "--service", "none"}), kDone);
  EXPECT_EQ(agent.count("DELETE"), 0);
}

TEST_F(StopTest, NoneNamedIsAUsageError) {
  EXPECT_EQ(run({"stop"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("none is named"));
  EXPECT_THAT(err.text, HasSubstr("stop -"));
  EXPECT_EQ(run({"stop", "--all", kId1}), kUsage);
  EXPECT_THAT(agent.asked(), IsEmpty());
}

TEST_F(StopTest, ManyAtOnceAreAllStopped) {
  agent.tasks.clear();
  for (int i = 100; i < 150; ++i) agent.add_task(std::to_string(i));
  EXPECT_EQ(run({"stop", "--all", "-q"}), kDone);
  EXPECT_EQ(stopped().size(), 50u);
  EXPECT_EQ(out.text, "");
}

TEST_F(StopTest, JsonTellsEach) {
  EXPECT_EQ(run({"stop", kId1, "ffff", "-o", "json"}), kNotFound);
  const Json answer = parse_json(out.text, "output");
  ASSERT_EQ(answer.size(), 2u);
  std::map<std::string, Json> by_id;
  for (const Json& one : answer) by_id[string_or(one, "taskId")] = one;
  EXPECT_EQ(by_id[kId1]["success"], true);
  EXPECT_EQ(by_id[kId1]["duration"], "PT1M2S");
  EXPECT_EQ(by_id["ffff"]["success"], false);
  EXPECT_THAT(string_or(by_id["ffff"], "error"), HasSubstr("cannot find task"));
}

TEST_F(StopTest, CsvHasAHeader) {
  EXPECT_EQ(run({"stop", kId1, "-o", "csv"}), kDone);
  EXPECT_EQ(out.text,
            std::string("taskId,status,durationSeconds\r\n") + kId1 + ",Stopped,62.000\r\n");
}

TEST_F(StopTest, TheEngineBeingAwayIsAFailureNotAnUnreachableAgent) {
  agent.intercept = [](const HttpRequest&) {
    HttpResponse answer = problem_answer(
        503, "stop-recorded", "cannot stop task 'x' just now: the container engine is away");
    answer.headers.emplace_back("Retry-After", "3");
    return answer;
  };
  EXPECT_EQ(run({"stop", kId1}), kFailed);
  EXPECT_EQ(err.text,
            "resmgr: cannot stop task 'x' just now: the container engine is away\n"
            "Try: again in 3 s\n");
}

TEST_F(StopTest, AReaderThatGoesAwayHoldsNoStopUp) {
  out.before_write = [] { throw OutputClosed(); };
  EXPECT_EQ(run({"stop", "--all"}), kDone);
  EXPECT_EQ(stopped().size(), 3u);
}

}  // namespace
}  // namespace resmgr::cli
