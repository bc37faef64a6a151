// What the log has of a request.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/log.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;

constexpr char kTrace[] =
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";

using Properties = std::map<std::string, std::string>;

class Listener final : public log::Collector {
 public:
  Listener() { log::set_collector(this); }
  ~Listener() override { log::set_collector(nullptr); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void collect(const log::Entry& entry) noexcept override {
    Properties properties;
    for (const log::Field& field : entry.fields) {
      const auto* const text = std::get_if<std::string>(&field.value);
      properties[std::string(field.name)] = text == nullptr ? "" : *text;
    }
    const std::lock_guard lock(mutex_);
    entries_.push_back(std::move(properties));
  }
  std::optional<Properties> about(const std::string& request_id) const {
    const std::lock_guard lock(mutex_);
    for (const Properties& entry : entries_) {
      const auto id = entry.find("RequestId");
      if (id != entry.end() && id->second == request_id) return entry;
    }
    return std::nullopt;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Properties> entries_;
};

class AccessLogTest : public RoutesTest {
 protected:
  // The entry may come a moment after the answer.
  Properties logged(const std::string& request_id) const {
    EXPECT_TRUE(support::eventually([&] { return listener_.about(request_id).has_value(); }));
    return listener_.about(request_id).value_or(Properties());
  }
  // The answer's request id.
  std::string start(const std::string& headers) const {
    return ask_post({{"serviceType", "web"}}, headers).header("x-request-id");
  }

 private:
  Listener listener_;
};

TEST_F(AccessLogTest, TiesARequestToItsCallersTrace) {
  const Properties entry = logged(start(alice() + kTrace));
  EXPECT_THAT(entry, Contains(Pair("Route", "/api/tasks")));
  EXPECT_THAT(entry, Contains(Pair("TraceId", "0af7651916cd43dd8448eb211c80319c")));
  EXPECT_THAT(entry, Contains(Pair("SpanId", "b7ad6b7169203331")));
}

TEST_F(AccessLogTest, TiesOneThatIsRefusedToo) {
  const Properties entry = logged(start(kTrace));
  EXPECT_THAT(entry, Contains(Pair("TraceId", "0af7651916cd43dd8448eb211c80319c")));
}

TEST_F(AccessLogTest, HasWhomTheGatewayTurnsAway) {
  const RawAnswer answer = ask_get("/api/gateway/enter?code=secret", "");
  EXPECT_EQ(answer.status, 403);
  const Properties entry = logged(answer.header("x-request-id"));
  EXPECT_THAT(entry, Contains(Pair("Route", "/api/gateway/enter")));
  for (const auto& [name, value] : entry) EXPECT_THAT(value, Not(testing::HasSubstr("secret")));
}

TEST_F(AccessLogTest, GoesWithoutATraceThatIsNone) {
  EXPECT_THAT(logged(start(alice())), Not(Contains(Key("TraceId"))));
  EXPECT_THAT(logged(start(alice() + "traceparent: 00-zz-b7ad6b7169203331-01\r\n")),
              Not(Contains(Key("TraceId"))));
}

TEST_F(AccessLogTest, KeepsTheCallersRequestId) {
  EXPECT_EQ(start(alice() + "X-Request-Id: from-the-frontend.7\r\n"), "from-the-frontend.7");
  EXPECT_THAT(logged("from-the-frontend.7"), Contains(Pair("Method", "POST")));
}

}  // namespace
}  // namespace resmgr::api
