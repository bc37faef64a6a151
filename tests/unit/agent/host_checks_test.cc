#include "agent/host_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_engine.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/common/scripted_server.h"

namespace resmgr {
namespace {

using State = CheckResult::State;
using testing::AllOf;
using testing::HasSubstr;

CheckResult result_of(Check check) {
  return run_checks({std::move(check)}, std::chrono::minutes(5)).front();
}

class HostChecksTest : public testing::Test {
 protected:
  FakeClock clock_;
  engine::FakeEngine engine_{clock_};
};

TEST_F(HostChecksTest, AnEngineThatIsAwayFails) {
  EXPECT_EQ(result_of(engine_check(engine_)).state, State::good);
  engine_.set_reachable(false);
  const CheckResult away = result_of(engine_check(engine_));
  EXPECT_EQ(away.state, State::failed);
  EXPECT_FALSE(away.hint.empty());
  EXPECT_EQ(result_of(live_restore_check(engine_)).state, State::failed);
}

TEST_F(HostChecksTest, WithoutLiveRestoreARestartOfTheEngineEndsTasks) {
  const CheckResult result = result_of(live_restore_check(engine_));
  EXPECT_EQ(result.state, engine_.info().live_restore ? State::good : State::doubtful);
}

TEST_F(HostChecksTest, AMissingImageIsAFaultWhereNothingPullsIt) {
  catalog::Service service;
  service.name = "web";
  service.image = "web:1";
  EXPECT_EQ(result_of(image_check(engine_, service)).state, State::doubtful);
  service.pull = catalog::PullPolicy::never;
  const CheckResult missing = result_of(image_check(engine_, service));
  EXPECT_EQ(missing.state, State::failed);
  EXPECT_THAT(missing.text, HasSubstr("'web:1'"));
  EXPECT_EQ(missing.hint, "resmgr images pull web");
  service.build = "/make/web";
  EXPECT_EQ(result_of(image_check(engine_, service)).hint, "resmgr images build web");
  engine_.add_image("web:1");
  EXPECT_EQ(result_of(image_check(engine_, service)).state, State::good);
}

TEST_F(HostChecksTest, ADiskIsMeasuredByItsFloor) {
  EXPECT_EQ(result_of(disk_check("disk", "/", 1)).state, State::good);
  const CheckResult full = result_of(disk_check("disk", "/proc", 1));
  EXPECT_EQ(full.state, State::failed);
  EXPECT_THAT(full.hint, HasSubstr("min_free_disk"));
  EXPECT_EQ(result_of(disk_check("disk", "/not/there", 1)).state, State::doubtful);
}

TEST_F(HostChecksTest, AClockThatNobodyKeepsRightIsADoubt) {
  const support::TempDir run;
  const std::string dir = run.path();
  EXPECT_EQ(result_of(clock_check(true, dir)).state, State::good);
  EXPECT_EQ(result_of(clock_check(false, dir)).state, State::doubtful);
  // In a sandbox the kernel is not asked.
  const CheckResult unseen = result_of(clock_check(std::nullopt, dir));
  EXPECT_EQ(unseen.state, State::doubtful);
  EXPECT_THAT(unseen.hint, HasSubstr("chrony"));
  std::filesystem::create_directories(run.path() / "chrony");
  EXPECT_EQ(result_of(clock_check(std::nullopt, dir)).text, "chronyd runs");
  std::filesystem::create_directories(run.path() / "systemd" / "timesync");
  run.write("systemd/timesync/synchronized", "");
  EXPECT_EQ(result_of(clock_check(std::nullopt, dir)).text, "systemd-timesyncd keeps it right");
}

TEST_F(HostChecksTest, PortsAreCountedOnTheAddressThatIsPublishedOn) {
  EXPECT_EQ(result_of(ports_check("127.0.0.1", "")).state, State::good);
  const CheckResult strange = result_of(ports_check("192.0.2.1", ""));
  EXPECT_EQ(strange.state, State::failed);
  EXPECT_THAT(strange.hint, HasSubstr("publish_address"));

  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(taken, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  const CheckResult full = result_of(ports_check("127.0.0.1", port + "-" + port));
  EXPECT_EQ(full.state, State::failed);
  EXPECT_THAT(full.text, HasSubstr("0 of 1 port"));
  close(taken);
}

TEST_F(HostChecksTest, AGroupThatIsMissingIsADoubt) {
  EXPECT_EQ(result_of(group_check("root")).state, State::good);
  const CheckResult missing = result_of(group_check("no-such-group-here"));
  EXPECT_EQ(missing.state, State::doubtful);
  EXPECT_THAT(missing.hint, HasSubstr("groupadd --system no-such-group-here"));
}

TEST_F(HostChecksTest, PublicUrlMustLeadToAnAgent) {
  EXPECT_EQ(result_of(public_url_check("")).state, State::off);
  const auto answering = [](const std::string& answer) {
    return [answer](Peer& peer, int) {
      if (!peer.read_request().empty()) peer.write(answer);
    };
  };
  const ScriptedServer agent(
      answering("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}"));
  EXPECT_EQ(result_of(public_url_check(agent.url() + "/")).state, State::good);
  const ScriptedServer other(answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
  const CheckResult wrong = result_of(public_url_check(other.url()));
  EXPECT_EQ(wrong.state, State::failed);
  EXPECT_THAT(wrong.text, HasSubstr("404"));
  EXPECT_THAT(wrong.hint, HasSubstr("public_url"));
  EXPECT_EQ(result_of(public_url_check("http://127.0.0.1:1")).state, State::failed);
}

TEST_F(HostChecksTest, ABacklogIsNoFaultUntilItsDestinationIsAway) {
  sinks::SinkStatus status;
  status.name = "seq";
  EXPECT_EQ(result_of(backlog_check(status)).state, State::good);
  status.lag_events = 7;
  status.state = sinks::SinkState::sending;
  EXPECT_EQ(result_of(backlog_check(status)).state, State::good);
  status.dead_letters = 2;
  EXPECT_THAT(result_of(backlog_check(status)).hint, HasSubstr("show-dead seq"));
  status.state = sinks::SinkState::refusing;
  status.last_error = "it answered 401";
  status.hint = "make an API key";
  const CheckResult refusing = result_of(backlog_check(status));
  EXPECT_EQ(refusing.state, State::failed);
  EXPECT_THAT(refusing.text, AllOf(HasSubstr("7 events behind"), HasSubstr("401")));
  EXPECT_EQ(refusing.hint, "make an API key");
}

}  // namespace
}  // namespace resmgr
