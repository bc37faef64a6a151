#include "agent/tasks/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "agent/engine/labels.h"

namespace resmgr::tasks {
namespace {

using Class = Difference::Class;
using Kind = Observation::Kind;
using engine::ContainerStatus;
using journal::Phase;
using testing::HasSubstr;

constexpr char kAgent[] = "aaaaaaaa-0000-4000-8000-000000000001";
constexpr char kTask[] = "019aaaaa-0000-7000-8000-000000000001";
constexpr char kOther[] = "019aaaaa-0000-7000-8000-000000000002";
const Instant kStart = instant_from_millis(1'000'000);

View view_of(std::optional<Phase> phase, Observation seen) {
  View view{kTask, std::nullopt, std::move(seen)};
  if (!phase) return view;
  view.row.emplace();
  view.row->task.task_id = kTask;
  view.row->phase = *phase;
  if (*phase != Phase::admitted) {
    view.row->task.start_time = kStart;
    view.row->task.container_id = "c";
  }
  return view;
}

Observation container(ContainerStatus status, std::optional<Instant> started_at = kStart) {
  Observation seen{Kind::present, {}};
  seen.container.id = "c";
  seen.container.status = status;
  seen.container.started_at = started_at;
  return seen;
}

const Observation kAbsent{Kind::absent, {}};
const Observation kUnknown{Kind::unknown, {}};
const Observation kRunning = container(ContainerStatus::running);
const Observation kExited = container(ContainerStatus::exited);
const Observation kCreated = container(ContainerStatus::created, std::nullopt);

struct DifferenceCase {
  std::optional<Phase> phase;
  Observation seen;
  Class kind;
  Act act;
};

TEST(DifferenceTest, EachHasItsClassAndTheActOfThePlan) {
  const DifferenceCase cases[] = {
      {std::nullopt, kRunning, Class::adopt, Act::adopt},
      {std::nullopt, kExited, Class::adopt, Act::adopt},
      {std::nullopt, kCreated, Class::remove, Act::discard},
      {Phase::admitted, kAbsent, Class::finish, Act::create},
      {Phase::admitted, kCreated, Class::finish, Act::start},
      {Phase::admitted, kRunning, Class::finish, Act::record_started},
      {Phase::admitted, {Kind::foreign, {}}, Class::finish, Act::refuse_name},
      {Phase::started, kRunning, Class::finish, Act::probe},
      {Phase::started, kExited, Class::close, Act::record_ended},
      {Phase::ready, kExited, Class::close, Act::record_ended},
      {Phase::ready, kAbsent, Class::close, Act::record_ended},
      {Phase::stopping, kRunning, Class::finish, Act::stop},
      {Phase::stopping, kExited, Class::finish, Act::record_ended},
      {Phase::ended, kRunning, Class::remove, Act::stop},
      {Phase::ended, kExited, Class::remove, Act::clear},
      {Phase::ended, kAbsent, Class::remove, Act::record_removed},
      {Phase::removed, kExited, Class::remove, Act::clear},
      {Phase::ready, container(ContainerStatus::removing), Class::unknown, Act::ask_again},
  };
  for (const DifferenceCase& one : cases) {
    const auto found = difference(view_of(one.phase, one.seen));
    const std::string what = std::string(one.phase ? to_string(*one.phase) : "none") + " " +
                             std::string(to_string(one.act));
    ASSERT_TRUE(found) << what;
    EXPECT_EQ(found->kind, one.kind) << what;
    EXPECT_EQ(found->act, one.act) << what;
    EXPECT_FALSE(found->reason.empty()) << what;
    EXPECT_EQ(found->task_id, kTask);
    EXPECT_EQ(found->container_name, engine::container_name(kTask));
    EXPECT_EQ(found->phase, one.phase);
    EXPECT_EQ(found->state.has_value(), one.seen.kind == Kind::present) << what;
  }
}

TEST(DifferenceTest, IsNoneWhereBothAgree) {
  EXPECT_FALSE(difference(view_of(Phase::ready, kRunning)));
  EXPECT_FALSE(difference(view_of(Phase::removed, kAbsent)));
  EXPECT_FALSE(difference(view_of(std::nullopt, kAbsent)));
}

// Unknown is never gone.
TEST(DifferenceTest, AnEngineThatDoesNotAnswerMakesEverythingUnknown) {
  for (const Phase phase : {Phase::admitted, Phase::started, Phase::ready, Phase::stopping,
                            Phase::ended, Phase::removed}) {
    const auto found = difference(view_of(phase, kUnknown));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->kind, Class::unknown) << to_string(phase);
  }
}

TEST(DifferenceTest, AnEndSaysHow) {
  EXPECT_THAT(difference(view_of(Phase::ready, kAbsent))->reason, HasSubstr("gone"));
  EXPECT_THAT(difference(view_of(Phase::ready, kExited))->reason, HasSubstr("ended"));
  const auto again = container(ContainerStatus::running, kStart + Millis{5'000});
  EXPECT_THAT(difference(view_of(Phase::ready, again))->reason, HasSubstr("started again"));
}

engine::ContainerSummary listed(const std::string& id, const std::string& name) {
  engine::ContainerSummary summary;
  summary.id = id;
  summary.name = name;
  summary.labels = engine::ours(kAgent);
  summary.labels[engine::kLabelTaskId] = kTask;
  return summary;
}

// Hazard 4: `docker commit` and `docker run` inherit all our labels.
TEST(ForeignersTest, LabelsAloneMakeNoContainerOurs) {
  const auto found =
      foreigners({listed("c", engine::container_name(kTask)), listed("d", "lazy_darwin"),
                  listed("e", engine::container_name(kOther))},
                 {view_of(Phase::ready, kRunning)}, kAgent);
  ASSERT_EQ(found.size(), 2U);
  for (const auto& foreign : found) {
    EXPECT_EQ(foreign.kind, Class::foreign);
    EXPECT_EQ(foreign.act, Act::none);
    EXPECT_EQ(foreign.task_id, "");
  }
  EXPECT_EQ(found[0].container_name, "lazy_darwin");
  EXPECT_EQ(found[1].container_id, "e");
}

// Hazard 4: name and labels fit, and it is not the one that the journal knows.
TEST(ForeignersTest, AnotherContainerThanTheTasksOwnIsForeign) {
  const auto found = foreigners({listed("other", engine::container_name(kTask))},
                                {view_of(Phase::ready, kAbsent)}, kAgent);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].container_id, "other");
  EXPECT_TRUE(foreigners({listed("any", engine::container_name(kTask))},
                         {view_of(Phase::admitted, kCreated)}, kAgent)
                  .empty());
}

}  // namespace
}  // namespace resmgr::tasks
