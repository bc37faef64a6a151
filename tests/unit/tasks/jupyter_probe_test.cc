#include "agent/tasks/jupyter_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const Instant kProbeNow = *parse_rfc3339("2026-11-22T12:00:00Z");
constexpr char kToken[] = "s3cret-of-the-task";

// A server in memory: an answer a path.
class FakeJupyter final : public HttpClient {
 public:
  struct Answer {
    int status = 200;
    std::string body;
  };

  HttpResponse send(const HttpRequest& request) override { return stream(request, {}, 0ms, {}); }
  HttpResponse stream(const HttpRequest& request, const std::function<bool(std::string_view)>& sink,
                      std::chrono::milliseconds, std::stop_token) override {
    requests.push_back(request);
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (down) throw NotConnected("cannot connect to 'http://127.0.0.1:1': Connection refused");
    const auto found = answers.find(path);
    HttpResponse response;
    response.status = found == answers.end() ? 404 : found->second.status;
    response.headers = {{"Content-Type", "application/json"}};
    const std::string body = found == answers.end() ? "nothing here" : found->second.body;
    if (response.status == 200) {
      // In two pieces, as a network has it.
      const std::string_view whole = body;
      if (sink(whole.substr(0, whole.size() / 2))) sink(whole.substr(whole.size() / 2));
    } else {
      response.body = body;
    }
    return response;
  }

  std::map<std::string, Answer> answers;
  std::vector<HttpRequest> requests;
  bool down = false;
};

std::string status(const std::string& last_activity, int connections = 0) {
  return R"({"connections": )" + std::to_string(connections) +
         R"(, "kernels": 1, "last_activity": ")" + last_activity +
         R"(", "started": "2026-11-22T10:00:00.000000Z"})";
}

std::string kernel(const std::string& state, const std::string& last_activity) {
  return R"({"id": "005153f2-4ffa-4850-94ea-9c521026a390", "name": "python3", "last_activity": ")" +
         last_activity + R"(", "execution_state": ")" + state + R"(", "connections": 1})";
}

class JupyterProbe : public ::testing::Test {
 protected:
  JupyterProbe() {
    http_.answers["/api/status"] = {200, status("2026-11-22T11:30:00.822405Z", 2)};
    http_.answers["/api/kernels"] = {200, "[]"};
    http_.answers["/api/terminals"] = {200, "[]"};
    access_.token = kToken;
  }
  JupyterLook look() { return look_at_jupyter(http_, access_, kProbeNow); }

  FakeJupyter http_;
  JupyterAccess access_;
};

TEST_F(JupyterProbe, AsksWithTheTokenAndWithoutBeingActivity) {
  const JupyterLook seen = look();
  EXPECT_TRUE(seen.answered) << seen.failure;
  ASSERT_EQ(http_.requests.size(), 3U);
  const std::vector<std::string> targets = {"/api/status?no_track_activity=1",
                                            "/api/kernels?no_track_activity=1",
                                            "/api/terminals?no_track_activity=1"};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    EXPECT_EQ(http_.requests[i].method, "GET");
    EXPECT_EQ(http_.requests[i].target, targets[i]);
    const std::pair<std::string, std::string> expected = {"Authorization",
                                                          "token s3cret-of-the-task"};
    EXPECT_THAT(http_.requests[i].headers, ::testing::Contains(expected));
  }
  EXPECT_EQ(seen.kernels, 0);
  EXPECT_EQ(seen.connections, 2);
  EXPECT_EQ(seen.last_activity, kProbeNow - 30min + 822ms);
}

TEST_F(JupyterProbe, AsksUnderItsBaseUrlAndWithoutATokenIfThereIsNone) {
  access_.base_url = "/user/ada";
  access_.token.clear();
  http_.answers = {{"/user/ada/api/status", {200, status("2026-11-22T11:30:00Z")}},
                   {"/user/ada/api/kernels", {200, "[]"}}};
  EXPECT_TRUE(look().answered);
  for (const auto& [name, value] : http_.requests[0].headers) EXPECT_NE(name, "Authorization");
}

struct KernelCase {
  const char* what;
  std::string kernels;
  int busy;
  int unsettled;
};

TEST_F(JupyterProbe, ReadsTheStatesOfKernels) {
  const std::string recent = "2026-11-22T11:55:00Z";
  const std::string old = "2026-11-22T11:49:00Z";
  const std::vector<KernelCase> cases = {
      {"idle", kernel("idle", recent), 0, 0},
      {"dead", kernel("dead", recent), 0, 0},
      {"computes since this morning", kernel("busy", "2026-11-22T03:00:00Z"), 1, 0},
      {"one of three",
       kernel("idle", recent) + "," + kernel("busy", old) + "," + kernel("idle", recent), 1, 0},
      {"starts", kernel("starting", recent), 1, 0},
      {"starts for long", kernel("starting", old), 0, 1},
      {"starts in the future", kernel("starting", "2026-11-22T18:00:00Z"), 1, 0},
      {"restarts for long", kernel("restarting", old), 0, 1},
      {"restarts by itself for long", kernel("autorestarting", old), 0, 1},
      {"ends for long", kernel("terminating", old), 0, 1},
      {"starts since nobody knows when", R"({"execution_state": "starting"})", 1, 0},
      {"in a state of the future", kernel("thinking", "2020-01-01T00:00:00Z"), 1, 0},
  };
  for (const KernelCase& one : cases) {
    http_.answers["/api/kernels"] = {200, "[" + one.kernels + "]"};
    const JupyterLook seen = look();
    ASSERT_TRUE(seen.answered) << one.what << ": " << seen.failure;
    EXPECT_EQ(seen.busy_kernels, one.busy) << one.what;
    EXPECT_EQ(seen.unsettled_kernels, one.unsettled) << one.what;
  }
  EXPECT_EQ(look().kernels, 1);
}

TEST_F(JupyterProbe, TakesTheLatestActivityOfAll) {
  http_.answers["/api/kernels"] = {200, "[" + kernel("idle", "2026-11-22T11:40:00Z") + "]"};
  EXPECT_EQ(look().last_activity, kProbeNow - 20min);
  http_.answers["/api/terminals"] = {
      200,
      R"([{"name": "1", "last_activity": "2026-11-22T11:45:00+00:00"}, {"name": "2"},
          {"name": "3", "last_activity": "2026-11-22T11:20:00Z"}])"};
  const JupyterLook seen = look();
  EXPECT_EQ(seen.last_activity, kProbeNow - 15min);
  EXPECT_EQ(seen.terminals, 3);
}

TEST_F(JupyterProbe, TerminalsMayBeSwitchedOff) {
  http_.answers.erase("/api/terminals");
  const JupyterLook seen = look();
  EXPECT_TRUE(seen.answered) << seen.failure;
  EXPECT_EQ(seen.terminals, 0);
}

struct FailureCase {
  const char* path;
  FakeJupyter::Answer answer;
  const char* failure;
};

TEST_F(JupyterProbe, WhatItDoesNotUnderstandIsNoAnswer) {
  const std::vector<FailureCase> cases = {
      {"/api/status", {401, "{}"}, "it does not accept the task's token"},
      {"/api/status", {403, "{}"}, "it does not accept the task's token"},
      {"/api/status", {404, ""}, "it answered 404 to /api/status"},
      {"/api/status", {302, ""}, "it answered 302 to /api/status"},
      {"/api/status", {204, ""}, "it answered 204 to /api/status"},
      {"/api/status", {200, ""}, "its answer to /api/status is no JSON"},
      {"/api/status", {200, "<html>\x1b[31mlog in</html>"}, "its answer to /api/status is no JSON"},
      {"/api/status",
       {200, status("2026-11-22T11:30:00Z") + "x"},
       "its answer to /api/status is no JSON"},
      {"/api/status", {200, "[]"}, "its status has no last_activity: it is no Jupyter"},
      {"/api/status", {200, "{}"}, "its status has no last_activity: it is no Jupyter"},
      {"/api/status",
       {200, status("yesterday")},
       "its status has no last_activity: it is no Jupyter"},
      {"/api/status",
       {200, R"({"last_activity": 5})"},
       "its status has no last_activity: it is no Jupyter"},
      {"/api/kernels", {404, ""}, "it answered 404 to /api/kernels"},
      {"/api/kernels", {500, ""}, "it answered 500 to /api/kernels"},
      {"/api/kernels", {200, "{}"}, "its answer has no list of kernels"},
      {"/api/kernels", {200, "[{}]"}, "it does not tell the state of a kernel"},
      {"/api/kernels", {200, "[5]"}, "it does not tell the state of a kernel"},
      {"/api/kernels",
       {200, R"([{"execution_state": null}])"},
       "it does not tell the state of a kernel"},
      {"/api/kernels", {200, std::string(1'000'000, '[')}, "its answer to /api/kernels is no JSON"},
      {"/api/kernels",
       {200, "[" + std::string(1 << 20, ' ') + "]"},
       "its answer to /api/kernels is over 1 MiB"},
      {"/api/terminals", {200, "{}"}, "its answer has no list of terminals"},
      {"/api/terminals", {503, ""}, "it answered 503 to /api/terminals"},
      {"/api/terminals", {403, ""}, "it does not accept the task's token"},
  };
  const auto good = http_.answers;
  for (const FailureCase& one : cases) {
    http_.answers = good;
    http_.answers[one.path] = one.answer;
    const JupyterLook seen = look();
    EXPECT_FALSE(seen.answered) << one.failure;
    EXPECT_EQ(seen.failure, one.failure);
    EXPECT_EQ(seen.busy_kernels, 0);
    EXPECT_FALSE(seen.last_activity);
  }
}

TEST_F(JupyterProbe, OneThatIsAwayIsNoAnswer) {
  http_.down = true;
  const JupyterLook seen = look();
  EXPECT_FALSE(seen.answered);
  EXPECT_EQ(seen.failure, "cannot connect to 'http://127.0.0.1:1': Connection refused");
  EXPECT_GT(seen.traffic_bytes, 0);
}

TEST_F(JupyterProbe, AnUnusableTokenIsNoAnswerAndIsNotShown) {
  access_.token = std::string("bad\ntoken");
  const auto client = make_probe_client("127.0.0.1", 1);
  const JupyterLook seen = look_at_jupyter(*client, access_, kProbeNow);
  EXPECT_FALSE(seen.answered);
  EXPECT_THAT(seen.failure, Not(HasSubstr("token\n")));
  EXPECT_THAT(seen.failure, Not(HasSubstr("bad")));
}

TEST_F(JupyterProbe, CountsWhatItMoves) {
  const std::int64_t small = look().traffic_bytes;
  EXPECT_GT(small, 3 * 1'000);
  EXPECT_LT(small, 3 * 2'000);
  http_.answers["/api/kernels"].body += std::string(100'000, ' ');
  const std::int64_t large = look().traffic_bytes;
  EXPECT_GT(large, small + 100'000);
  EXPECT_LT(large, small + 120'000);
}

}  // namespace
}  // namespace resmgr::tasks
