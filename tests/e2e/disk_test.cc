// A disk that is full, read-only, or nearly full, under a real agent with real containers. Needs
// root, for it mounts a small disk of its own.

#include <sys/mount.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <thread>

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using testing::HasSubstr;

constexpr char kNoFloor[] = "[limits]\nmin_free_disk = \"0\"\n";
constexpr char kJournalUnavailable[] = "urn:resmgr:problem:journal-unavailable";

// A disk of 32 MiB that holds nothing else.
class SmallDisk {
 public:
  SmallDisk() {
    if (mount("tmpfs", dir_.path().c_str(), "tmpfs", MS_NODEV | MS_NOSUID, "size=32m") != 0) {
      throw std::system_error(errno, std::generic_category(), "cannot mount a small disk");
    }
  }
  ~SmallDisk() { umount2(dir_.path().c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  std::string data_dir() const { return dir_.path() / "data"; }

  // Nothing goes on it any more.
  void fill() {
    std::ofstream file(filler(), std::ios::binary | std::ios::app);
    const std::string block(4'096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void clear() { std::filesystem::remove(filler()); }

 private:
  std::filesystem::path filler() const { return dir_.path() / "filler"; }
  support::TempDir dir_;
};

class DiskTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { support::ensure_hello_image(); }

  support::AgentProcess& start_agent(const std::string& config) {
    options_.config = support::kAuthWithTestKey + config;
    options_.data_dir = disk_.data_dir();
    agent_ = std::make_unique<support::AgentProcess>(options_);
    return *agent_;
  }
  void TearDown() override {
    if (HasFailure() && agent_) std::cerr << "the agent's log:\n" << agent_->log() << '\n';
  }

  support::RestClient alice() const { return agent_->as(support::user_token(support::kAlice)); }
  std::string start() const {
    const Answer started = alice().start("hello");
    EXPECT_EQ(started.status, 201) << started.response.body;
    return started.text("taskId");
  }
  Answer stop(const std::string& id) const { return alice().del(wire::task_path(id)); }
  Answer look(const std::string& id) const { return alice().get(wire::task_path(id)); }
  int readiness() const { return alice().get("/readyz").status; }

  // What is started until a start is refused (a little still fits into what the journal has).
  std::vector<std::string> start_until_refused(Answer& refused) const {
    std::vector<std::string> started;
    EXPECT_TRUE(support::eventually([&] {
      refused = alice().start("hello");
      if (refused.status == 201) started.push_back(refused.text("taskId"));
      return refused.status != 201;
    }));
    return started;
  }

  SmallDisk disk_;
  support::AgentOptions options_;
  std::unique_ptr<support::AgentProcess> agent_;
};

// Hazard 36.
TEST_F(DiskTest, OnAFullDiskStopsAreRecordedAndStartsRefused) {
  auto& agent = start_agent(kNoFloor);
  const std::string first = start();
  const std::string second = start();
  disk_.fill();

  Answer refused;
  for (const std::string& id : start_until_refused(refused)) EXPECT_EQ(stop(id).status, 200);
  EXPECT_EQ(refused.status, 503) << refused.response.body;
  EXPECT_EQ(refused.text("type"), kJournalUnavailable);
  EXPECT_THAT(refused.text("detail"), HasSubstr("no space is left"));
  EXPECT_TRUE(support::eventually([&] { return readiness() == 503; }));

  const Answer stopped = stop(first);
  EXPECT_EQ(stopped.status, 200) << stopped.response.body;
  EXPECT_EQ(look(first).text("status"), "Stopped");
  EXPECT_NE(look(first).text("usageHash"), "");
  EXPECT_EQ(alice().start("hello").text("type"), kJournalUnavailable)
      << "what the ballast gave is not for starts";

  // Also by an agent that is started on the full disk.
  agent.kill9();
  agent.start();
  EXPECT_EQ(look(second).text("status"), "Running");
  EXPECT_EQ(stop(second).status, 200);
  EXPECT_TRUE(
      support::eventually([&] { return support::containers_of(agent.agent_id()).empty(); }));

  disk_.clear();
  std::string third;
  EXPECT_TRUE(support::eventually([&] {
    const Answer answer = alice().start("hello");
    third = answer.text("taskId");
    return answer.status == 201;
  })) << "it goes on by itself";
  EXPECT_TRUE(support::eventually([&] { return readiness() == 200; }));
  EXPECT_EQ(stop(third).status, 200);
  EXPECT_EQ(agent.stop(), 0);
  const auto check = agent.agent_command({"journal", "check"});
  EXPECT_EQ(check.code, 0) << check.err;
}

TEST_F(DiskTest, OnAReadOnlyDiskNothingIsDoneThatIsNotRecorded) {
  const support::TempDir elsewhere;
  const std::string flag = elsewhere.path() / "read-only";
  options_.env = {{"LD_PRELOAD", RESMGR_READ_ONLY_DISK},
                  {"RESMGR_TEST_READ_ONLY_DIR", disk_.data_dir()},
                  {"RESMGR_TEST_READ_ONLY_WHILE", flag}};
  auto& agent = start_agent(kNoFloor);
  const std::string task = start();

  std::ofstream(flag) << "x";
  const Answer refused = alice().start("hello");
  EXPECT_EQ(refused.status, 503) << refused.response.body;
  EXPECT_EQ(refused.text("type"), kJournalUnavailable);
  // A stop that can't be recorded is not done: the caller is told, and asks again.
  const Answer stopped = stop(task);
  EXPECT_EQ(stopped.status, 503) << stopped.response.body;
  EXPECT_EQ(stopped.text("type"), kJournalUnavailable);
  EXPECT_EQ(look(task).text("status"), "Running");
  EXPECT_EQ(fetch(look(task).text("iframeUrl")).status, 200);
  EXPECT_TRUE(agent.running());

  std::filesystem::remove(flag);
  std::string second;
  EXPECT_TRUE(support::eventually([&] {
    const Answer answer = alice().start("hello");
    second = answer.text("taskId");
    return answer.status == 201;
  }));
  EXPECT_EQ(stop(task).status, 200);
  EXPECT_EQ(stop(second).status, 200);
  EXPECT_EQ(agent.stop(), 0);
  const auto check = agent.agent_command({"journal", "check"});
  EXPECT_EQ(check.code, 0) << check.err;
}

TEST_F(DiskTest, UnderTheFloorNoStartIsAdmitted) {
  auto& agent = start_agent("[limits]\nmin_free_disk = \"64MiB\"\n");
  const Answer refused = alice().start("hello");
  EXPECT_EQ(refused.status, 503) << refused.response.body;
  EXPECT_EQ(refused.text("type"), "urn:resmgr:problem:disk-full");
  EXPECT_THAT(refused.text("detail"), HasSubstr("64 MiB are wanted"));
  EXPECT_TRUE(support::containers_of(agent.agent_id()).empty());
}

}  // namespace
}  // namespace resmgr::e2e
