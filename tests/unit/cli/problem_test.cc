#include "cli/problem.h"

#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "tests/unit/cli/fake_agent.h"

namespace resmgr::cli {
namespace {

int code_of(int status, std::string_view name = "x") {
  return exit_code(error_from(problem_answer(status, name, "d"), "do it"));
}

TEST(ErrorFromTest, StatusDecidesTheExitCode) {
  EXPECT_EQ(code_of(400), kUsage);
  EXPECT_EQ(code_of(401), kNotAllowed);
  EXPECT_EQ(code_of(403), kNotAllowed);
  EXPECT_EQ(code_of(404), kNotFound);
  EXPECT_EQ(code_of(409, "conflict"), kFailed);
  EXPECT_EQ(code_of(409, "limit-tasks-per-user"), kLimit);
  EXPECT_EQ(code_of(413), kUsage);
  EXPECT_EQ(code_of(422), kUsage);
  EXPECT_EQ(code_of(429), kLimit);
  EXPECT_EQ(code_of(500), kFailed);
  EXPECT_EQ(code_of(502), kFailed);
  EXPECT_EQ(code_of(503), kFailed) << "the agent answered: it is not unreachable";
  EXPECT_EQ(code_of(504), kNotReady);
}

TEST(ErrorFromTest, KeepsTheAgentsWords) {
  const Error error =
      error_from(problem_answer(409, "limit-tasks-per-user", "cannot start it: 2 are the most",
                                {{"hint", "stop one"}, {"taskIds", {"a", "b"}}}),
                 "do it");
  EXPECT_EQ(error.message(), "cannot start it: 2 are the most");
  EXPECT_EQ(error.hint(), "stop one");
  EXPECT_EQ(error.problem, "limit-tasks-per-user");
  EXPECT_EQ(error.task_ids, (std::vector<std::string>{"a", "b"}));
}

TEST(ErrorFromTest, CompletesOtherWords) {
  EXPECT_EQ(error_from(problem_answer(500, "internal", "out of luck"), "stop it").message(),
            "cannot stop it: out of luck");
}

TEST(ErrorFromTest, TakesAnythingForAProblem) {
  const HttpResponse page{502, {{"Content-Type", "text/html"}}, "<h1>Bad Gateway</h1>"};
  EXPECT_EQ(error_from(page, "stop it").message(), "cannot stop it: the agent answered 502");
  const HttpResponse cut{503, {{"Content-Type", "application/problem+json"}}, "{\"detail\": "};
  EXPECT_EQ(error_from(cut, "stop it").message(), "cannot stop it: the agent answered 503");
  const HttpResponse odd{
      400, {{"Content-Type", "application/json"}}, R"({"errors": [1, {}], "taskIds": [2]})"};
  EXPECT_EQ(error_from(odd, "stop it").message(), "cannot stop it: the agent answered 400");
  EXPECT_TRUE(error_from(odd, "stop it").task_ids.empty());
}

TEST(ErrorFromTest, EscapeSequencesStayText) {
  const Error error = error_from(
      problem_answer(400, "x", "\x1b[2Jd", {{"hint", "\x1bh"}, {"taskIds", {"\x1bi"}}}), "do it");
  EXPECT_EQ(error.message(), "cannot do it: ?[2Jd");
  EXPECT_EQ(error.hint(), "?h");
  EXPECT_EQ(error.task_ids.front(), "?i");
}

TEST(ErrorFromTest, ReadsRetryAfter) {
  HttpResponse answer = problem_answer(503, "x", "d");
  EXPECT_FALSE(error_from(answer, "do it").retry_after);
  answer.headers.emplace_back("Retry-After", "7");
  EXPECT_EQ(error_from(answer, "do it").retry_after, std::chrono::seconds(7));
  answer.headers.back().second = "Wed, 21 Oct 2015 07:28:00 GMT";
  EXPECT_FALSE(error_from(answer, "do it").retry_after);
}

}  // namespace
}  // namespace resmgr::cli
