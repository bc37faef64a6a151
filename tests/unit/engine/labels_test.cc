#include "agent/engine/labels.h"

#include <gtest/gtest.h>

namespace resmgr::engine {
namespace {

constexpr char kAgent[] = "0f9d2c4e-6b1a-4c3d-8e5f-a0b1c2d3e4f5";
constexpr char kTask[] = "0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f506";

std::map<std::string, std::string> labels_of_a_task() {
  auto labels = ours(kAgent);
  labels[kLabelTaskId] = kTask;
  return labels;
}

TEST(Labels, NamesAreMadeOfIds) {
  EXPECT_EQ(container_name(kTask), std::string("resmgr-") + kTask);
  EXPECT_EQ(network_name(kAgent), "resmgr-0f9d2c4e6b1a");
  EXPECT_EQ(network_name("short"), "resmgr-short");
}

TEST(Labels, LabelsAndNameTogetherTellWhoseItIs) {
  EXPECT_EQ(task_of(labels_of_a_task(), container_name(kTask), kAgent), kTask);
}

TEST(Labels, InheritedLabelsAreNotEnough) {
  EXPECT_FALSE(task_of(labels_of_a_task(), "romantic_turing", kAgent));
  EXPECT_FALSE(task_of(labels_of_a_task(), container_name(kTask) + "-copy", kAgent));
}

TEST(Labels, NameIsNotEnough) {
  EXPECT_FALSE(task_of({}, container_name(kTask), kAgent));
  for (const char* label : {kLabelManagedBy, kLabelAgentId, kLabelTaskId}) {
    auto labels = labels_of_a_task();
    labels.erase(label);
    EXPECT_FALSE(task_of(labels, container_name(kTask), kAgent)) << label;
    labels[label] = "other";
    EXPECT_FALSE(task_of(labels, container_name(kTask), kAgent)) << label;
  }
}

TEST(Labels, AnotherAgentsContainerIsNotOurs) {
  EXPECT_FALSE(
      task_of(labels_of_a_task(), container_name(kTask), "11111111-2222-4333-8444-555555555555"));
}

TEST(Labels, AnAgentWithoutAnIdOwnsNothing) {
  auto labels = labels_of_a_task();
  labels[kLabelAgentId] = "";
  EXPECT_FALSE(task_of(labels, container_name(kTask), ""));
}

TEST(Labels, TaskIdMustBeAUuidInCanonicalForm) {
  for (const char* id : {"", "x", "0192F3A4-B5C6-7D8E-9FA0-B1C2D3E4F506"}) {
    auto labels = labels_of_a_task();
    labels[kLabelTaskId] = id;
    EXPECT_FALSE(task_of(labels, container_name(id), kAgent)) << id;
  }
}

constexpr char kSlot[] = "0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f507";
constexpr char kUser[] = "11111111-2222-4333-8444-555555555555";

std::map<std::string, std::string> labels_of_a_slot() {
  auto labels = ours(kAgent);
  labels[kLabelSlotId] = kSlot;
  return labels;
}

TEST(Labels, AWarmContainerIsNobodysUntilItsNameSaysWhose) {
  const auto waiting = belonging_of(labels_of_a_slot(), container_name(kSlot), kAgent);
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->slot_id, kSlot);
  EXPECT_EQ(waiting->task_id, "");
  EXPECT_FALSE(task_of(labels_of_a_slot(), container_name(kSlot), kAgent));

  const auto claimed = belonging_of(labels_of_a_slot(), claimed_name(kSlot, kTask, kUser), kAgent);
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->slot_id, kSlot);
  EXPECT_EQ(claimed->task_id, kTask);
  EXPECT_EQ(claimed->user_id, kUser);
}

TEST(Labels, AnyOtherNameOfAWarmContainerIsNotOurs) {
  const std::string own = container_name(kSlot);
  const std::string claimed = claimed_name(kSlot, kTask, kUser);
  for (const std::string& name :
       {own + "x", own + ".", own + "." + kTask, claimed + "x", claimed.substr(1),
        container_name(kTask), claimed_name(kTask, kTask, kUser),
        claimed_name(kSlot, std::string(36, 'x'), kUser),
        claimed_name(kSlot, kTask, std::string(36, 'x'))}) {
    EXPECT_FALSE(belonging_of(labels_of_a_slot(), name, kAgent)) << name;
  }
  // A task's own name with a slot's label beside it is the task's.
  auto both = labels_of_a_task();
  both[kLabelSlotId] = kSlot;
  EXPECT_EQ(belonging_of(both, container_name(kTask), kAgent)->slot_id, "");
  EXPECT_FALSE(belonging_of(both, container_name(kSlot), kAgent));
}

TEST(Labels, BridgeNameFitsAnInterface) {
  EXPECT_EQ(bridge_name("0f8fad5b-d9cb-469f-a165-70867728950e"), "rm-70867728950e");
  EXPECT_EQ(bridge_name("abc"), "rm-abc");
}

}  // namespace
}  // namespace resmgr::engine
