// The service "terminal": one of another kind than a notebook, made from the catalog alone.

#include <string>

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using ::testing::HasSubstr;

class TerminalTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { support::ensure_terminal_image(); }
  static support::AgentOptions options() {
    support::AgentOptions result;
    result.config = support::kAuthWithTestKey;
    return result;
  }
  support::RestClient alice() const { return agent_.as(support::user_token(support::kAlice)); }
  std::string start() const {
    const Answer started = alice().start("terminal");
    EXPECT_EQ(started.status, 201) << started.response.body;
    id_ = started.text("taskId");
    return started.text("iframeUrl");
  }
  // Opens a shell as its page does, types a line, and reads until `wanted` has come.
  support::Finished type(const std::string& url, const std::string& line,
                         const std::string& wanted) const {
    return support::run({"python3", "-c", R"(
import json, sys, urllib.parse, urllib.request
url, line, wanted = sys.argv[1:]
def ask(**fields):
    data = urllib.parse.urlencode({'width': 80, 'height': 24, **fields}).encode()
    with urllib.request.urlopen(url + '?', data, timeout=60) as answer:
        return answer.read().decode()
session = json.loads(ask(rooturl=url))['session']
def read_until(text):
    seen = ''
    while text not in seen:
        seen += json.loads(ask(session=session) or '{"data": ""}')['data']
    return seen
# What is typed before there is a shell is lost; digits are in capitals.
read_until('$ ')
ask(session=session, keys=(line + '\r').encode().hex().upper())
print(read_until(wanted))
)",
                         url, line, wanted});
  }
  void stop() const { EXPECT_EQ(alice().del(wire::task_path(id_)).status, 200); }

  support::AgentProcess agent_{options()};
  mutable std::string id_;
};

TEST_F(TerminalTest, RunsCommandsAndKeepsTheUsersFolder) {
  const support::Finished first =
      type(start(), "id -u; echo kept >work/note; echo $((40 + 2)) done", "42 done");
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("1000"));
  stop();
  const support::Finished second = type(start(), "cat work/note; echo $((41 + 2)) done", "43 done");
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("kept"));
  stop();
  EXPECT_TRUE(
      support::eventually([&] { return support::containers_of(agent_.agent_id()).empty(); }));
  support::docker({"volume", "rm", std::string("terminal-") + support::kAlice});
}

}  // namespace
}  // namespace resmgr::e2e
