#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/catalog/reading.h"

namespace resmgr::catalog {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

TEST(ServiceReader, WhatIsLeftOutHasItsDefault) {
  const Service service = taken();
  EXPECT_EQ(service.title, "svc");
  EXPECT_EQ(service.image, "img:1");
  EXPECT_EQ(service.container_port, 80);
  EXPECT_EQ(service.url_path, "/");
  EXPECT_TRUE(service.command.empty());
  EXPECT_EQ(service.probe.kind, ProbeKind::tcp);
  EXPECT_EQ(service.probe.interval, Millis{200});
  EXPECT_EQ(service.start_timeout, Millis{60'000});
  EXPECT_EQ(service.stop_timeout, Millis{10'000});
  EXPECT_EQ(service.pull, PullPolicy::missing);
  EXPECT_EQ(service.memory_bytes, 1LL << 30);
  EXPECT_FALSE(service.read_only);
  EXPECT_TRUE(service.capabilities.empty());
  EXPECT_EQ(service.network, NetworkMode::isolated);
  EXPECT_EQ(service.idle.timeout, Millis{0});
  EXPECT_EQ(service.lifetime_max, Millis{0});
  EXPECT_EQ(service.file, "svc.toml");
}

TEST(ServiceReader, EveryKeyIsRead) {
  const Service service = taken(R"(
title = "A service"
description = "What it is for"
icon = "https://example.org/icon.svg"
command = ["serve", "--user={userId}", "--task={taskId}"]
url_path = "/lab?token={token}&h={host}:{port}&t={taskId}&u={userId}"
env = { TOKEN = "{token}", WHO = "{userId} {taskId}", PLAIN = '{"a": 1}' }
probe = { http = "/api", interval = "20ms" }
start_timeout = "24h"
stop_timeout = "1ms"
pull = "always"
[resources]
cpus = 2
memory = "6MiB"
pids = 1
shm = "64KiB"
[security]
read_only = true
capabilities = ["net_raw", "CAP_CHOWN", "CHOWN"]
user = "1000:users"
network = "isolated"
frame_ancestors = ["'self'", "https://portal.example"]
[[volumes]]
name = "data-{userId}"
path = "/data"
[[volumes]]
name = "{taskId}"
path = "/scratch"
keep = false
[idle]
timeout = "1h30m"
warn = "1m"
probe = "jupyter"
network_bytes = 0
cpu_percent = 0.5
[lifetime]
max = "2d"
)");
  EXPECT_EQ(service.title, "A service");
  EXPECT_EQ(service.description, "What it is for");
  EXPECT_EQ(service.icon, "https://example.org/icon.svg");
  EXPECT_THAT(service.command, ElementsAre("serve", "--user={userId}", "--task={taskId}"));
  EXPECT_THAT(service.env, ElementsAre(Pair("PLAIN", R"({"a": 1})"), Pair("TOKEN", "{token}"),
                                       Pair("WHO", "{userId} {taskId}")));
  EXPECT_EQ(service.probe.kind, ProbeKind::http);
  EXPECT_EQ(service.probe.path, "/api");
  EXPECT_EQ(service.probe.interval, Millis{20});
  EXPECT_EQ(service.start_timeout, Millis{86'400'000});
  EXPECT_EQ(service.stop_timeout, Millis{1});
  EXPECT_EQ(service.pull, PullPolicy::always);
  EXPECT_EQ(service.cpus, 2.0);
  EXPECT_EQ(service.memory_bytes, 6 << 20);
  EXPECT_EQ(service.pids, 1);
  EXPECT_EQ(service.shm_bytes, 64 << 10);
  EXPECT_TRUE(service.read_only);
  EXPECT_THAT(service.capabilities, ElementsAre("CHOWN", "NET_RAW"));
  EXPECT_EQ(service.user, "1000:users");
  EXPECT_EQ(service.frame_ancestors.size(), 2U);
  ASSERT_EQ(service.volumes.size(), 2U);
  EXPECT_EQ(service.volumes[0].name, "data-{userId}");
  EXPECT_TRUE(service.volumes[0].keep);
  EXPECT_EQ(service.volumes[1].path, "/scratch");
  EXPECT_FALSE(service.volumes[1].keep);
  EXPECT_EQ(service.idle.timeout, Millis{5'400'000});
  EXPECT_EQ(service.idle.warn, Millis{60'000});
  EXPECT_EQ(service.idle.probe, IdleProbe::jupyter);
  EXPECT_EQ(service.idle.network_bytes, 0);
  EXPECT_EQ(service.idle.cpu_percent, 0.5);
  EXPECT_EQ(service.lifetime_max, Millis{172'800'000});
}

TEST(ServiceReader, TheGatewaysTableIsRead) {
  const Service plain = taken();
  EXPECT_EQ(plain.gateway.path, "");
  EXPECT_EQ(plain.gateway.authorization, "");
  EXPECT_FALSE(plain.knows_base_path());
  const Service service = taken("[gateway]\npath = \"/lab\"\nauthorization = \"token {token}\"");
  EXPECT_EQ(service.gateway.path, "/lab");
  EXPECT_EQ(service.gateway.authorization, "token {token}");
  EXPECT_TRUE(taken("command = [\"run\", \"--base={basePath}\"]").knows_base_path());
  EXPECT_TRUE(taken("env = { ARGS = \"--base={basePath}\" }").knows_base_path());
  EXPECT_THAT(fault_of("[gateway]\npath = \"/?t={token}\""), testing::HasSubstr("authorization"));
  EXPECT_THAT(fault_of("[gateway]\npaht = \"/\""), testing::HasSubstr("path"));
}

TEST(ServiceReader, WhatIsKeptWarmDependsOnNobody) {
  EXPECT_EQ(taken().warm, 0);
  const Service service = taken(R"(
warm = 3
command = ["serve", "--base={basePath}"]
env = { TOKEN = "{token}" }
url_path = "/?t={token}&u={userId}"
)");
  EXPECT_EQ(service.warm, 3);
  // How many there are says nothing about what they are.
  EXPECT_EQ(service.spec_hash, taken(R"(
command = ["serve", "--base={basePath}"]
env = { TOKEN = "{token}" }
)")
                                   .spec_hash);
  EXPECT_THAT(
      faults_of(kLeast + R"(warm = 1
command = ["serve", "--user={userId}"]
env = { A = "a", B = "{taskId}" }
[[volumes]]
name = "shared"
path = "/shared"
[[volumes]]
name = "of-{userId}"
path = "/own"
)"),
      ElementsAre(AllOf(StartsWith("svc.toml:5:21: 'command'"), HasSubstr("'warm'")),
                  StartsWith("svc.toml:6:22: 'B' in 'env'"), StartsWith("svc.toml:11:8: 'name'")));
  EXPECT_THAT(fault_of("warm = 1\npull = \"always\""), StartsWith("svc.toml:5:8: 'warm'"));
  for (const char* more : {"warm = -1", "warm = 1001", "warm = true"}) {
    EXPECT_THAT(fault_of(more), StartsWith("svc.toml:4:")) << more;
  }
}

TEST(ServiceReader, TheWarningIsHalfOfAShortTimeout) {
  EXPECT_EQ(taken("[idle]\ntimeout = \"4m\"").idle.warn, Millis{120'000});
  EXPECT_EQ(taken("[idle]\ntimeout = \"4h\"").idle.warn, Millis{300'000});
  // It is that of the lifetime, too.
  EXPECT_EQ(taken("[idle]\nnetwork_bytes = 5").idle.warn, Millis{300'000});
}

TEST(ServiceReader, WhatIsRequiredIsNamed) {
  EXPECT_THAT(faults_of(""),
              ElementsAre(HasSubstr("'name' is missing"), HasSubstr("'image' is missing"),
                          HasSubstr("'container_port' is missing")));
}

TEST(ServiceReader, EveryFaultIsReportedWithItsPlace) {
  EXPECT_THAT(
      faults_of("name = \"Svc\"\n"
                "image = 5\n"
                "container_port = 70000\n"
                "comand = []\n"
                "  [resources]\n"
                "  memory = \"1MiB\"\n"),
      ElementsAre(StartsWith("svc.toml:1:8: 'name' is 'Svc', and must be 1 to 63"),
                  StartsWith("svc.toml:2:9: 'image' is 5, and must be a text"),
                  StartsWith("svc.toml:3:18: 'container_port' is 70000, and must be a port"),
                  StartsWith("svc.toml:4:1: unknown key 'comand': did you mean 'command'?"),
                  StartsWith("svc.toml:6:12: 'memory' is '1MiB', and must be a size")));
}

TEST(ServiceReader, SyntaxFaultsHaveTheirPlaceToo) {
  EXPECT_THAT(faults_of("name = \"svc\"\nimage = \n"), ElementsAre(StartsWith("svc.toml:2:")));
  EXPECT_THAT(faults_of("name = \"svc\"\nname = \"svc\"\n"),
              ElementsAre(StartsWith("svc.toml:2:")));
  EXPECT_THAT(faults_of("name = \"\xff\"\n"), ElementsAre(StartsWith("svc.toml:1:")));
}

TEST(ServiceReader, UnknownKeysAndTablesNameTheNearest) {
  EXPECT_THAT(fault_of("[resource]\ncpus = 1\n"),
              AllOf(StartsWith("svc.toml:4:"), HasSubstr("did you mean 'resources'?")));
  EXPECT_THAT(fault_of("[resources]\ncpu = 1\n"),
              AllOf(StartsWith("svc.toml:5:1: unknown key 'cpu' in [resources]"),
                    HasSubstr("'cpus'?"), HasSubstr("known are cpus, memory, pids, shm")));
  EXPECT_THAT(fault_of("hot = 3\n"), HasSubstr("unknown key 'hot'"));
  EXPECT_THAT(fault_of("zzzzzzzzzz = 3\n"), HasSubstr("unknown key 'zzzzzzzzzz'; known are name"));
  EXPECT_THAT(fault_of("[security]\nprivileged = true\n"), HasSubstr("in [security]"));
  EXPECT_THAT(fault_of("probe = { htpp = \"/\" }\n"), HasSubstr("did you mean 'http'?"));
  EXPECT_THAT(fault_of("[[volumes]]\nname=\"v-{userId}\"\npath=\"/v\"\nreadonly=true\n"),
              HasSubstr("in [[volumes]]"));
  EXPECT_THAT(fault_of("[idle]\ntimeot = \"1h\"\n"), HasSubstr("'timeout'?"));
  EXPECT_THAT(fault_of("[lifetime]\nmaximum = \"1h\"\n"), HasSubstr("in [lifetime]"));
}

TEST(ServiceReader, WrongTypesAreFaults) {
  for (const char* more : {"title = 1",
                           "command = \"serve\"",
                           "command = [1]",
                           "command = [[\"a\"]]",
                           "env = []",
                           "env = { A = 1 }",
                           "env = \"A=1\"",
                           "probe = true",
                           "probe = 1",
                           "probe = { tcp = 1 }",
                           "probe = { http = true }",
                           "start_timeout = 60",
                           "start_timeout = \"60\"",
                           "pull = true",
                           "resources = 1",
                           "resources = { cpus = \"1\" }",
                           "resources = { memory = 1073741824 }",
                           "resources = { pids = 1.5 }",
                           "resources = { cpus = true }",
                           "security = []",
                           "security = { read_only = \"yes\" }",
                           "security = { capabilities = \"CHOWN\" }",
                           "volumes = 1",
                           "volumes = [1]",
                           "volumes = { name = \"v1\", path = \"/v\" }",
                           "idle = \"1h\"",
                           "lifetime = \"1h\"",
                           "lifetime = { max = 24 }",
                           "title = 2026-11-22",
                           "title = nan"}) {
    EXPECT_THAT(fault_of(more), StartsWith("svc.toml:4:")) << more;
  }
}

TEST(ServiceReader, RangesHold) {
  for (const char* more : {"probe = { tcp = true, interval = \"19ms\" }",
                           "probe = { tcp = true, interval = \"61s\" }",
                           "start_timeout = \"0s\"",
                           "start_timeout = \"25h\"",
                           "stop_timeout = \"0ms\"",
                           "stop_timeout = \"-1s\"",
                           "resources = { cpus = 0.009 }",
                           "resources = { cpus = 1025 }",
                           "resources = { cpus = nan }",
                           "resources = { cpus = inf }",
                           "resources = { cpus = -1 }",
                           "resources = { memory = \"6143KiB\" }",
                           "resources = { memory = \"65TiB\" }",
                           "resources = { memory = \"lots\" }",
                           "resources = { pids = 0 }",
                           "resources = { pids = 4194305 }",
                           "resources = { shm = \"0\" }",
                           "idle = { timeout = \"31d\" }",
                           "idle = { network_bytes = -1 }",
                           "idle = { cpu_percent = -0.1 }",
                           "lifetime = { max = \"366d\" }"}) {
    EXPECT_THAT(fault_of(more), AllOf(StartsWith("svc.toml:4:"), HasSubstr("and must be"))) << more;
  }
  for (const char* port : {"0", "65536", "-1", "80.5", "\"80\""}) {
    EXPECT_EQ(faults_of("name=\"svc\"\nimage=\"i\"\ncontainer_port=" + std::string(port)).size(),
              1U)
        << port;
  }
  EXPECT_EQ(taken("resources = { cpus = 0.01 }").cpus, 0.01);
  EXPECT_EQ(taken("resources = { cpus = 1024 }").cpus, 1024.0);
}

TEST(ServiceReader, ChoicesNameWhatThereIs) {
  EXPECT_THAT(fault_of("pull = \"Always\""), HasSubstr("one of missing, always, never"));
  EXPECT_THAT(fault_of("[security]\nnetwork = \"host\""), HasSubstr("one of isolated, none"));
  EXPECT_THAT(fault_of("[idle]\nprobe = \"http\""), HasSubstr("one of none, jupyter"));
  EXPECT_THAT(fault_of("probe = \"tcp\""), HasSubstr("one of none"));
}

TEST(ServiceReader, ProbesAreOneKindOrNone) {
  EXPECT_EQ(taken("probe = \"none\"").probe.kind, ProbeKind::none);
  EXPECT_EQ(taken("probe = { tcp = true }").probe.kind, ProbeKind::tcp);
  EXPECT_EQ(taken("probe = { interval = \"1s\" }").probe.kind, ProbeKind::tcp);
  EXPECT_EQ(taken("[probe]\nhttp = \"/\"").probe.kind, ProbeKind::http);
  EXPECT_THAT(fault_of("probe = { tcp = true, http = \"/\" }"), HasSubstr("not both"));
  EXPECT_THAT(fault_of("probe = { tcp = false }"), HasSubstr("probe = \"none\""));
  EXPECT_THAT(fault_of("probe = { http = \"api\" }"), HasSubstr("must begin with '/'"));
  EXPECT_THAT(fault_of("probe = { http = \"/{taskId}\" }"), HasSubstr("{taskId}"));
}

TEST(ServiceReader, WithoutANetworkNothingIsProbed) {
  EXPECT_EQ(taken("[security]\nnetwork = \"none\"").probe.kind, ProbeKind::none);
  EXPECT_EQ(taken("probe = \"none\"\n[security]\nnetwork = \"none\"").network, NetworkMode::none);
  EXPECT_THAT(fault_of("probe = { tcp = true }\n[security]\nnetwork = \"none\""),
              AllOf(StartsWith("svc.toml:4:"), HasSubstr("needs a network")));
}

TEST(ServiceReader, TheWarningComesBeforeTheEnd) {
  EXPECT_EQ(taken("[idle]\ntimeout = \"1h\"").idle.warn, Millis{300'000});
  EXPECT_EQ(taken("[idle]\ntimeout = \"2m\"").idle.warn, Millis{60'000});
  EXPECT_THAT(fault_of("[idle]\ntimeout = \"5m\"\nwarn = \"5m\""),
              HasSubstr("must be shorter than 'timeout'"));
}

TEST(ServiceReader, VolumesHaveNamesAndPathsOfTheirOwn) {
  EXPECT_EQ(faults_of(kLeast + "[[volumes]]").size(), 2U);
  EXPECT_THAT(fault_of("[[volumes]]\nname=\"v-{userId}\"\npath=\"/v\"\n"
                       "[[volumes]]\nname=\"w-{userId}\"\npath=\"/v\"\n"),
              AllOf(StartsWith("svc.toml:9:"), HasSubstr("two volumes have the path '/v'")));
}

TEST(ServiceReader, ValuesOfVariablesAreNotRepeated) {
  const std::string fault = fault_of("env = { API = \"s3cret {nonsense}\" }");
  EXPECT_THAT(fault, AllOf(HasSubstr("'env.API' must not hold {nonsense}"),
                           HasSubstr("{token}, {taskId}, {userId}")));
  EXPECT_THAT(fault, testing::Not(HasSubstr("s3cret")));
  EXPECT_THAT(fault_of("env = { \"MY-VAR\" = \"x\" }"), HasSubstr("'MY-VAR' in 'env' must be"));
}

TEST(ServiceReader, DoubtsLeaveTheServiceIn) {
  const auto doubt = [](const std::string& more) {
    const auto catalog = Catalog::from_text(kLeast + more, "svc.toml");
    EXPECT_NE(catalog->find("svc"), nullptr);
    return catalog->faults().size() == 1 ? catalog->faults()[0].where + catalog->faults()[0].what
                                         : "not one doubt";
  };
  EXPECT_THAT(doubt("[security]\ncapabilities = [\"SYS_ADMIN\"]"),
              AllOf(StartsWith("svc.toml:5:16"), HasSubstr("SYS_ADMIN")));
  EXPECT_THAT(doubt("[[volumes]]\nname = \"shared\"\npath = \"/s\""),
              AllOf(StartsWith("svc.toml:5:8"), HasSubstr("shared by all users")));
}

}  // namespace
}  // namespace resmgr::catalog
