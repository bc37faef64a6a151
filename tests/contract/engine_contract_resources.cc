// The engine itself, images, networks, volumes; and the engine away.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "common/guarded.h"
#include "tests/contract/engine_contract.h"
#include "tests/support/eventually.h"

namespace resmgr::engine {
namespace {

using support::eventually;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_P(EngineContract, EngineTellsWhatItIs) {
  const EngineInfo info = engine().info();
  EXPECT_EQ(info.name, "docker");
  EXPECT_THAT(info.version, Not(IsEmpty()));
  EXPECT_THAT(info.api_version, HasSubstr("1."));
  EXPECT_THAT(info.root_dir, Not(IsEmpty()));
  EXPECT_GT(info.cpus, 0);
  EXPECT_GT(info.memory_bytes, 0);
}

TEST_P(EngineContract, PullBringsAnImage) {
  const std::string image = harness().pullable_image();
  EXPECT_FALSE(engine().image_id(image));
  std::vector<PullProgress> seen;
  engine().pull(image, [&](const PullProgress& progress) { seen.push_back(progress); }, {});
  EXPECT_TRUE(engine().image_id(image));
  ASSERT_THAT(seen, Not(IsEmpty()));
  EXPECT_EQ(seen.back().done_bytes, seen.back().total_bytes);
  for (const PullProgress& progress : seen) {
    EXPECT_LE(progress.done_bytes, progress.total_bytes);
    EXPECT_THAT(progress.status, Not(IsEmpty()));
  }
  // It need not be told of progress, and what is there already is no error.
  engine().pull(image, nullptr, {});
}

TEST_P(EngineContract, PullOfWhatTheRegistryDoesNotHaveIsNotFound) {
  const std::string image = harness().missing_image();
  const Error error = error_of([&] { engine().pull(image, nullptr, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.message(), HasSubstr("cannot pull image '" + image + "': "));
  EXPECT_FALSE(engine().image_id(image));
}

TEST_P(EngineContract, PullEndsWhenAsked) {
  const std::string image = harness().pullable_image();
  harness().stall_registry();
  std::atomic<bool> ended = false;
  Guarded<std::optional<ErrorKind>> kind;
  std::jthread puller([&](const std::stop_token& stop) {
    try {
      engine().pull(image, nullptr, stop);
    } catch (const Error& error) {
      kind.with([&](auto& value) { value = error.kind(); });
    }
    ended = true;
  });
  EXPECT_TRUE(harness().wait_until_stalled());
  EXPECT_FALSE(ended);
  puller.request_stop();
  EXPECT_TRUE(eventually([&] { return ended.load(); }));
  EXPECT_EQ(kind.with([](const auto& value) { return value; }), ErrorKind::unavailable);
  harness().resume_registry();
  EXPECT_FALSE(engine().image_id(image));
}

TEST_P(EngineContract, NetworkIsMadeOnce) {
  NetworkSpec wanted{unique_name(), ours(harness().agent_id()), true};
  EXPECT_FALSE(engine().inspect_network(wanted.name));
  engine().create_network(wanted);
  const auto network = engine().inspect_network(wanted.name);
  ASSERT_TRUE(network);
  EXPECT_THAT(network->id, Not(IsEmpty()));
  EXPECT_EQ(network->labels, wanted.labels);
  ASSERT_EQ(network->subnets.size(), 1U);
  EXPECT_THAT(network->subnets.front(), HasSubstr("/"));

  engine().create_network(wanted);
  const auto again = engine().inspect_network(wanted.name);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, network->id);
}

TEST_P(EngineContract, BeginningOfANetworksIdIsNoName) {
  NetworkSpec wanted{unique_name(), ours(harness().agent_id()), false};
  engine().create_network(wanted);
  const auto network = engine().inspect_network(wanted.name);
  ASSERT_TRUE(network);
  EXPECT_FALSE(engine().inspect_network(network->id.substr(0, 12)));
}

TEST_P(EngineContract, VolumeInUseStays) {
  ContainerSpec wanted = spec();
  wanted.volumes.push_back({unique_name(), "/data"});
  const std::string id = engine().create(wanted);
  const std::string volume = wanted.volumes.front().name;
  EXPECT_EQ(error_of([&] { engine().remove_volume(volume); }).kind(), ErrorKind::conflict);
  engine().remove(id);
  engine().remove_volume(volume);
  engine().remove_volume(volume);
}

TEST_P(EngineContract, EngineThatIsAwayIsUnavailable) {
  const std::unique_ptr<Engine> away = harness().unreachable();
  const auto on_bytes = [](std::string_view) { return true; };
  const std::vector<std::pair<const char*, std::function<void()>>> calls{
      {"info", [&] { away->info(); }},
      {"create", [&] { away->create(spec()); }},
      {"start", [&] { away->start("x"); }},
      {"inspect", [&] { away->inspect("x"); }},
      {"stop", [&] { away->stop("x", Millis{1}); }},
      {"remove", [&] { away->remove("x"); }},
      {"list", [&] { away->list({}); }},
      {"events", [&] { away->events([] {}, [](const EngineEvent&) {}, {}); }},
      {"logs", [&] { away->logs("x", {}, on_bytes, {}); }},
      {"stats", [&] { away->stats("x"); }},
      {"image_id", [&] { away->image_id("x"); }},
      {"pull", [&] { away->pull("x", nullptr, {}); }},
      {"inspect_network", [&] { away->inspect_network("x"); }},
      {"create_network",
       [&] {
         away->create_network({"x", {}, true});
       }},
      {"remove_volume", [&] { away->remove_volume("x"); }},
  };
  for (const auto& [name, call] : calls) {
    const Error error = error_of(call);
    EXPECT_EQ(error.kind(), ErrorKind::unavailable) << name;
    EXPECT_THAT(error.message(), HasSubstr("cannot reach the container engine '")) << name;
    EXPECT_THAT(error.hint(), Not(IsEmpty())) << name;
  }
}

}  // namespace
}  // namespace resmgr::engine
