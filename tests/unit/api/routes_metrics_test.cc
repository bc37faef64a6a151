// GET /metrics, as Prometheus reads it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/subprocess.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsRouteTest : public RoutesTest {
 protected:
  std::string text() const {
    const RawAnswer answer = ask_get("/metrics", admin());
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_THAT(answer.header("content-type"), HasSubstr("version=0.0.4"));
    return answer.body;
  }
};

TEST_F(MetricsRouteTest, IsForAdmins) {
  EXPECT_EQ(ask_get("/metrics").status, 403);
  EXPECT_EQ(ask_get("/metrics", "").status, 401);
}

TEST_F(MetricsRouteTest, CountsRequestsByRouteAndStatus) {
  ask_get("/api/tasks");
  ask_get("/api/tasks");
  ask_get("/api/tasks/00000000-0000-7000-8000-000000000000");
  ask_get("/of/no/route");
  ask_get("/of/another");
  const std::string found = text();
  EXPECT_THAT(
      found,
      HasSubstr(R"(resmgr_http_requests_total{method="GET",route="/api/tasks",status="200"} 2)"));
  EXPECT_THAT(
      found,
      HasSubstr(
          R"(resmgr_http_requests_total{method="GET",route="/api/tasks/{id}",status="404"} 1)"));
  // Whatever a stranger asks for is one route.
  EXPECT_THAT(found,
              HasSubstr(R"(resmgr_http_requests_total{method="any",route="none",status="404"} 2)"));
  EXPECT_THAT(
      found,
      HasSubstr(
          R"(resmgr_http_request_duration_seconds_count{method="GET",route="/api/tasks"} 2)"));
}

TEST_F(MetricsRouteTest, TellsOfTasksWithoutNamingThem) {
  const std::string id = started();
  const std::string found = text();
  EXPECT_THAT(found, HasSubstr(R"(resmgr_tasks{status="Running"} 1)"));
  EXPECT_THAT(found, HasSubstr(R"(resmgr_active_tasks{service="web",status="Running"} 1)"));
  EXPECT_THAT(found, HasSubstr("resmgr_engine_reachable 1"));
  EXPECT_THAT(found, HasSubstr("process_resident_memory_bytes "));
  EXPECT_THAT(found, Not(HasSubstr(id)));
  EXPECT_THAT(found, Not(HasSubstr(support::kAlice)));
}

TEST_F(MetricsRouteTest, CountsWhatTheEngineDoes) {
  metrics_.engine_call("create", false, std::chrono::milliseconds{3});
  metrics_.engine_call("create", true, std::chrono::milliseconds{300});
  metrics_.start(std::chrono::seconds{2}, std::chrono::seconds{1});
  const std::string found = text();
  EXPECT_THAT(found, HasSubstr(R"(resmgr_engine_calls_total{operation="create"} 2)"));
  EXPECT_THAT(found, HasSubstr(R"(resmgr_engine_errors_total{operation="create"} 1)"));
  EXPECT_THAT(
      found,
      HasSubstr(R"(resmgr_engine_call_duration_seconds_bucket{operation="create",le="0.005"} 1)"));
  EXPECT_THAT(found, HasSubstr(R"(resmgr_start_phase_duration_seconds_sum{phase="container"} 2)"));
}

TEST_F(MetricsRouteTest, PrometheusLikesIt) {
  started();
  metrics_.engine_call("create", true, std::chrono::milliseconds{3});
  const auto checked = support::run({RESMGR_PROMTOOL, "check", "metrics"}, {.input = text()});
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  EXPECT_EQ(checked.out + checked.err, "");
}

}  // namespace
}  // namespace resmgr::api
