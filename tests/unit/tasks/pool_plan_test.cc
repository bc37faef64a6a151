#include "agent/tasks/pool_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resmgr::tasks {
namespace {

using journal::SlotPhase;
using journal::SlotRow;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr std::int64_t kGiB = 1LL << 30;

PoolWish wish(const std::string& service, int wanted) {
  return {service, service + "-spec", "", wanted, kGiB, 1, true};
}

SlotRow slot(const std::string& id, const std::string& service,
             SlotPhase phase = SlotPhase::ready) {
  SlotRow row;
  row.slot_id = id;
  row.service_type = service;
  row.spec_hash = service + "-spec";
  row.phase = phase;
  row.memory_bytes = kGiB;
  row.cpus = 1;
  return row;
}

std::vector<std::string> filled(const PoolPlan& plan) {
  std::vector<std::string> services;
  for (const PoolWish* one : plan.fill) services.push_back(one->service);
  return services;
}

TEST(PoolPlan, MakesWhatIsMissingInTurns) {
  const std::vector<PoolWish> wishes = {wish("a", 3), wish("b", 1)};
  const auto plan = plan_pool(wishes, {{slot("1", "a", SlotPhase::making)}, {}, 0, {}}, {}, {});
  EXPECT_THAT(filled(plan), ElementsAre("a", "b", "a"));
  EXPECT_THAT(plan.drain, IsEmpty());
}

TEST(PoolPlan, LeavesAloneWhatIsClaimedOrGoing) {
  const std::vector<PoolWish> wishes = {wish("a", 1)};
  const auto plan = plan_pool(
      wishes,
      {{slot("1", "a", SlotPhase::claimed), slot("2", "a", SlotPhase::draining)}, {}, 1, {}}, {},
      {});
  EXPECT_THAT(filled(plan), ElementsAre("a"));
  EXPECT_THAT(plan.drain, IsEmpty());
}

TEST(PoolPlan, LetsGoTheLeastReadyThenTheYoungest) {
  const std::vector<PoolWish> wishes = {wish("a", 1)};
  const auto plan = plan_pool(
      wishes, {{slot("1", "a", SlotPhase::warming), slot("2", "a"), slot("3", "a")}, {}, 0, {}}, {},
      {});
  EXPECT_THAT(plan.drain, UnorderedElementsAre("1", "3"));
}

TEST(PoolPlan, LetsGoWhatIsOfAnotherDefinitionOrImage) {
  auto other = slot("1", "a");
  other.spec_hash = "older";
  auto old_image = slot("2", "a");
  old_image.image_id = "sha256:1";
  auto wanted = wish("a", 2);
  wanted.image_id = "sha256:2";
  const std::vector<PoolWish> wishes = {wanted};
  const auto plan = plan_pool(wishes, {{other, old_image, slot("3", "gone")}, {}, 0, {}}, {}, {});
  EXPECT_THAT(plan.drain, ElementsAre("1", "2", "3"));
  EXPECT_THAT(filled(plan), ElementsAre("a", "a"));
}

TEST(PoolPlan, KeepsWithinTheLimits) {
  const std::vector<PoolWish> wishes = {wish("a", 3), wish("b", 3)};
  Limits limits;
  limits.tasks_per_service = 2;
  auto plan = plan_pool(wishes, {{}, {{"a", 1}}, 1, {}}, limits, {});
  EXPECT_THAT(filled(plan), ElementsAre("a", "b", "b"));
  EXPECT_THAT(plan.short_of,
              ElementsAre(Pair("a", "tasks_per_service"), Pair("b", "tasks_per_service")));

  limits = {};
  limits.tasks_per_host = 3;
  plan = plan_pool(wishes, {{slot("1", "a")}, {}, 1, {}}, limits, {});
  EXPECT_THAT(filled(plan), ElementsAre("a"));

  limits = {};
  limits.memory_overcommit = 1;
  plan = plan_pool(wishes, {{slot("1", "a")}, {}, 1, {2 * kGiB, 1}}, limits, {4 * kGiB, 2});
  EXPECT_THAT(filled(plan), ElementsAre("a"));
  EXPECT_THAT(plan.short_of,
              ElementsAre(Pair("a", "memory_overcommit"), Pair("b", "memory_overcommit")));

  limits = {};
  limits.cpu_overcommit = 1.5;
  plan = plan_pool(wishes, {{}, {}, 0, {}}, limits, {4 * kGiB, 2});
  EXPECT_THAT(filled(plan), ElementsAre("a", "b", "a"));
  EXPECT_THAT(plan.short_of, ElementsAre(Pair("a", "cpu_overcommit"), Pair("b", "cpu_overcommit")));
}

TEST(PoolPlan, TheYoungestGiveWay) {
  Limits limits;
  limits.memory_overcommit = 1;
  const std::vector<SlotRow> slots = {slot("1", "a"), slot("2", "a", SlotPhase::claimed),
                                      slot("3", "a"), slot("4", "a", SlotPhase::draining)};
  EXPECT_THAT(giving_way(slots, {kGiB, 1}, limits, {3 * kGiB, 4}), IsEmpty());
  EXPECT_THAT(giving_way(slots, {2 * kGiB, 1}, limits, {3 * kGiB, 4}), ElementsAre("3"));
  EXPECT_THAT(giving_way(slots, {3 * kGiB, 1}, limits, {3 * kGiB, 4}), ElementsAre("3", "1"));
}

}  // namespace
}  // namespace resmgr::tasks
