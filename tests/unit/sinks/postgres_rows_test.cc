// What of a task's JSON becomes a column.

#include "agent/sinks/postgres_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "common/error.h"

namespace resmgr::sinks {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Message message_of(const std::string& payload, const std::string& task_id = "t") {
  Message message;
  message.seq = 7;
  message.task_id = task_id;
  message.payload = payload;
  return message;
}

// NULL where the column is.
std::string column(const PostgresRows& rows, std::string_view name, std::size_t row = 0) {
  const auto found = std::ranges::find(kPostgresColumns, name, &PostgresColumn::name);
  const char* const text =
      rows.field(row, static_cast<std::size_t>(found - kPostgresColumns.begin()));
  return text == nullptr ? "NULL" : text;
}

std::string fault_of(const std::string& payload) {
  const Message message = message_of(payload);
  try {
    const PostgresRows rows({&message, 1});
    return "none";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    return error.message();
  }
}

TEST(PostgresRows, HasTextsAsTheyStand) {
  const Message message = message_of(
      R"({"taskId":"t","containerPort":40001,"exitCode":-1,"startTime":"2026-11-22T17:04:05.123Z",)"
      R"("statusReason":"a\u0000b\té\ud83d\udc33","status":"Stopped","usageHash":null,)"
      R"("durationSeconds":1.5,"labels":{"host":"not this","list":[1,{"status":"nor this"}]},)"
      R"("host":"here"})");
  const PostgresRows rows({&message, 1});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(column(rows, "Port"), "40001");
  EXPECT_EQ(column(rows, "ExitCode"), "-1");
  EXPECT_EQ(column(rows, "StartTime"), "2026-11-22T17:04:05.123Z");
  EXPECT_EQ(column(rows, "StatusReason"),
            "a\xef\xbf\xbd"
            "b\t\xc3\xa9\xf0\x9f\x90\xb3");
  EXPECT_EQ(column(rows, "Status"), "Stopped");
  EXPECT_EQ(column(rows, "UsageHash"), "NULL");
  EXPECT_EQ(column(rows, "UserId"), "NULL");
  EXPECT_EQ(column(rows, "Host"), "here");
  EXPECT_EQ(column(rows, "Seq"), "7");
}

TEST(PostgresRows, RemembersNothingOfTheRowBefore) {
  const std::vector<Message> messages = {
      message_of(R"({"taskId":"a","status":"Error","host":"here","exitCode":3})", "a"),
      message_of(R"({"taskId":"b","status":"Error"})", "b")};
  const PostgresRows rows(messages);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(column(rows, "ExitCode", 1), "NULL");
  EXPECT_EQ(column(rows, "Host", 1), "NULL");
}

TEST(PostgresRows, SaysWhichEventIsNoTaskAndWhy) {
  EXPECT_THAT(fault_of(R"({"taskId":"t","status":)"),
              AllOf(HasSubstr("'7'"), HasSubstr("no JSON")));
  EXPECT_THAT(fault_of(R"({"taskId":"t"} and more)"), HasSubstr("no JSON"));
  EXPECT_THAT(fault_of("{\"taskId\":\"\xff\"}"), HasSubstr("no JSON"));
  EXPECT_THAT(fault_of(""), HasSubstr("no JSON"));
  for (const char* const other : {"[]", "5", "null", "\"task\"", "[{\"taskId\":\"t\"}]"}) {
    EXPECT_THAT(fault_of(other), HasSubstr("no object")) << other;
  }
  for (const char* const nested : {R"({"status":{"a":1}})", R"({"host":["x"]})",
                                   R"({"exitCode":1.5})", R"({"exitCode":true})"}) {
    EXPECT_THAT(fault_of(nested), HasSubstr("neither a text nor a whole number")) << nested;
  }
  // However deep, it is no crash.
  EXPECT_NE(fault_of("{\"x\":" + std::string(1'000'000, '[')), "none");
}

}  // namespace
}  // namespace resmgr::sinks
