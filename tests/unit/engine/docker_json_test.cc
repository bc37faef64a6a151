#include "agent/engine/docker_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/error.h"
#include "common/json.h"
#include "common/time_format.h"
#include "tests/support/thrown.h"

namespace resmgr::engine {
namespace {

using support::error_of;
using testing::ElementsAre;
using testing::Pair;

// As Docker 20.10 answers, less what is not read.
constexpr char kRunning[] = R"({
  "Id": "93aa6aa34226", "Name": "/resmgr-1",
  "State": {"Status": "running", "Running": true, "OOMKilled": false, "Pid": 9710, "ExitCode": 0,
            "Error": "", "StartedAt": "2026-11-23T02:44:51.354539997Z",
            "FinishedAt": "2026-11-22T01:00:00.5Z"},
  "Config": {"Image": "resmgr/hello:latest", "Labels": {"a": "1", "b": "", "odd": 7}},
  "NetworkSettings": {
    "Ports": {"9/udp": [{"HostIp": "0.0.0.0", "HostPort": "999"}], "1/tcp": null,
              "8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"},
                           {"HostIp": "::1", "HostPort": "32769"}]},
    "IPAddress": "",
    "Networks": {"own": {"IPAddress": "172.18.0.2"}}}})";

// kRunning with the members of `patch` put in, at any depth.
std::string patched(const char* patch) {
  Json container = parse_json(kRunning, "container");
  container.merge_patch(parse_json(patch, "patch"));
  return container.dump();
}

TEST(DockerJson, ReadsARunningContainer) {
  const ContainerState state = read_container(kRunning);
  EXPECT_EQ(state.id, "93aa6aa34226");
  EXPECT_EQ(state.name, "resmgr-1");
  EXPECT_EQ(state.image, "resmgr/hello:latest");
  EXPECT_THAT(state.labels, ElementsAre(Pair("a", "1"), Pair("b", "")));
  EXPECT_EQ(state.status, ContainerStatus::running);
  EXPECT_EQ(format_rfc3339(*state.started_at), "2026-11-23T02:44:51.354Z");
  // It is of an earlier run.
  EXPECT_FALSE(state.finished_at);
  EXPECT_EQ(state.host_port, 32'768);
  EXPECT_EQ(state.address, "172.18.0.2");
  EXPECT_EQ(read_pid(kRunning), 9'710);
}

TEST(DockerJson, ReadsAnEndedContainer) {
  const ContainerState state = read_container(
      patched(R"({"State": {"Status": "exited", "ExitCode": 137, "OOMKilled": true, "Pid": 0,
                            "FinishedAt": "2026-11-23T03:00:00.9999Z"}})"));
  EXPECT_EQ(state.status, ContainerStatus::exited);
  EXPECT_FALSE(state.alive());
  EXPECT_EQ(state.exit_code, 137);
  EXPECT_TRUE(state.oom_killed);
  EXPECT_EQ(format_rfc3339(*state.finished_at), "2026-11-23T03:00:00.999Z");
  // What stands there is not published any more.
  EXPECT_EQ(state.host_port, 0);
  EXPECT_EQ(state.address, "");
}

TEST(DockerJson, ZeroTimesAreNone) {
  const ContainerState state =
      read_container(patched(R"({"State": {"Status": "created", "ExitCode": 128, "Error": "no port",
                                           "StartedAt": "0001-01-01T00:00:00Z",
                                           "FinishedAt": "0001-01-01T00:00:00Z"}})"));
  EXPECT_FALSE(state.started_at);
  EXPECT_FALSE(state.finished_at);
  EXPECT_EQ(state.error, "no port");
  EXPECT_EQ(state.exit_code, 128);
}

TEST(DockerJson, NothingEndsBeforeItStarted) {
  const ContainerState state = read_container(patched(
      R"({"State": {"Status": "exited", "FinishedAt": "2026-11-23T02:44:51.353999999Z"}})"));
  EXPECT_EQ(state.finished_at, state.started_at);
  // An end that is not told is not made up.
  EXPECT_FALSE(read_container(patched(R"({"State": {"Status": "exited",
                                                    "FinishedAt": "0001-01-01T00:00:00Z"}})"))
                   .finished_at);
}

TEST(DockerJson, EveryStatusIsKnown) {
  using enum ContainerStatus;
  const std::vector<std::pair<std::string, ContainerStatus>> all{
      {"created", created},   {"running", running}, {"paused", paused}, {"restarting", restarting},
      {"removing", removing}, {"exited", exited},   {"dead", dead}};
  for (const auto& [name, status] : all) {
    const std::string patch = R"({"State": {"Status": ")" + name + R"("}})";
    EXPECT_EQ(read_container(patched(patch.c_str())).status, status) << name;
  }
}

TEST(DockerJson, ContainerThatCantBeReadIsUnavailable) {
  for (const char* patch :
       {R"({"Id": null})", R"({"Id": 7})", R"({"Name": null})", R"({"State": null})",
        R"({"State": "running"})", R"({"State": {"Status": "levitating"}})",
        R"({"State": {"Status": 1}})", R"({"State": {"Status": null}})"}) {
    EXPECT_EQ(error_of([&] { read_container(patched(patch)); }).kind(), ErrorKind::unavailable)
        << patch;
  }
  for (const char* text : {"", "null", "[]", "7", "\"x\"", "{", "{\"Id\":\"x\"", "<html>"}) {
    EXPECT_EQ(error_of([&] { read_container(text); }).kind(), ErrorKind::unavailable) << text;
  }
}

TEST(DockerJson, WrongTypesOfWhatMayBeMissingAreMissing) {
  const ContainerState state = read_container(patched(
      R"({"Config": [], "NetworkSettings": {"Ports": {"8080/tcp": [7, {"HostPort": 8080},
          {"HostPort": "99999"}, {"HostPort": "-1"}, {"HostPort": "12x"}]}, "Networks": "none"},
          "State": {"StartedAt": 12, "OOMKilled": "yes", "Error": null}})"));
  EXPECT_EQ(state.host_port, 0);
  EXPECT_EQ(state.address, "");
  EXPECT_EQ(state.image, "");
  EXPECT_FALSE(state.started_at);
  EXPECT_FALSE(state.oom_killed);
}

TEST(DockerJson, ExitCodesOfAnySizeFit) {
  for (const char* code : {"9223372036854775807", "-9223372036854775808"}) {
    const std::string patch =
        std::string(R"({"State": {"Status": "exited", "ExitCode": )") + code + "}}";
    EXPECT_NE(read_container(patched(patch.c_str())).exit_code, 0);
  }
  EXPECT_EQ(read_pid(patched(R"({"State": {"Pid": -1}})")), 0);
}

TEST(DockerJson, ReadsAList) {
  const auto list = read_container_list(R"([
      {"Id": "a", "Names": ["/other/alias", "/resmgr-1"], "Labels": {"k": "v"},
       "State": "exited"},
      {"Id": "b", "Names": null, "Labels": null, "State": "created"}])");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].name, "resmgr-1");
  EXPECT_THAT(list[0].labels, ElementsAre(Pair("k", "v")));
  EXPECT_EQ(list[0].status, ContainerStatus::exited);
  EXPECT_EQ(list[1].name, "");
  EXPECT_TRUE(read_container_list("[]").empty());
}

TEST(DockerJson, ListThatCantBeReadWholeIsUnavailable) {
  for (const char* text : {"", "{}", "null", "[{}]", R"([{"Id": "a"}])", "[7]",
                           R"([{"Id": "a", "State": "created"}, {"Id": "b", "State": "?"}])"}) {
    EXPECT_EQ(error_of([&] { read_container_list(text); }).kind(), ErrorKind::unavailable) << text;
  }
}

TEST(DockerJson, ReadsAnEvent) {
  const auto event = read_event(
      R"({"status": "die", "id": "26208a", "Type": "container", "Action": "die",
          "Actor": {"ID": "26208a", "Attributes": {"exitCode": "143", "image": "hello",
                    "name": "resmgr-1", "signal": "15", "x": "1"}},
          "time": 1795401925, "timeNano": 1795401925495999999})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->action, "die");
  EXPECT_EQ(event->container_id, "26208a");
  EXPECT_EQ(event->name, "resmgr-1");
  EXPECT_EQ(event->exit_code, 143);
  EXPECT_THAT(event->labels, ElementsAre(Pair("x", "1")));
  EXPECT_EQ(to_millis(event->time), 1'795'401'925'495);
}

TEST(DockerJson, EventWithoutNanosecondsHasSeconds) {
  const auto event = read_event(
      R"({"Type": "container", "Action": "start", "Actor": {"ID": "a"}, "time": 1795401925})");
  ASSERT_TRUE(event);
  EXPECT_EQ(to_millis(event->time), 1'795'401'925'000);
  EXPECT_FALSE(event->exit_code);
}

TEST(DockerJson, EventTimesOutOfRangeDontOverflow) {
  for (const char* time : {"9223372036854775807", "-9223372036854775808"}) {
    EXPECT_TRUE(read_event(std::string(R"({"Type": "container", "Action": "start",
        "Actor": {"ID": "a"}, "time": )") +
                           time + R"(, "timeNano": )" + time + "}"));
    EXPECT_TRUE(read_event(std::string(R"({"Type": "container", "Action": "start",
        "Actor": {"ID": "a"}, "time": )") +
                           time + "}"));
  }
}

TEST(DockerJson, EventsOfOthersArePassedOver) {
  EXPECT_FALSE(read_event(R"({"Type": "network", "Action": "connect", "Actor": {"ID": "n"}})"));
  EXPECT_FALSE(read_event("{}"));
  EXPECT_FALSE(read_event("7"));
}

TEST(DockerJson, EventThatCantBeReadIsUnavailable) {
  for (const char* text :
       {"", "{", R"({"Type": "container"})", R"({"Type": "container", "Action": "die"})",
        R"({"Type": "container", "Action": "die", "Actor": {"ID": 3}})"}) {
    EXPECT_EQ(error_of([&] { read_event(text); }).kind(), ErrorKind::unavailable) << text;
  }
}

TEST(DockerJson, ExitCodeThatIsNoneIsMissing) {
  for (const char* code : {"", "x", "1x", "99999999999"}) {
    const auto event = read_event(std::string(R"({"Type": "container", "Action": "die",
        "Actor": {"ID": "a", "Attributes": {"exitCode": ")") +
                                  code + R"("}}})");
    ASSERT_TRUE(event);
    EXPECT_FALSE(event->exit_code) << code;
  }
}

TEST(DockerJson, ReadsStatistics) {
  const auto stats = read_stats(
      R"({"read": "2026-11-23T02:45:25.454937722Z",
          "cpu_stats": {"cpu_usage": {"total_usage": 29092655}},
          "memory_stats": {"usage": 815104, "max_usage": 3813376},
          "networks": {"eth0": {"rx_bytes": 286, "tx_bytes": 10},
                       "eth1": {"rx_bytes": 4, "tx_bytes": 1}}})");
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->cpu_time, Millis{29});
  EXPECT_EQ(stats->memory_bytes, 815'104);
  EXPECT_EQ(stats->peak_memory_bytes, 3'813'376);
  EXPECT_EQ(stats->network_rx_bytes, 290);
  EXPECT_EQ(stats->network_tx_bytes, 11);
}

TEST(DockerJson, StatisticsOfWhatDoesNotRunAreNone) {
  EXPECT_FALSE(read_stats(R"({"read": "0001-01-01T00:00:00Z", "cpu_stats": {}})"));
  EXPECT_FALSE(read_stats("{}"));
}

TEST(DockerJson, StatisticsWithoutAPeakHaveTheSampleAsPeak) {
  const auto stats =
      read_stats(R"({"read": "2026-11-23T02:45:25Z", "memory_stats": {"usage": 5}})");
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->peak_memory_bytes, 5);
}

TEST(DockerJson, ReadsWhatTheEngineIs) {
  const char* const text =
      R"({"ServerVersion": "20.10.24", "DockerRootDir": "/var/lib/docker",
          "LiveRestoreEnabled": true, "NCPU": 2, "MemTotal": 25276641280,
          "SystemTime": "2026-11-23T04:45:25.454937722+02:00"})";
  const EngineInfo info = read_info(text);
  EXPECT_EQ(info.name, "docker");
  EXPECT_EQ(info.version, "20.10.24");
  EXPECT_EQ(info.root_dir, "/var/lib/docker");
  EXPECT_TRUE(info.live_restore);
  EXPECT_EQ(info.cpus, 2);
  EXPECT_EQ(info.memory_bytes, 25'276'641'280);
  EXPECT_EQ(format_rfc3339(read_engine_time(text)), "2026-11-23T02:45:25.454Z");
  EXPECT_EQ(error_of([] { read_info("{}"); }).kind(), ErrorKind::unavailable);
  EXPECT_EQ(error_of([] { read_engine_time("{}"); }).kind(), ErrorKind::unavailable);
}

TEST(DockerJson, ReadsANetworkOfThatName) {
  const char* const text = R"({"Name": "own", "Id": "f5dc", "Labels": {"a": "b"},
                               "IPAM": {"Config": [{"Subnet": "172.18.0.0/16"}, {}, 7]}})";
  const auto network = read_network(text, "own");
  ASSERT_TRUE(network);
  EXPECT_EQ(network->id, "f5dc");
  EXPECT_THAT(network->labels, ElementsAre(Pair("a", "b")));
  EXPECT_THAT(network->subnets, ElementsAre("172.18.0.0/16"));
  EXPECT_FALSE(read_network(text, "f5dc"));
  EXPECT_EQ(error_of([] { read_network("{}", "own"); }).kind(), ErrorKind::unavailable);
}

TEST(DockerJson, ReadsTheIdOfWhatWasCreated) {
  EXPECT_EQ(read_created_id(R"({"Id": "26208a", "Warnings": []})"), "26208a");
  EXPECT_EQ(error_of([] { read_created_id(R"({"Warnings": []})"); }).kind(),
            ErrorKind::unavailable);
}

TEST(DockerJson, VersionsAreOrderedAsNumbers) {
  EXPECT_EQ(parse_api_version("1.41"), (ApiVersion{1, 41}));
  EXPECT_LT(*parse_api_version("1.9"), *parse_api_version("1.41"));
  EXPECT_EQ(to_string(ApiVersion{1, 41}), "1.41");
  for (const char* text : {"", "1", "1.", ".1", "1.x", "v1.41", "-1.2", "1.-2", "1.41.2"}) {
    EXPECT_FALSE(parse_api_version(text)) << text;
  }
}

TEST(DockerJson, GreatestCommonVersionIsSpoken) {
  const auto negotiate = [](const char* greatest, const char* least) {
    return to_string(negotiate_api_version(std::string(R"({"Version": "x", "ApiVersion": ")") +
                                           greatest + R"(", "MinAPIVersion": ")" + least +
                                           R"("})"));
  };
  EXPECT_EQ(negotiate("1.41", "1.12"), "1.41");
  EXPECT_EQ(negotiate("1.43", "1.12"), "1.43");
  EXPECT_EQ(negotiate("1.52", "1.44"), "1.45");
  EXPECT_EQ(to_string(negotiate_api_version(R"({"ApiVersion": "1.41"})")), "1.41");
}

TEST(DockerJson, NoCommonVersionIsRejectedClearly) {
  const Error old = error_of([] {
    negotiate_api_version(
        R"({"Version": "19.03.1", "ApiVersion": "1.40", "MinAPIVersion": "1.12"})");
  });
  EXPECT_EQ(old.kind(), ErrorKind::rejected);
  EXPECT_EQ(
      old.message(),
      "cannot use container engine '19.03.1': it speaks API versions 1.12 to 1.40, and resmgr "
      "1.41 to 1.45");
  EXPECT_EQ(old.hint(), "install Docker 20.10 or newer");
  EXPECT_EQ(error_of([] {
              negotiate_api_version(R"({"ApiVersion": "1.60", "MinAPIVersion": "1.50"})");
            }).kind(),
            ErrorKind::rejected);
  EXPECT_EQ(error_of([] { negotiate_api_version("{}"); }).kind(), ErrorKind::unavailable);
}

}  // namespace
}  // namespace resmgr::engine
