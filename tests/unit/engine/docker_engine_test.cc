#include "agent/engine/docker_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/json.h"
#include "tests/support/temp_dir.h"
#include "tests/support/thrown.h"
#include "tests/unit/engine/scripted_daemon.h"

namespace resmgr::engine {
namespace {

using support::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr char kUrl[] = "tcp://daemon:2375";
constexpr char kInfo[] = R"({"ServerVersion": "20.10.24", "SystemTime": "2026-11-23T02:45:25.5Z"})";

class DockerEngineUnit : public testing::Test {
 protected:
  DockerEngineUnit() {
    daemon_.answer_version("1.41");
    daemon_.answer("GET /v1.41/info", 200, kInfo);
  }

  std::string read_logs(const LogOptions& options = {}) {
    std::string text;
    engine_.logs("x", options,
                 [&](std::string_view bytes) {
                   text += bytes;
                   return true;
                 },
                 {});
    return text;
  }

  ScriptedDaemon daemon_;
  support::TempDir root_;
  DockerEngine engine_{DockerOptions{kUrl, {}}, daemon_.factory(), CgroupReader(root_.path())};
};

TEST_F(DockerEngineUnit, NothingIsAskedBeforeTheFirstCall) {
  EXPECT_THAT(daemon_.lines(), IsEmpty());
}

TEST_F(DockerEngineUnit, VersionIsNegotiatedOnceAndUsed) {
  EXPECT_EQ(engine_.info().api_version, "1.41");
  engine_.info();
  EXPECT_THAT(daemon_.lines(),
              ElementsAre("GET /version", "GET /v1.41/info", "GET /v1.41/networks/bridge",
                          "GET /v1.41/info", "GET /v1.41/networks/bridge"));
}

TEST_F(DockerEngineUnit, StartOfTheEngineIsThatOfItsDefaultBridge) {
  EXPECT_FALSE(engine_.info().started_at);
  daemon_.answer("GET /v1.41/networks/bridge", 200,
                 R"({"Name": "bridge", "Created": "2026-11-23T02:45:25.512345678Z"})");
  EXPECT_EQ(engine_.info().started_at, instant_from_millis(1'795'401'925'512));
}

TEST_F(DockerEngineUnit, VersionIsNegotiatedAnewAfterTheEngineWasAway) {
  engine_.info();
  daemon_.set_away(true);
  EXPECT_EQ(error_of([&] { engine_.info(); }).kind(), ErrorKind::unavailable);
  daemon_.set_away(false);
  daemon_.answer_version("1.43");
  daemon_.answer("GET /v1.43/info", 200, kInfo);
  EXPECT_EQ(engine_.info().api_version, "1.43");
}

// github.com/moby/moby/issues/46661: whatever touches a network waits for ever, all else goes on.
TEST_F(DockerEngineUnit, DaemonThatAnswersAPingAloneIsStuck) {
  constexpr Millis kLimit{200};
  DockerTransport transport(kUrl, daemon_.factory());
  const auto ask = [&] {
    HttpRequest request;
    request.target = "/networks";
    return error_of([&] { transport.send(request, kLimit); });
  };
  daemon_.on("GET /v1.41/networks", [&](const HttpRequest&) -> HttpResponse {
    std::this_thread::sleep_for(kLimit);
    throw Error(ErrorKind::unavailable, "cannot reach 'daemon': no answer came in time");
  });
  daemon_.answer("GET /_ping", 500, "no");
  EXPECT_THAT(ask().message(), HasSubstr("no answer came in time"));
  daemon_.answer("GET /_ping", 200, "OK");
  const Error error = ask();
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_THAT(error.message(), HasSubstr("'GET /v1.41/networks' had no answer in 200ms"));
  EXPECT_THAT(error.hint(), HasSubstr("systemctl restart docker"));
  // It did not wait: the daemon was ended.
  daemon_.on("GET /v1.41/networks", [](const HttpRequest&) -> HttpResponse {
    throw Error(ErrorKind::unavailable, "cannot reach 'daemon': the connection was closed");
  });
  EXPECT_THAT(ask().message(), HasSubstr("the connection was closed"));
}

TEST_F(DockerEngineUnit, VersionIsNegotiatedAnewWhenItIsRefused) {
  engine_.info();
  daemon_.answer_version("1.42");
  daemon_.answer("GET /v1.41/info", 400, R"({"message": "client version 1.41 is too old"})");
  daemon_.answer("GET /v1.42/info", 200, kInfo);
  EXPECT_EQ(engine_.info().api_version, "1.42");
}

TEST_F(DockerEngineUnit, VersionThatStaysRefusedIsAnErrorNotALoop) {
  daemon_.answer("GET /v1.41/info", 400, R"({"message": "client version 1.41 is too old"})");
  EXPECT_EQ(error_of([&] { engine_.info(); }).kind(), ErrorKind::rejected);
  EXPECT_EQ(daemon_.requests().size(), 4U);
}

TEST_F(DockerEngineUnit, EngineThatIsTooOldIsRejected) {
  daemon_.answer_version("1.40");
  const Error error = error_of([&] { engine_.list({}); });
  EXPECT_EQ(error.kind(), ErrorKind::rejected);
  EXPECT_THAT(error.message(), HasSubstr("1.40"));
}

TEST_F(DockerEngineUnit, EngineThatIsAwayIsNamedWithTheCause) {
  daemon_.set_away(true);
  const Error error = error_of([&] { engine_.start("x"); });
  EXPECT_EQ(error.message(),
            "cannot reach the container engine 'tcp://daemon:2375': connection refused");
  EXPECT_THAT(error.hint(), HasSubstr("DOCKER_HOST"));
}

TEST_F(DockerEngineUnit, EachCallHasItsOwnPatience) {
  daemon_.answer("POST /v1.41/containers/create", 201, R"({"Id": "x"})");
  daemon_.answer("POST /v1.41/containers/x/start", 204);
  daemon_.answer("POST /v1.41/containers/x/stop", 204);
  daemon_.answer("DELETE /v1.41/containers/x", 204);
  engine_.create({});
  engine_.start("x");
  engine_.stop("x", Millis{90'500});
  engine_.remove("x");
  const auto& requests = daemon_.requests();
  ASSERT_EQ(requests.size(), 5U);
  EXPECT_EQ(requests[1].read_timeout, Millis{120'000});
  EXPECT_EQ(requests[2].read_timeout, Millis{120'000});
  EXPECT_EQ(requests[3].read_timeout, Millis{91'000 + 60'000});
  EXPECT_EQ(requests[3].line, "POST /v1.41/containers/x/stop?t=91");
  EXPECT_EQ(requests[4].read_timeout, Millis{30'000});
  EXPECT_EQ(requests[4].line, "DELETE /v1.41/containers/x?v=1");
}

TEST_F(DockerEngineUnit, NamesAreEncoded) {
  engine_.inspect("../images/x?y");
  engine_.image_id("quay.io/a/b:1");
  EXPECT_THAT(daemon_.lines()[1], "GET /v1.41/containers/..%2Fimages%2Fx%3Fy/json");
  EXPECT_THAT(daemon_.lines()[2], "GET /v1.41/images/quay.io%2Fa%2Fb%3A1/json");
}

TEST_F(DockerEngineUnit, TakenPortIsAConflictOfItsOwn) {
  for (const int status : {409, 500}) {
    daemon_.answer("POST /v1.41/containers/x/start", status,
                   R"({"message": "Bind for 127.0.0.1:1 failed: port is already allocated"})");
    const Error error = error_of([&] { engine_.start("x"); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_EQ(error.problem, "port-in-use");
    EXPECT_EQ(error.message(),
              "cannot start container 'x': Bind for 127.0.0.1:1 failed: port is already allocated");
  }
}

TEST_F(DockerEngineUnit, OtherFailuresOfAStartAreTheDaemonsWords) {
  daemon_.answer("POST /v1.41/containers/x/start", 500, R"({"message": "OCI runtime failed"})");
  const Error error = error_of([&] { engine_.start("x"); });
  EXPECT_EQ(error.kind(), ErrorKind::rejected);
  EXPECT_EQ(error.message(), "cannot start container 'x': OCI runtime failed");
  EXPECT_THAT(error.problem, IsEmpty());
}

TEST_F(DockerEngineUnit, WhatIsMissingAtAStartIsNamed) {
  daemon_.answer("POST /v1.41/containers/x/start", 404, R"({"message": "network own not found"})");
  EXPECT_EQ(error_of([&] { engine_.start("x"); }).problem, "network-missing");
  daemon_.answer("POST /v1.41/containers/x/start", 404, R"({"message": "No such container: x"})");
  const Error error = error_of([&] { engine_.start("x"); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.problem, IsEmpty());
}

TEST_F(DockerEngineUnit, RemovalUnderWayIsNoError) {
  daemon_.answer("DELETE /v1.41/containers/x", 409,
                 R"({"message": "removal of container x is already in progress"})");
  engine_.remove("x");
  daemon_.answer("DELETE /v1.41/containers/x", 409, R"({"message": "it is running"})");
  EXPECT_EQ(error_of([&] { engine_.remove("x"); }).kind(), ErrorKind::conflict);
}

TEST_F(DockerEngineUnit, ErrorIsNeverAbsence) {
  for (const int status : {400, 401, 403, 409, 500, 502, 503}) {
    daemon_.answer("GET /v1.41/", status, "<html>no such thing, not found</html>");
    EXPECT_NE(error_of([&] { engine_.inspect("x"); }).kind(), ErrorKind::not_found) << status;
    EXPECT_NE(error_of([&] { engine_.stats("x"); }).kind(), ErrorKind::not_found) << status;
    EXPECT_NE(error_of([&] { engine_.list({}); }).kind(), ErrorKind::not_found) << status;
    EXPECT_NE(error_of([&] { engine_.image_id("x"); }).kind(), ErrorKind::not_found) << status;
    EXPECT_NE(error_of([&] { engine_.inspect_network("x"); }).kind(), ErrorKind::not_found)
        << status;
  }
}

TEST_F(DockerEngineUnit, EventsAreAskedForFromTheEnginesOwnTime) {
  daemon_.answer("GET /v1.41/events", 200, "");
  bool subscribed = false;
  // A stream that ends by itself is no silence.
  const Error error =
      error_of([&] { engine_.events([&] { subscribed = true; }, [](const EngineEvent&) {}, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_TRUE(subscribed);
  EXPECT_THAT(daemon_.lines().back(), StartsWith("GET /v1.41/events?since=1795401925.500000000&"));
}

TEST_F(DockerEngineUnit, EventsComeWholeHoweverTheyAreCut) {
  daemon_.answer("GET /v1.41/events", 200,
                 R"({"Type": "container", "Action": "start", "Actor": {"ID": "a"}})"
                 "\n"
                 R"({"Type": "network", "Action": "connect", "Actor": {"ID": "n"}})"
                 "\n"
                 R"({"Type": "container", "Action": "die", "Actor": {"ID": "b"}})"
                 "\n");
  for (const std::size_t size : {1U, 7U, 100U, 10'000U}) {
    daemon_.set_chunk_size(size);
    std::vector<std::string> seen;
    std::stop_source enough;
    engine_.events([] {},
                   [&](const EngineEvent& event) {
                     seen.push_back(event.action + " " + event.container_id);
                     if (seen.size() == 2) enough.request_stop();
                   },
                   enough.get_token());
    EXPECT_THAT(seen, ElementsAre("start a", "die b"));
  }
}

TEST_F(DockerEngineUnit, NoEventComesAfterTheStop) {
  daemon_.set_chunk_size(10'000);
  std::string line = R"({"Type": "container", "Action": "start", "Actor": {"ID": "a"}})";
  daemon_.answer("GET /v1.41/events", 200, line + "\n" + line + "\n");
  int seen = 0;
  std::stop_source enough;
  engine_.events([] {},
                 [&](const EngineEvent&) {
                   ++seen;
                   enough.request_stop();
                 },
                 enough.get_token());
  EXPECT_EQ(seen, 1);
}

TEST_F(DockerEngineUnit, UnreadableEventIsNotTakenForAnEngineThatIsAway) {
  daemon_.answer("GET /v1.41/events", 200, "<html>\n");
  const Error error = error_of([&] { engine_.events([] {}, [](const EngineEvent&) {}, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_THAT(error.message(), HasSubstr("cannot read the container engine's answer 'event'"));
}

TEST_F(DockerEngineUnit, WhatCallbacksThrowPassesThrough) {
  struct Mine {};
  daemon_.answer("GET /v1.41/events", 200,
                 R"({"Type": "container", "Action": "start", "Actor": {"ID": "a"}})"
                 "\n");
  EXPECT_THROW(engine_.events([] { throw Mine(); }, [](const EngineEvent&) {}, {}), Mine);
  EXPECT_THROW(engine_.events([] {}, [](const EngineEvent&) { throw Mine(); }, {}), Mine);
  // Also what looks as if the engine were away.
  const Error error = error_of([&] {
    engine_.events([] { throw Error(ErrorKind::unavailable, "the journal is away"); },
                   [](const EngineEvent&) {}, {});
  });
  EXPECT_EQ(error.message(), "the journal is away");
}

TEST_F(DockerEngineUnit, RefusedSubscriptionIsAnErrorInTheDaemonsWords) {
  daemon_.answer("GET /v1.41/events", 500, R"({"message": "too many listeners"})");
  bool subscribed = false;
  const Error error =
      error_of([&] { engine_.events([&] { subscribed = true; }, [](const EngineEvent&) {}, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::rejected);
  EXPECT_THAT(error.message(), HasSubstr("too many listeners"));
  EXPECT_FALSE(subscribed);
}

TEST_F(DockerEngineUnit, LogsThatAreCutAreUnavailable) {
  using namespace std::string_literals;
  const std::string whole = "\x01\0\0\0\0\0\0\5text\n"s;
  daemon_.answer("GET /v1.41/containers/x/logs", 200, whole + whole.substr(0, 11));
  EXPECT_EQ(error_of([&] { read_logs(); }).kind(), ErrorKind::unavailable);
  daemon_.answer("GET /v1.41/containers/x/logs", 200, whole + whole);
  EXPECT_EQ(read_logs(), "text\ntext\n");
}

TEST_F(DockerEngineUnit, LogsAreAskedForAsWanted) {
  daemon_.answer("GET /v1.41/containers/x/logs", 200, "");
  read_logs({.follow = true, .tail = 5, .since = instant_from_millis(1'500)});
  EXPECT_EQ(daemon_.lines().back(),
            "GET /v1.41/containers/x/logs?stdout=1&stderr=1&follow=1&tail=5&since=1.500000000");
  read_logs({.tail = -1});
  EXPECT_EQ(daemon_.lines().back(),
            "GET /v1.41/containers/x/logs?stdout=1&stderr=1&follow=0&tail=0");
}

TEST_F(DockerEngineUnit, PullNamesTagAndCredentials) {
  const std::string file = root_.write(
      "auth.json", R"({"auths": {"quay.io": {"username": "u", "password": "secret"}}})");
  DockerEngine engine({kUrl, file}, daemon_.factory(), CgroupReader(root_.path()));
  daemon_.answer("POST /v1.41/images/create", 200, R"({"status": "Pull complete", "id": "a"})");
  int lines = 0;
  engine.pull("quay.io/a/b", [&](const PullProgress&) { ++lines; }, {});
  const auto& request = daemon_.requests().back();
  EXPECT_EQ(request.line, "POST /v1.41/images/create?fromImage=quay.io%2Fa%2Fb&tag=latest");
  ASSERT_EQ(request.headers.size(), 1U);
  EXPECT_EQ(request.headers.front().first, "X-Registry-Auth");
  EXPECT_THAT(request.headers.front().second, Not(HasSubstr("secret")));
  // The last line counts without an end too.
  EXPECT_EQ(lines, 1);

  engine.pull("docker.io/other", nullptr, {});
  EXPECT_THAT(daemon_.requests().back().headers, IsEmpty());
}

TEST_F(DockerEngineUnit, ErrorWithinAPullIsRejected) {
  for (const char* end : {"\n", ""}) {
    daemon_.answer(
        "POST /v1.41/images/create", 200,
        std::string(R"({"status": "Downloading", "id": "a"})"
                    "\n"
                    R"({"errorDetail": {"message": "disk full"}, "error": "disk full"})") +
            end);
    const Error error = error_of([&] { engine_.pull("a/b", nullptr, {}); });
    EXPECT_EQ(error.kind(), ErrorKind::rejected);
    EXPECT_EQ(error.message(), "cannot pull image 'a/b': disk full");
  }
}

TEST_F(DockerEngineUnit, PullOfWhatIsMissingIsNotFoundWhateverTheStatus) {
  for (const int status : {404, 500}) {
    daemon_.answer("POST /v1.41/images/create", status, R"({"message": "manifest unknown"})");
    EXPECT_EQ(error_of([&] { engine_.pull("a/b", nullptr, {}); }).kind(), ErrorKind::not_found);
  }
}

TEST_F(DockerEngineUnit, InterruptedPullIsNoSuccess) {
  daemon_.answer("POST /v1.41/images/create", 200, "{}\n{}\n");
  std::stop_source stop;
  const Error error = error_of([&] {
    engine_.pull(
        "a/b", [&](const PullProgress&) { stop.request_stop(); }, stop.get_token());
  });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
}

TEST_F(DockerEngineUnit, StatisticsComeFromTheKernelWithoutAskingTheEngine) {
  const std::string id(64, 'a');
  const std::string group = "sys/fs/cgroup/docker/" + id;
  root_.write("sys/fs/cgroup/cgroup.controllers", "cpu\n");
  root_.write(group + "/cpu.stat", "usage_usec 5000\n");
  root_.write(group + "/memory.current", "1\n");
  root_.write(group + "/cgroup.procs", "42\n");
  root_.write("proc/42/net/dev", "a|b\nc|d\n");
  ASSERT_TRUE(engine_.stats(id));
  EXPECT_EQ(engine_.stats(id)->cpu_time, Millis{5});
  EXPECT_THAT(daemon_.lines(), IsEmpty());
}

TEST_F(DockerEngineUnit, StatisticsOfWhatEndedMeanwhileAreNone) {
  daemon_.answer("GET /v1.41/containers/x/json", 200,
                 R"({"Id": "x", "Name": "/n", "State": {"Status": "running", "Pid": 1}})");
  daemon_.answer("GET /v1.41/containers/x/stats", 404, R"({"message": "No such container"})");
  EXPECT_FALSE(engine_.stats("x"));
  daemon_.answer("GET /v1.41/containers/x/stats", 200, R"({"read": "0001-01-01T00:00:00Z"})");
  EXPECT_FALSE(engine_.stats("x"));
}

TEST(DockerEndpoint, AddressesAreThoseOfDockerHost) {
  EXPECT_EQ(docker_endpoint("unix:///run/x.sock").url, "unix:///run/x.sock");
  EXPECT_EQ(docker_endpoint("tcp://host:2375").url, "http://host:2375");
  EXPECT_EQ(docker_endpoint("https://host:2376").url, "https://host:2376");
  for (const char* url : {"", "unix://", "ssh://host", "npipe:////./pipe/docker", "/run/x.sock"}) {
    try {
      docker_endpoint(url);
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
    }
  }
}

TEST(DockerEndpoint, SocketThatIsNotOursIsHintedAt) {
  const support::TempDir dir;
  DockerEngine engine({"unix://" + (dir.path() / "none.sock").string(), {}});
  try {
    engine.info();
    ADD_FAILURE() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unavailable);
    EXPECT_THAT(error.message(), HasSubstr("no such socket"));
    EXPECT_THAT(error.hint(), HasSubstr("start the container engine"));
  }
}

}  // namespace
}  // namespace resmgr::engine
