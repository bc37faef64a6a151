#include <gmock/gmock.h>

#include "common/crypto.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UsageRoutesTest : public RoutesTest {
 protected:
  std::string ended(const std::string& headers = alice()) const {
    const std::string id = started(headers);
    EXPECT_EQ(ask_delete(id, headers).status, 200);
    return id;
  }
  static std::vector<std::string> ids(const Json& traces) {
    std::vector<std::string> ids;
    for (const Json& trace : traces) ids.push_back(string_or(trace, "taskId"));
    return ids;
  }
  void put(const std::function<void(journal::CursorWriter&)>& body) {
    world_.journal.transact(
        [&](journal::Transaction& transaction) { body(transaction.cursors()); });
  }
};

TEST_F(UsageRoutesTest, TellsTheRecordWithItsOwnBytes) {
  const std::string id = ended();
  const RawAnswer answer = ask_get("/api/tasks/" + id + "/usage-record");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json trace = answer.json();
  const auto begin = answer.body.find("\"record\":") + 9;
  const auto end = answer.body.find(",\"posts\":", begin);
  EXPECT_EQ(sha256_hex(answer.body.substr(begin, end - begin)), string_or(trace, "usageHash"));
  EXPECT_EQ(trace["taskId"], id);
  EXPECT_EQ(trace["record"]["userId"], support::kAlice);
  EXPECT_EQ(trace["posts"], Json::array());
  EXPECT_EQ(trace["receipts"], Json::array());
  EXPECT_EQ(trace["setAside"], Json::array());
}

TEST_F(UsageRoutesTest, TellsWhatWasPostedAndAnswered) {
  const std::string id = ended();
  const std::string hash = ask_get("/api/tasks/" + id).json()["usageHash"];
  put([&](journal::CursorWriter& cursors) {
    cursors.put_post({"blockchain", id, world_.clock.now(), R"({"usageHash":"x"})"});
    cursors.put_receipt({"blockchain", id, world_.clock.now(),
                         R"({ "data": {"blockchain": {"txHash":"0xabc","blockNumber":7}} })"});
    cursors.put_receipt({"other", id, world_.clock.now(), "no JSON"});
    journal::DeadLetter letter;
    letter.sink = "blockchain";
    letter.seq = 5;
    letter.task_id = id;
    letter.reason = "no";
    letter.payload = R"({"usageHash":")" + hash + R"("})";
    cursors.set_aside(letter);
    letter.sink = "seq";
    letter.payload = R"({"@mt":"Task ended"})";
    cursors.set_aside(letter);
  });
  const Json trace = ask_get("/api/tasks/" + id + "/usage-record").json();
  EXPECT_EQ(trace["posts"].at(0)["body"], Json({{"usageHash", "x"}}));
  ASSERT_EQ(trace["receipts"].size(), 2u);
  EXPECT_EQ(trace["receipts"][0]["txHash"], "0xabc");
  EXPECT_EQ(trace["receipts"][0]["blockNumber"], 7);
  EXPECT_EQ(trace["receipts"][1]["body"], "no JSON");
  EXPECT_EQ(trace["receipts"][1]["txHash"], Json());
  ASSERT_EQ(trace["setAside"].size(), 1u);
  EXPECT_EQ(trace["setAside"][0]["sink"], "blockchain");
  // The task has the receipts, too, and as they came.
  const RawAnswer task = ask_get("/api/tasks/" + id);
  EXPECT_EQ(task.json()["receipts"], trace["receipts"]);
  EXPECT_THAT(
      task.body,
      HasSubstr(R"("body":{ "data": {"blockchain": {"txHash":"0xabc","blockNumber":7}} })"));
}

TEST_F(UsageRoutesTest, ShowsNobodyAnothersRecord) {
  const std::string id = ended();
  const std::string path = "/api/tasks/" + id + "/usage-record";
  EXPECT_EQ(ask_get(path, bob()).status, 404);
  EXPECT_EQ(ask_get(path, admin()).status, 200);
  EXPECT_EQ(ask_get("/api/tasks/none/usage-record").status, 404);
  const std::string running = started();
  const RawAnswer refused = ask_get("/api/tasks/" + running + "/usage-record");
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("it has not ended"));
}

TEST_F(UsageRoutesTest, ListsThemPageByPage) {
  const std::string first = ended();
  const std::string second = ended(bob());
  const std::string third = ended();
  EXPECT_THAT(ids(ask_get("/api/usage-records", admin()).json()),
              ElementsAre(first, second, third));
  EXPECT_THAT(ids(ask_get("/api/usage-records").json()), ElementsAre(first, third));
  EXPECT_THAT(
      ids(ask_get(std::string("/api/usage-records?userId=") + support::kBob, admin()).json()),
      ElementsAre(second));
  EXPECT_EQ(ask_get(std::string("/api/usage-records?userId=") + support::kBob).status, 403);
  EXPECT_EQ(ask_get("/api/usage-records?limit=0").status, 400);
  const RawAnswer page = ask_get("/api/usage-records?limit=1");
  EXPECT_THAT(ids(page.json()), ElementsAre(first));
  const std::string link = page.header("link");
  const auto begin = link.find('<') + 1;
  const RawAnswer next = ask_get(link.substr(begin, link.find('>') - begin));
  EXPECT_THAT(ids(next.json()), ElementsAre(third));
}

}  // namespace
}  // namespace resmgr::api
