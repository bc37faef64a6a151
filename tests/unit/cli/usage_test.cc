#include "common/crypto.h"
#include "common/jcs.h"
#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kFirst[] = "019aaaaa-0000-7000-8000-000000000001";
constexpr char kSecond[] = "019aaaaa-0000-7000-8000-000000000002";

Json trace_of(const std::string& id) {
  const Json record = {{"taskId", id}, {"userId", kAlice}, {"cpuMs", 12}, {"nonce", "ü\n"}};
  const std::string hash = sha256_hex(canonical_json(record));
  return {
      {"taskId", id},
      {"usageHash", hash},
      {"record", record},
      {"posts", {{{"sink", "blockchain"}, {"body", {{"usageHash", hash}, {"record", record}}}}}},
      {"receipts",
       {{{"sink", "blockchain"},
         {"txHash", "0xabc"},
         {"blockNumber", 7},
         {"body", {{"data", {{"usageHash", hash}}}}}}}},
      {"setAside", Json::array()}};
}

class UsageTest : public CommandTest {
 protected:
  UsageTest() {
    agent.intercept = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
      for (const Json& trace : traces_) {
        const std::string id = string_or(trace, "taskId");
        if (request.target == "/api/tasks/" + id + "/usage-record") return json_answer(200, trace);
      }
      if (!request.target.starts_with("/api/usage-records")) return std::nullopt;
      HttpResponse page = json_answer(200, Json::array({traces_.at(page_)}));
      if (++page_ < traces_.size()) {
        page.headers.emplace_back("Link", "</api/usage-records?after=1>; rel=\"next\"");
      }
      return page;
    };
  }
  std::string hash(std::size_t number) const { return traces_[number]["usageHash"]; }

  std::vector<Json> traces_ = {trace_of(kFirst), trace_of(kSecond)};
  std::size_t page_ = 0;
};

TEST_F(UsageTest, VerifiesAllOfEveryPage) {
  EXPECT_EQ(run({"usage", "verify"}), kDone);
  EXPECT_EQ(out.text, std::string(kFirst) + "\tok\tposted\t" + hash(0) + "\t0xabc\t7\t\n" +
                          kSecond + "\tok\tposted\t" + hash(1) + "\t0xabc\t7\t\n");
}

TEST_F(UsageTest, VerifiesThoseThatAreNamed) {
  agent.add_task("2", TaskStatus::stopped);
  EXPECT_EQ(run({"usage", "verify", "0002", "-o", "csv"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("taskId,result,state,usageHash,txHash,blockNumber,detail\r\n"));
  EXPECT_THAT(out.text, HasSubstr(kSecond));
  EXPECT_EQ(out.text.find(kFirst), std::string::npos);
}

TEST_F(UsageTest, FindsWhatWasChanged) {
  const auto fault = [&](const std::function<void(Json&)>& change) {
    traces_ = {trace_of(kFirst)};
    change(traces_[0]);
    EXPECT_EQ(run({"usage", "verify", kFirst}), kFailed);
    EXPECT_THAT(out.text, HasSubstr("\twrong\t"));
    return out.text;
  };
  EXPECT_THAT(fault([](Json& trace) { trace["record"]["cpuMs"] = 13; }),
              HasSubstr("the record's hash is "));
  EXPECT_THAT(fault([](Json& trace) { trace["record"]["cpuMs"] = 0.5; }),
              HasSubstr("the record has no hash"));
  EXPECT_THAT(fault([](Json& trace) {
                trace = trace_of(kSecond);
                trace["taskId"] = kFirst;
              }),
              HasSubstr("another task"));
  EXPECT_THAT(fault([](Json& trace) { trace["posts"][0]["body"]["usageHash"] = "ab"; }),
              HasSubstr("what was posted to blockchain has the hash 'ab'"));
  EXPECT_THAT(fault([](Json& trace) { trace["posts"][0]["body"]["record"]["cpuMs"] = 1; }),
              HasSubstr("another record was posted to blockchain"));
  EXPECT_THAT(fault([](Json& trace) { trace["receipts"][0]["body"]["data"]["usageHash"] = "cd"; }),
              HasSubstr("the receipt of blockchain is for the hash 'cd'"));
}

TEST_F(UsageTest, TellsWhatIsNotPosted) {
  for (auto& trace : traces_) trace["receipts"] = Json::array();
  traces_[1]["setAside"] = {{{"sink", "blockchain"}, {"reason", "may have been posted"}}};
  EXPECT_EQ(run({"usage", "verify", "-o", "json"}), kDone);
  const Json list = parse_json(out.text, "output");
  EXPECT_EQ(list[0]["state"], "unanswered");
  EXPECT_EQ(list[0]["txHash"], Json());
  EXPECT_EQ(list[1]["state"], "set aside");
  EXPECT_EQ(list[1]["detail"], "may have been posted");
  page_ = 0;
  traces_[0]["posts"] = Json::array();
  out.terminal = true;
  EXPECT_EQ(run({"usage", "verify"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("not posted"));
  EXPECT_THAT(out.text, HasSubstr("2 usage records, 2 as they should be, 0 posted\n"));
}

TEST_F(UsageTest, ExportsRecordsWithTheirHashes) {
  EXPECT_EQ(run({"usage", "export", "--task", kSecond}), kDone);
  EXPECT_EQ(parse_json(out.text, "output"), traces_[1]);
  // What follows is what `jq -cSj .record | sha256sum` does.
  EXPECT_EQ(sha256_hex(dump_json(parse_json(out.text, "output")["record"])), hash(1));
  EXPECT_EQ(run({"usage", "export"}), kDone);
  EXPECT_EQ(out.text, dump_json(traces_[0]) + "\n" + dump_json(traces_[1]) + "\n");
}

TEST_F(UsageTest, RefusesWhatThereIsNot) {
  EXPECT_EQ(run({"usage", "forge"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("is not verify or export"));
}

class UsageReportTest : public CommandTest {
 protected:
  UsageReportTest() {
    variables["NO_COLOR"] = "1";
    agent.intercept = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
      if (!request.target.starts_with("/api/usage")) return std::nullopt;
      asked = request.target;
      return json_answer(200, sums);
    };
  }

  std::string asked;
  Json sums = {{{"userId", kAlice},
                {"day", "2026-11-01"},
                {"tasks", 2},
                {"seconds", 7'200.5},
                {"cpuSeconds", 1.25},
                {"peakMemoryBytes", 536'870'912}},
               {{"userId", kAlice},
                {"day", "2026-11-02"},
                {"tasks", 1},
                {"seconds", 1'800},
                {"cpuSeconds", 0},
                {"peakMemoryBytes", 0}}};
};

TEST_F(UsageReportTest, AsksForWhatIsWanted) {
  EXPECT_EQ(run({"usage", "--by", "day,user", "--since", "2026-11-01", "--until", "2026-12-01",
                 "--user", kAlice}),
            kDone);
  EXPECT_EQ(asked, "/api/usage?groupBy=user%2Cday&userId=" + std::string(kAlice) +
                       "&from=2026-11-01T00%3A00%3A00.000Z&to=2026-12-01T00%3A00%3A00.000Z");
  EXPECT_EQ(out.text, std::string(kAlice) + "\t2026-11-01\t2\t7200.5\t1.25\t536870912\n" + kAlice +
                          "\t2026-11-02\t1\t1800\t0\t0\n");
  EXPECT_EQ(run({"usage"}), kDone);
  EXPECT_EQ(asked, "/api/usage");
}

TEST_F(UsageReportTest, IsATableWithBarsForPeople) {
  out.terminal = true;
  EXPECT_EQ(run({"usage", "--by", "day"}), kDone);
  EXPECT_EQ(out.text,
            "DAY         TASKS        TIME  CPU  PEAK MEMORY\n"
            "2026-11-01      2  2h 00m 01s   1s      512 MiB  ████████████████████\n"
            "2026-11-02      1     30m 00s   0s          0 B  █████\n");
}

TEST_F(UsageReportTest, SaysWhatCanNotBeSummedUpBy) {
  EXPECT_EQ(run({"usage", "--by", "colour"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("user, service, day or host"));
}

}  // namespace
}  // namespace resmgr::cli
