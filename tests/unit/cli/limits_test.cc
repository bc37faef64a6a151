// `resmgr extend` and `resmgr why`.

#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kLimitedId[] = "019aaaaa-0000-7000-8000-000000000001";
constexpr char kOther[] = "019aaaaa-0000-7000-8000-000000000002";

class LimitsTest : public CommandTest {
 protected:
  LimitsTest() {
    setenv("TZ", "UTC", 1);
    tzset();
    variables["NO_COLOR"] = "1";
    agent.add_task("1");
    agent.add_task("2");
  }
};

class ExtendTest : public LimitsTest {};

TEST_F(ExtendTest, TellsUntilWhen) {
  out.terminal = true;
  EXPECT_EQ(run({"extend", "0001", "--by", "1h30m"}), kDone);
  EXPECT_EQ(out.text, "extended 000000000001: not stopped for being idle before 18:34:05\n");
  EXPECT_EQ(agent.asked().back(), std::string("POST /api/tasks/") + kLimitedId + "/extend");
  EXPECT_EQ(agent.requests().back().body, R"({"by":"5400000ms"})");
}

TEST_F(ExtendTest, SeveralInEveryForm) {
  const std::string until = "2026-11-22T18:04:05.000Z";
  EXPECT_EQ(run({"extend", kLimitedId, kOther, "--by", "1h"}), kDone);
  EXPECT_EQ(out.text, kLimitedId + ("\t" + until) + "\t\n" + kOther + "\t" + until + "\t\n");
  EXPECT_EQ(run({"extend", kLimitedId, "--by", "1h", "-o", "csv"}), kDone);
  EXPECT_EQ(out.text,
            std::string("taskId,idleUntil,lifetimeUntil\r\n") + kLimitedId + "," + until + ",\r\n");
  EXPECT_EQ(run({"extend", kLimitedId, "--by", "1h", "-o", "json"}), kDone);
  EXPECT_EQ(string_or(parse_json(out.text, "output")[0], "idleUntil"), until);
}

TEST_F(ExtendTest, IdsComeFromStandardInputToo) {
  input = std::string(kLimitedId) + "\n" + kOther + "\n" + kLimitedId + "\n";
  EXPECT_EQ(run({"extend", "-", "--by", "1h"}), kDone);
  EXPECT_EQ(agent.count("POST "), 2);
  input.clear();
  EXPECT_EQ(run({"extend", "-", "--by", "1h"}), kDone);
  EXPECT_EQ(out.text, "");
}

TEST_F(ExtendTest, AfterAFailureTheOthersGoOn) {
  agent.find(kLimitedId)->status = TaskStatus::stopped;
  EXPECT_EQ(run({"extend", kLimitedId, "ffff", kOther, "--by", "1h"}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("it is Stopped"));
  EXPECT_THAT(err.text, HasSubstr("no task has such an id"));
  EXPECT_THAT(out.text, HasSubstr(kOther));
}

TEST_F(ExtendTest, LengthsAreChecked) {
  EXPECT_EQ(run({"extend", kLimitedId}), kUsage);
  EXPECT_EQ(run({"extend", "--by", "1h"}), kUsage);
  EXPECT_EQ(run({"extend", kLimitedId, "--by", "soon"}), kUsage);
  EXPECT_EQ(run({"extend", kLimitedId, "--by", "0s"}), kUsage);
  EXPECT_TRUE(agent.asked().empty());
}

class WhyTest : public LimitsTest {
 protected:
  WhyTest() {
    agent.reports[kLimitedId] = {
        {"taskId", kLimitedId},
        {"serviceType", "hello"},
        {"signals",
         {{{"name", "http_probe"},
           {"state", "busy"},
           {"ageSeconds", 0.0},
           {"lastBusyAt", "2026-11-22T17:04:05.000Z"},
           {"detail", "1 kernel, 1 busy"}},
          {{"name", "cpu"},
           {"state", "quiet"},
           {"ageSeconds", 754.2},
           {"detail", "0.1% of a core"}},
          {{"name", "network"}, {"state", "unknown"}, {"ageSeconds", Json()}, {"detail", "a\nb"}}}},
        {"idle",
         {{"stopAt", Json()},
          {"extendedUntil", "2026-11-22T18:04:05.000Z"},
          {"outlook", "in use (http_probe)"}}},
        {"lifetime", {{"stopAt", Json()}, {"outlook", "has no maximum lifetime"}}}};
  }
};

TEST_F(WhyTest, OnATerminal) {
  out.terminal = true;
  EXPECT_EQ(run({"why", "0001"}), kDone);
  EXPECT_EQ(out.text,
            "Task      019aaaaa-0000-7000-8000-000000000001\n"
            "Service   hello\n"
            "Idle      in use (http_probe) (extended until 18:04:05)\n"
            "Lifetime  has no maximum lifetime\n"
            "\n"
            "SIGNAL      STATE       LAST USE  DETAIL\n"
            "http_probe  busy             now  1 kernel, 1 busy\n"
            "cpu         quiet    12m 34s ago  0.1% of a core\n"
            "network     unknown               a b\n");
}

TEST_F(WhyTest, ForPrograms) {
  EXPECT_EQ(run({"why", kLimitedId}), kDone);
  EXPECT_THAT(out.text, HasSubstr("idle.outlook\tin use (http_probe)\n"));
  EXPECT_THAT(out.text, HasSubstr("signals.1.state\tquiet\n"));
  EXPECT_EQ(run({"why", kLimitedId, "-o", "csv"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("member,value\r\n"));
  EXPECT_EQ(run({"why", kLimitedId, "-o", "json"}), kDone);
  EXPECT_EQ(parse_json(out.text, "output"), agent.reports[kLimitedId]);
}

TEST_F(WhyTest, OnlyOfARunningTask) {
  EXPECT_EQ(run({"why", kOther}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("it is Stopped"));
  EXPECT_EQ(run({"why"}), kUsage);
}

}  // namespace
}  // namespace resmgr::cli
