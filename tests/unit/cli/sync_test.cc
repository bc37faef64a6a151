#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::HasSubstr;

class SyncTest : public CommandTest {
 protected:
  SyncTest() {
    agent.intercept = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
      if (request.target.find("/nowhere/") != std::string::npos) {
        return problem_answer(404, "not-found", "cannot find sink 'nowhere'");
      }
      if (request.method == "POST") return json_answer(200, sink_);
      HttpResponse page = json_answer(200, Json::array({letters_.at(page_)}));
      if (++page_ < letters_.size()) {
        page.headers.emplace_back("Link",
                                  "</api/sinks/postgres/dead-letters?after=7>; rel=\"next\"");
      }
      return page;
    };
  }

  Json sink_ = {{"name", "postgres"}, {"state", "failing"},  {"lagEvents", 12},
                {"lagSeconds", 3.5},  {"lastError", "away"}, {"deadLetters", 2},
                {"retrying", 2},      {"lastSuccess", {}},   {"pinsAfter", 7}};
  std::vector<Json> letters_ = {{{"seq", 7},
                                 {"taskId", "019aaaaa-0000-7000-8000-00000000aaaa"},
                                 {"time", "2026-11-22T17:04:05.000Z"},
                                 {"type", "task.ended"},
                                 {"reason", "violates\tmine"},
                                 {"setAsideAt", "2026-11-22T17:04:06.000Z"},
                                 {"attempts", 2},
                                 {"retrying", false},
                                 {"payload", "{\"a\":1}"}},
                                {{"seq", 9}, {"taskId", {}}, {"type", "agent.started"}}};
  std::size_t page_ = 0;
};

TEST_F(SyncTest, NowAsksForADelivery) {
  out.terminal = true;
  EXPECT_EQ(run({"sync", "now", "postgres"}), kDone);
  EXPECT_EQ(agent.asked().back(), "POST /api/sinks/postgres/sync");
  EXPECT_EQ(out.text, "sink postgres is failing, 12 events behind, 2 dead letters: away\n");
}

TEST_F(SyncTest, RetryTellsHowMany) {
  out.terminal = true;
  EXPECT_EQ(run({"sync", "retry", "postgres"}), kDone);
  EXPECT_EQ(agent.asked().back(), "POST /api/sinks/postgres/retry");
  EXPECT_THAT(out.text, HasSubstr("2 dead letters are tried again\n"));
}

TEST_F(SyncTest, InAPipeTheStateIsARecord) {
  EXPECT_EQ(run({"sync", "now", "postgres"}), kDone);
  EXPECT_EQ(out.text, "postgres\tfailing\t12\t3.5\taway\t2\t\t7\n");
  EXPECT_EQ(run({"sync", "now", "postgres", "--output", "json"}), kDone);
  EXPECT_EQ(parse_json(out.text, "output"), sink_);
}

TEST_F(SyncTest, ShowDeadReadsEveryPage) {
  EXPECT_EQ(run({"sync", "show-dead", "postgres"}), kDone);
  EXPECT_EQ(out.text,
            "7\t019aaaaa-0000-7000-8000-00000000aaaa\t2026-11-22T17:04:05.000Z\ttask.ended\t"
            "violates\\tmine\t2026-11-22T17:04:06.000Z\t2\tfalse\t{\"a\":1}\n"
            "9\t\t\tagent.started\t\t\t\t\t\n");
  EXPECT_EQ(agent.asked().back(), "GET /api/sinks/postgres/dead-letters?after=7");
}

TEST_F(SyncTest, ShowDeadAsATableAndAsCsv) {
  out.terminal = true;
  EXPECT_EQ(run({"sync", "show-dead", "postgres"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("00000000aaaa"));
  EXPECT_THAT(out.text, HasSubstr("task.ended"));
  page_ = 0;
  EXPECT_EQ(run({"sync", "show-dead", "postgres", "--output", "csv"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("seq,taskId,time,type,reason,setAsideAt,attempts,retrying,"
                                  "payload\r\n"));
}

TEST_F(SyncTest, RefusesWhatThereIsNot) {
  EXPECT_EQ(run({"sync", "now", "nowhere"}), kNotFound);
  EXPECT_EQ(run({"sync", "never", "postgres"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("is not now, retry or show-dead"));
  EXPECT_EQ(run({"sync", "now"}), kUsage);
}

}  // namespace
}  // namespace resmgr::cli
