// The dashboard as people use it, in a real browser: tests/npm/dashboard.mjs has what they do.
#include <filesystem>

#include "tests/e2e/fixture.h"
#include "tests/support/browser_script.h"

namespace resmgr::e2e {
namespace {

// Lets itself be framed by a page of this host, which Jupyter does not of its own.
constexpr char kFramedNotebook[] = R"(
name = "notebook"
title = "Notebook"
image = "resmgr/jupyter:latest"
container_port = 8888
url_path = "/tree?token={token}"
env = { JUPYTER_TOKEN = "{token}" }
command = ["jupyter", "notebook", "--ip=0.0.0.0", "--port=8888", "--no-browser", """\
--NotebookApp.tornado_settings={'headers': {'Content-Security-Policy': \
'frame-ancestors http://127.0.0.1:*'}}"""]
probe = { http = "/api", interval = "200ms" }
start_timeout = "3m"
stop_timeout = "10s"
pull = "never"
)";

constexpr char kScreenshots[] = RESMGR_SCREENSHOTS;

class DashboardTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    support::ensure_hello_image();
    std::filesystem::create_directories(kScreenshots);
  }

  DashboardTest() {
    support::AgentOptions options;
    // Nobody listens there: a destination that is away is to be shown, too.
    options.config =
        support::kAuthWithTestKey + std::string("[seq]\nurl = \"http://127.0.0.1:9\"\n");
    options.services = {{"notebook.toml", kFramedNotebook}, {"slow.toml", kSlow}};
    agent_ = std::make_unique<support::AgentProcess>(options);
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent_->log() << '\n';
  }

  void play(const std::string& scenario) const {
    const support::Finished played =
        support::run_browser_script("dashboard.mjs", {agent_->url(), scenario},
                                    {{"ALICE", support::user_token(support::kAlice)},
                                     {"BOB", support::user_token(support::kBob)},
                                     {"ADMIN", support::admin_token()},
                                     {"SCREENSHOTS", kScreenshots}},
                                    std::chrono::minutes(10));
    EXPECT_EQ(played.code, 0) << played.out << played.err;
  }

  std::unique_ptr<support::AgentProcess> agent_;
};

TEST_F(DashboardTest, AServiceIsStartedSeenAndStopped) { play("life"); }
TEST_F(DashboardTest, AKeyboardIsEnough) { play("keyboard"); }
TEST_F(DashboardTest, UsersNeverSeeEachOthersTasks) { play("twoUsers"); }
TEST_F(DashboardTest, TheAddressOfAnothersTaskIsOfNoUse) { play("othersAddress"); }
TEST_F(DashboardTest, AWrongTokenIsExplainedAndARightOneStaysInItsTab) { play("wrongToken"); }
TEST_F(DashboardTest, NothingIsMissedWhereTheConnectionBreaks) { play("live"); }
TEST_F(DashboardTest, AStartIsWatchedAsItGoes) { play("progress"); }
TEST_F(DashboardTest, WithoutWebSocketsItAsksAgainAndAgain) { play("polling"); }

TEST_F(DashboardTest, ANotebookWorksInItsFrame) {
  support::ensure_jupyter_image();
  play("notebook");
}

TEST_F(DashboardTest, EveryPageIsAccessibleOnEveryScreen) {
  play("looks");
  std::cout << "pictures of each page are in " << kScreenshots << '\n';
}

}  // namespace
}  // namespace resmgr::e2e
