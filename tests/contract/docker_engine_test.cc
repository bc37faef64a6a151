// What only a real engine can show.
#include <gmock/gmock.h>

#include "agent/engine/labels.h"
#include "common/crypto.h"
#include "common/http.h"
#include "tests/contract/docker_engine_harness.h"
#include "tests/contract/engine_contract.h"
#include "tests/support/docker_cli.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace resmgr::engine {
namespace {

using support::docker;
using support::eventually;
using testing::HasSubstr;

class DockerEngineTest : public testing::Test {
 protected:
  Engine& engine() { return harness_.engine(); }

  ContainerSpec spec(const std::string& network) {
    ContainerSpec spec;
    spec.name = "resmgr-contract-" + random_hex(6);
    spec.image = harness_.image();
    spec.labels = ours(harness_.agent_id());
    spec.network = network;
    spec.container_port = 8080;
    return spec;
  }
  ContainerSpec script(const std::string& network, const std::string& text) {
    ContainerSpec spec = this->spec(network);
    spec.command = {"/bin/sh", "-c", text};
    return spec;
  }
  std::string started(const ContainerSpec& spec) {
    std::string id = engine().create(spec);
    engine().start(id);
    return id;
  }
  // What it printed until it ended.
  std::string output_of(const ContainerSpec& spec) {
    std::string text;
    engine().logs(started(spec), {.follow = true},
                  [&](std::string_view bytes) {
                    text += bytes;
                    return true;
                  },
                  {});
    return text;
  }
  std::string page_of(const std::string& id) {
    const auto state = engine().inspect(id);
    const auto client = make_http_client({"http://127.0.0.1:" + std::to_string(state->host_port)});
    std::string page;
    const bool answered = eventually([&] {
      try {
        const HttpResponse response = client->send({});
        page = response.body;
        return response.status == 200;
      } catch (const Error&) {
        return false;
      }
    });
    return answered ? page : "no answer";
  }

  DockerEngineHarness harness_;
};

TEST_F(DockerEngineTest, PublishedPageIsServed) {
  ContainerSpec wanted = spec("bridge");
  wanted.read_only = true;
  wanted.pids = 16;
  wanted.memory_bytes = 32 << 20;
  EXPECT_THAT(page_of(started(wanted)), HasSubstr("<h1>Hello!</h1>"));
}

TEST_F(DockerEngineTest, ContainerIsHardened) {
  ContainerSpec wanted =
      script("none",
             "id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status;"
             "touch /there 2>&1; touch /tmp/there && echo scratch; cat /proc/1/comm");
  wanted.read_only = true;
  const std::string text = output_of(wanted);
  EXPECT_THAT(text, HasSubstr("65534\n"));
  EXPECT_THAT(text, HasSubstr("CapEff:\t0000000000000000"));
  EXPECT_THAT(text, HasSubstr("CapBnd:\t0000000000000000"));
  EXPECT_THAT(text, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(text, HasSubstr("Seccomp:\t2"));
  EXPECT_THAT(text, HasSubstr("Read-only file system"));
  EXPECT_THAT(text, HasSubstr("scratch\n"));
  EXPECT_THAT(text, HasSubstr("init\n"));
}

TEST_F(DockerEngineTest, CapabilitiesUserAndEnvironmentAreGiven) {
  ContainerSpec wanted =
      script("none", "id -u; grep CapBnd: /proc/self/status; printf '%s\\n' \"$SECRET\"");
  wanted.user = "1234";
  wanted.capabilities = {"NET_BIND_SERVICE"};
  wanted.env = {{"SECRET", "with 'quotes' and = signs"}};
  EXPECT_EQ(output_of(wanted), "1234\nCapBnd:\t0000000000000400\nwith 'quotes' and = signs\n");
}

TEST_F(DockerEngineTest, LimitsArriveAsTheyWereAsked) {
  ContainerSpec wanted = spec("none");
  wanted.cpus = 0.75;
  wanted.memory_bytes = 48 << 20;
  wanted.pids = 33;
  wanted.shm_bytes = 8 << 20;
  wanted.log_max_bytes = 123'456;
  wanted.stop_timeout = Millis{2'500};
  const std::string id = engine().create(wanted);
  EXPECT_EQ(docker({"inspect", "--format",
                    "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} "
                    "{{.HostConfig.PidsLimit}} {{.HostConfig.ShmSize}} "
                    "{{.HostConfig.LogConfig.Type}} {{json .HostConfig.LogConfig.Config}} "
                    "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.Init}} "
                    "{{.Config.StopTimeout}}",
                    id}),
            "750000000 50331648 50331648 33 8388608 json-file "
            R"({"max-file":"1","max-size":"123456"} no true 3)");
}

TEST_F(DockerEngineTest, NeighboursOnAnIsolatedNetworkCantReachEachOther) {
  for (const bool isolated : {true, false}) {
    const NetworkSpec network{"resmgr-contract-" + random_hex(6), ours(harness_.agent_id()),
                              isolated};
    engine().create_network(network);
    const std::string server = started(spec(network.name));
    ASSERT_THAT(page_of(server), HasSubstr("Hello!"));
    const std::string address = engine().inspect(server)->address;
    const std::string answer =
        output_of(script(network.name, "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 " + address +
                                           " 8080 || echo unreachable"));
    if (isolated) {
      EXPECT_EQ(answer.find("Hello!"), std::string::npos);
      EXPECT_THAT(answer, HasSubstr("unreachable"));
    } else {
      EXPECT_THAT(answer, HasSubstr("Hello!"));
    }
  }
}

TEST_F(DockerEngineTest, KernelAndEngineAgreeOnStatistics) {
  const std::string id = started(spec("bridge"));
  ASSERT_THAT(page_of(id), HasSubstr("Hello!"));
  const auto own = engine().stats(id);
  // With no kernel files in sight only the API is left.
  DockerEngine blind(
      DockerEngineHarness::options(),
      [](Millis read_timeout) {
        HttpEndpoint endpoint = docker_endpoint(DockerEngineHarness::options().url);
        endpoint.read_timeout = read_timeout;
        return make_http_client(endpoint);
      },
      CgroupReader("/no/such/folder"));
  const auto told = blind.stats(id);
  ASSERT_TRUE(own);
  ASSERT_TRUE(told);
  EXPECT_GT(own->network_rx_bytes, 0);
  EXPECT_GT(own->network_tx_bytes, 0);
  EXPECT_GE(told->network_tx_bytes, own->network_tx_bytes);
  EXPECT_GE(told->cpu_time, own->cpu_time);
  EXPECT_GT(told->memory_bytes, 0);
  EXPECT_GE(told->peak_memory_bytes, told->memory_bytes);
  EXPECT_LT(told->memory_bytes, 64 << 20);
  EXPECT_LT(own->memory_bytes, 64 << 20);

  engine().stop(id, Millis{1'000});
  EXPECT_FALSE(blind.stats(id));
}

TEST_F(DockerEngineTest, EveryEventAfterTheSubscriptionArrives) {
  // Acted upon within the callback, the act follows the subscription as closely as can be.
  for (int round = 0; round < 20; ++round) {
    std::stop_source enough;
    std::string id;
    engine().events([&] { id = engine().create(spec("none")); },
                    [&](const EngineEvent& event) {
                      if (event.action == "create" && event.container_id == id) {
                        enough.request_stop();
                      }
                    },
                    enough.get_token());
    ASSERT_TRUE(enough.stop_requested()) << "round " << round;
  }
}

TEST_F(DockerEngineTest, PullSignsInWithTheRegistryAuthFile) {
  const std::string image = harness_.pullable_image();
  harness_.registry().require("someone", "pass:word");
  EXPECT_NE(error_of([&] { engine().pull(image, nullptr, {}); }).kind(), ErrorKind::internal);
  EXPECT_FALSE(engine().image_id(image));

  const support::TempDir dir;
  DockerOptions options = DockerEngineHarness::options();
  options.registry_auth_file = dir.write(
      "config.json", R"({"auths": {")" + harness_.registry().address() + R"(": {"auth": ")" +
                         base64_encode("someone:pass:word") + R"("}}})");
  DockerEngine(options).pull(image, nullptr, {});
  EXPECT_TRUE(engine().image_id(image));
}

TEST_F(DockerEngineTest, RegistryThatIsAwayIsToldInTheEnginesWords) {
  const Error error = error_of([&] { engine().pull("127.0.0.1:1/away:1", nullptr, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::rejected);
  EXPECT_THAT(error.message(), HasSubstr("connection refused"));
}

TEST_F(DockerEngineTest, ProgramThatIsNotThereIsRejectedInTheEnginesWords) {
  ContainerSpec wanted = spec("none");
  wanted.command = {"/no/such/program"};
  const std::string id = engine().create(wanted);
  try {
    engine().start(id);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::rejected);
    EXPECT_THAT(error.message(), HasSubstr("/no/such/program"));
  }
  // With an init process it is the program itself that fails to start.
  EXPECT_TRUE(eventually([&] { return !engine().inspect(id)->alive(); }));
  EXPECT_EQ(engine().inspect(id)->exit_code, 127);
}

}  // namespace
}  // namespace resmgr::engine
