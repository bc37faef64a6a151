#include "agent/engine/docker_body.h"

#include <gtest/gtest.h>

#include "common/json.h"

namespace resmgr::engine {
namespace {

ContainerSpec minimal() {
  ContainerSpec spec;
  spec.name = "resmgr-1";
  spec.image = "hello";
  return spec;
}

Json body_of(const ContainerSpec& spec) { return parse_json(create_body(spec), "body"); }

TEST(DockerBody, EveryContainerIsHardened) {
  EXPECT_EQ(body_of(minimal()), parse_json(R"({
      "Image": "hello", "Labels": {}, "StopTimeout": 10,
      "HostConfig": {"CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"], "Init": true,
                     "IpcMode": "private", "RestartPolicy": {"Name": "no"}}})",
                                           "expected"));
}

TEST(DockerBody, SpecIsSentWhole) {
  ContainerSpec spec = minimal();
  spec.command = {"/bin/sh", "-c", "echo"};
  spec.env = {{"A", "1"}, {"B", "with = and \"quotes\""}};
  spec.labels = {{"io.resmgr.task-id", "x"}};
  spec.container_port = 8080;
  spec.network = "own";
  spec.cpus = 0.5;
  spec.memory_bytes = 1 << 29;
  spec.pids = 64;
  spec.shm_bytes = 1 << 20;
  spec.log_max_bytes = 10 << 20;
  spec.read_only = true;
  spec.capabilities = {"NET_BIND_SERVICE"};
  spec.user = "1000:100";
  spec.volumes = {{"data", "/home"}};
  spec.stop_timeout = Millis{2'001};
  EXPECT_EQ(body_of(spec), parse_json(R"({
      "Image": "hello", "Cmd": ["/bin/sh", "-c", "echo"], "User": "1000:100",
      "Env": ["A=1", "B=with = and \"quotes\""], "Labels": {"io.resmgr.task-id": "x"},
      "ExposedPorts": {"8080/tcp": {}}, "StopTimeout": 3,
      "HostConfig": {
        "CapDrop": ["ALL"], "CapAdd": ["NET_BIND_SERVICE"],
        "SecurityOpt": ["no-new-privileges"], "Init": true, "IpcMode": "private",
        "RestartPolicy": {"Name": "no"}, "NetworkMode": "own", "NanoCpus": 500000000,
        "Memory": 536870912, "MemorySwap": 536870912, "PidsLimit": 64, "ShmSize": 1048576,
        "LogConfig": {"Type": "json-file",
                      "Config": {"max-size": "10485760", "max-file": "1"}},
        "ReadonlyRootfs": true,
        "Tmpfs": {"/tmp": "rw,nosuid,nodev,mode=1777,size=64m"},
        "Mounts": [{"Type": "volume", "Source": "data", "Target": "/home"}],
        "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}}})",
                                      "expected"));
}

TEST(DockerBody, PortRangeAndAddressAreTheEnginesToKeep) {
  ContainerSpec spec = minimal();
  spec.container_port = 80;
  spec.publish_address = "10.0.0.1";
  spec.port_range = "30000-30999";
  EXPECT_EQ(
      body_of(spec)["HostConfig"]["PortBindings"],
      parse_json(R"({"80/tcp": [{"HostIp": "10.0.0.1", "HostPort": "30000-30999"}]})", "expected"));
}

TEST(DockerBody, WithoutANetworkNothingIsPublished) {
  ContainerSpec spec = minimal();
  spec.container_port = 80;
  spec.network = "none";
  EXPECT_FALSE(body_of(spec).contains("ExposedPorts"));
  EXPECT_FALSE(body_of(spec)["HostConfig"].contains("PortBindings"));
}

TEST(DockerBody, TextThatIsNoUtf8DoesNotThrow) {
  ContainerSpec spec = minimal();
  spec.labels["k"] = "\xFF";
  EXPECT_EQ(body_of(spec)["Labels"]["k"], "\xEF\xBF\xBD");
}

TEST(DockerBody, NetworksAreBridgesAndMayBeIsolated) {
  EXPECT_EQ(parse_json(network_body({"own", {{"a", "b"}}, true}), "body"),
            parse_json(R"({"Name": "own", "CheckDuplicate": true, "Driver": "bridge",
                           "Labels": {"a": "b"},
                           "Options": {"com.docker.network.bridge.enable_icc": "false"}})",
                       "expected"));
  EXPECT_FALSE(parse_json(network_body({"own", {}, false}), "body").contains("Options"));
  EXPECT_EQ(parse_json(network_body({"own", {}, false, "rm-1"}), "body")["Options"],
            parse_json(R"({"com.docker.network.bridge.name": "rm-1"})", "expected"));
}

TEST(DockerBody, FiltersAreJson) {
  EXPECT_EQ(label_filter({{"a", "1"}, {"b", "x=\""}}), R"({"label":["a=1","b=x=\""]})");
  EXPECT_EQ(label_filter({}), R"({"label":[]})");
  EXPECT_EQ(parse_json(container_event_filter(), "filter")["type"][0], "container");
}

TEST(DockerBody, QueriesAreEncoded) {
  EXPECT_EQ(query_string({}), "");
  EXPECT_EQ(query_string({{"a", "1"}, {"b", "x y&z"}}), "?a=1&b=x%20y%26z");
}

TEST(DockerBody, UnixTimesKeepTheirMilliseconds) {
  EXPECT_EQ(unix_time(instant_from_millis(1'795'401'925'007)), "1795401925.007000000");
  EXPECT_EQ(unix_time(instant_from_millis(0)), "0.000000000");
}

TEST(DockerBody, SecondsAreRoundedUp) {
  EXPECT_EQ(whole_seconds(Millis{0}).count(), 0);
  EXPECT_EQ(whole_seconds(Millis{1}).count(), 1);
  EXPECT_EQ(whole_seconds(Millis{2'000}).count(), 2);
  EXPECT_EQ(whole_seconds(Millis{-5}).count(), 0);
}

}  // namespace
}  // namespace resmgr::engine
