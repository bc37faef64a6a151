// Containers: create, start, inspect, stop, remove, list.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/contract/engine_contract.h"
#include "tests/support/eventually.h"

namespace resmgr::engine {
namespace {

using support::eventually;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_P(EngineContract, CreatedContainerHasWhatTheSpecSays) {
  ContainerSpec wanted = spec();
  wanted.labels["io.resmgr.user-id"] = "someone";
  const std::string id = engine().create(wanted);
  const ContainerState state = state_of(id);
  EXPECT_EQ(state.id, id);
  EXPECT_EQ(state.name, wanted.name);
  EXPECT_EQ(state.image, wanted.image);
  EXPECT_EQ(state.image_id, engine().image_id(wanted.image));
  for (const auto& [key, value] : wanted.labels) {
    ASSERT_TRUE(state.labels.contains(key)) << key;
    EXPECT_EQ(state.labels.at(key), value);
  }
  EXPECT_EQ(state.status, ContainerStatus::created);
  EXPECT_FALSE(state.alive());
  EXPECT_FALSE(state.started_at);
  EXPECT_FALSE(state.finished_at);
  EXPECT_EQ(state.host_port, 0);
  EXPECT_THAT(state.address, IsEmpty());
}

TEST_P(EngineContract, ContainerIsFoundByNameToo) {
  const ContainerSpec wanted = spec();
  const std::string id = engine().create(wanted);
  EXPECT_EQ(state_of(wanted.name).id, id);
}

TEST_P(EngineContract, RenamedContainerHasTheOtherName) {
  const ContainerSpec wanted = spec();
  const std::string id = engine().create(wanted);
  engine().start(id);
  // As long as the agent's longest.
  const std::string name = wanted.name + "." + std::string(36, 'a') + "." + std::string(36, 'b');
  engine().rename(id, name);
  EXPECT_EQ(state_of(id).name, name);
  EXPECT_EQ(state_of(name).id, id);
  EXPECT_FALSE(engine().inspect(wanted.name));
  EXPECT_TRUE(state_of(id).alive());
  const auto listed = engine().list(wanted.labels);
  EXPECT_TRUE(std::any_of(listed.begin(), listed.end(),
                          [&](const auto& one) { return one.id == id && one.name == name; }));
  EXPECT_EQ(error_of([&] { engine().rename(id, name); }).kind(), ErrorKind::conflict);
  const ContainerSpec other = spec();
  engine().create(other);
  EXPECT_EQ(error_of([&] { engine().rename(id, other.name); }).kind(), ErrorKind::conflict);
  EXPECT_EQ(error_of([&] { engine().rename(unique_name(), unique_name()); }).kind(),
            ErrorKind::not_found);
}

TEST_P(EngineContract, InspectOfAnUnknownContainerIsEmpty) {
  EXPECT_FALSE(engine().inspect(unique_name()));
}

TEST_P(EngineContract, CreateNeedsTheImage) {
  ContainerSpec wanted = spec();
  wanted.image = harness().missing_image();
  const Error error = error_of([&] { engine().create(wanted); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.problem, IsEmpty());
  EXPECT_THAT(error.message(), HasSubstr("cannot create container '" + wanted.name + "': "));
  EXPECT_THAT(error.message(), HasSubstr(wanted.image));
}

TEST_P(EngineContract, NameInUseIsAConflict) {
  const ContainerSpec wanted = spec();
  engine().create(wanted);
  EXPECT_EQ(error_of([&] { engine().create(wanted); }).kind(), ErrorKind::conflict);
}

TEST_P(EngineContract, NameThatIsNoneIsRejected) {
  ContainerSpec wanted = spec();
  for (const char* name : {"a/b", "x", "-begins-with-a-dash"}) {
    wanted.name = name;
    EXPECT_EQ(error_of([&] { engine().create(wanted); }).kind(), ErrorKind::rejected) << name;
  }
}

TEST_P(EngineContract, StartedContainerRunsAndIsPublished) {
  const std::string id = started(publishing_spec());
  const ContainerState state = state_of(id);
  EXPECT_EQ(state.status, ContainerStatus::running);
  EXPECT_TRUE(state.alive());
  EXPECT_TRUE(state.started_at);
  EXPECT_FALSE(state.finished_at);
  EXPECT_GT(state.host_port, 0);
  EXPECT_THAT(state.address, Not(IsEmpty()));
  EXPECT_THAT(state.error, IsEmpty());
}

TEST_P(EngineContract, WithoutANetworkNothingIsPublished) {
  ContainerSpec wanted = spec();
  wanted.container_port = 8080;
  const ContainerState state = state_of(started(wanted));
  EXPECT_EQ(state.host_port, 0);
  EXPECT_THAT(state.address, IsEmpty());
}

TEST_P(EngineContract, StartingTwiceIsNoError) {
  const std::string id = started(spec());
  const ContainerState before = state_of(id);
  engine().start(id);
  EXPECT_EQ(state_of(id).started_at, before.started_at);
}

TEST_P(EngineContract, StartOfAGoneContainerIsNotFound) {
  const Error error = error_of([&] { engine().start(unique_name()); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.problem, IsEmpty());
}

TEST_P(EngineContract, MissingNetworkIsNamedAndMayBeMadeLater) {
  ContainerSpec wanted = spec();
  wanted.network = unique_name();
  std::string id;
  const Error error = error_of([&] {
    id = engine().create(wanted);
    engine().start(id);
  });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_EQ(error.problem, "network-missing");

  engine().create_network({wanted.network, ours(harness().agent_id()), true});
  if (id.empty()) id = engine().create(wanted);
  engine().start(id);
  EXPECT_TRUE(state_of(id).alive());
  engine().stop(id, Millis{1'000});
  engine().remove(id);
}

TEST_P(EngineContract, TakenPortIsAConflictAndTheContainerStartsLater) {
  ContainerSpec wanted = publishing_spec();
  wanted.port_range = harness().occupied_port_range();
  const std::string id = engine().create(wanted);
  const Error error = error_of([&] { engine().start(id); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_EQ(error.problem, "port-in-use");
  EXPECT_FALSE(state_of(id).alive());
  EXPECT_THAT(state_of(id).error, Not(IsEmpty()));

  harness().release_port();
  engine().start(id);
  EXPECT_TRUE(state_of(id).alive());
  EXPECT_EQ(wanted.port_range.find(std::to_string(state_of(id).host_port)), 0U);
  EXPECT_THAT(state_of(id).error, IsEmpty());
}

TEST_P(EngineContract, TwoContainersDontShareAPort) {
  ContainerSpec first = publishing_spec();
  first.port_range = harness().occupied_port_range();
  harness().release_port();
  ContainerSpec second = publishing_spec();
  second.port_range = first.port_range;
  // Where the port was just in use the engine may need a second try.
  const std::string id = engine().create(first);
  ASSERT_TRUE(eventually([&] {
    try {
      engine().start(id);
      return true;
    } catch (const Error& error) {
      return error.problem != "port-in-use";
    }
  }));
  const Error error = error_of([&] { started(second); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_EQ(error.problem, "port-in-use");
}

TEST_P(EngineContract, StoppedContainerKeepsItsRecord) {
  const std::string id = started(publishing_spec());
  const ContainerState running = state_of(id);
  engine().stop(id, Millis{10'000});
  const ContainerState state = state_of(id);
  EXPECT_EQ(state.status, ContainerStatus::exited);
  EXPECT_FALSE(state.alive());
  EXPECT_EQ(state.started_at, running.started_at);
  ASSERT_TRUE(state.finished_at);
  EXPECT_GE(*state.finished_at, *state.started_at);
  EXPECT_EQ(state.exit_code, 143);
  EXPECT_FALSE(state.oom_killed);
  EXPECT_EQ(state.host_port, 0);
  EXPECT_THAT(state.address, IsEmpty());
}

TEST_P(EngineContract, StoppingWhatDoesNotRunIsNoError) {
  const std::string id = started(spec());
  engine().stop(id, Millis{1'000});
  const ContainerState before = state_of(id);
  engine().stop(id, Millis{1'000});
  EXPECT_EQ(state_of(id).finished_at, before.finished_at);

  const std::string never_started = engine().create(spec());
  engine().stop(never_started, Millis{1'000});
  EXPECT_EQ(state_of(never_started).status, ContainerStatus::created);
}

TEST_P(EngineContract, StopOfAGoneContainerIsNotFound) {
  EXPECT_EQ(error_of([&] { engine().stop(unique_name(), Millis{1'000}); }).kind(),
            ErrorKind::not_found);
}

TEST_P(EngineContract, WhatDoesNotEndIsKilled) {
  const std::string id = started(spec({.output = "ready\n", .ignores_stop = true}));
  ASSERT_TRUE(eventually([&] { return output_of(id) == "ready\n"; }));
  engine().stop(id, Millis{200});
  EXPECT_EQ(state_of(id).status, ContainerStatus::exited);
  EXPECT_EQ(state_of(id).exit_code, 137);
}

TEST_P(EngineContract, PausedContainerIsAliveAndCanBeStopped) {
  const std::string id = started(spec());
  harness().pause(id);
  EXPECT_EQ(state_of(id).status, ContainerStatus::paused);
  EXPECT_TRUE(state_of(id).alive());
  engine().stop(id, Millis{1'000});
  EXPECT_EQ(state_of(id).status, ContainerStatus::exited);
}

TEST_P(EngineContract, ContainerThatEndsByItselfSaysHow) {
  const std::string id = started(spec({.exit_code = 3}));
  ASSERT_TRUE(eventually([&] { return has_ended(id); }));
  const ContainerState state = state_of(id);
  EXPECT_EQ(state.exit_code, 3);
  ASSERT_TRUE(state.finished_at);
  EXPECT_GE(*state.finished_at, *state.started_at);
}

TEST_P(EngineContract, RestartByHandLeavesOnlyTheEarlierFinishWhileItRuns) {
  const std::string id = started(publishing_spec());
  const ContainerState before = state_of(id);
  harness().restart(id);
  const ContainerState after = state_of(id);
  EXPECT_TRUE(after.alive());
  EXPECT_GE(*after.started_at, *before.started_at);
  EXPECT_FALSE(after.finished_at);
  ASSERT_TRUE(after.previous_finish);
  EXPECT_GE(*after.previous_finish, *before.started_at);
  EXPECT_LE(*after.previous_finish, *after.started_at);
  EXPECT_EQ(after.exit_code, 0);
  EXPECT_GT(after.host_port, 0);
}

TEST_P(EngineContract, RemoveTakesOnlyWhatHasEnded) {
  const std::string id = started(spec());
  EXPECT_EQ(error_of([&] { engine().remove(id); }).kind(), ErrorKind::conflict);
  EXPECT_TRUE(state_of(id).alive());
  engine().stop(id, Millis{1'000});
  engine().remove(id);
  EXPECT_FALSE(engine().inspect(id));
  engine().remove(id);
}

TEST_P(EngineContract, RemoveTakesWhatNeverStarted) {
  const std::string id = engine().create(spec());
  engine().remove(id);
  EXPECT_FALSE(engine().inspect(id));
}

TEST_P(EngineContract, ListShowsEveryStateAndOnlyThoseLabels) {
  const ContainerSpec created = spec();
  const std::string created_id = engine().create(created);
  const std::string running_id = started(spec());
  const std::string ended_id = started(spec({.exit_code = 0}));
  ASSERT_TRUE(eventually([&] { return has_ended(ended_id); }));
  ContainerSpec foreign = spec();
  foreign.labels[kLabelAgentId] = harness().agent_id() + "-not";
  const std::string foreign_id = engine().create(foreign);

  const auto list = engine().list(ours(harness().agent_id()));
  engine().remove(foreign_id);
  ASSERT_EQ(list.size(), 3U);
  const auto row = [&](const std::string& id) {
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const ContainerSummary& one) { return one.id == id; });
    return found == list.end() ? ContainerSummary{} : *found;
  };
  EXPECT_EQ(row(created_id).status, ContainerStatus::created);
  EXPECT_EQ(row(created_id).name, created.name);
  EXPECT_EQ(row(created_id).labels.at(kLabelAgentId), harness().agent_id());
  EXPECT_EQ(row(running_id).status, ContainerStatus::running);
  EXPECT_EQ(row(ended_id).status, ContainerStatus::exited);
}

TEST_P(EngineContract, ListOfUnknownLabelsIsEmpty) {
  EXPECT_THAT(engine().list(ours(new_uuid_v4())), IsEmpty());
}

}  // namespace
}  // namespace resmgr::engine
