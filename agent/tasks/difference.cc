#include "agent/tasks/difference.h"

#include <algorithm>

#include "agent/engine/labels.h"

namespace resmgr::tasks {
namespace {

using Class = Difference::Class;
using Kind = Observation::Kind;
using journal::Phase;

bool is_over(const View& view) {
  return view.row && (view.row->phase == Phase::ended || view.row->phase == Phase::removed);
}

bool is_to_stop(const View& view) { return view.row && view.row->phase == Phase::stopping; }

Class class_of(Act act, const View& view) {
  switch (act) {
    case Act::none:
    case Act::ask_again:
      return Class::unknown;
    case Act::create:
    case Act::start:
    case Act::take_over:
    case Act::release:
    case Act::record_started:
    case Act::probe:
    case Act::settle_create:
    case Act::record_unstarted:
    case Act::refuse_name:
      return Class::finish;
    case Act::stop:
      return is_over(view) ? Class::remove : Class::finish;
    case Act::record_ended:
      return is_to_stop(view) ? Class::finish : Class::close;
    case Act::discard:
      return view.row ? Class::finish : Class::remove;
    case Act::clear:
    case Act::record_removed:
      return Class::remove;
    case Act::adopt:
      return Class::adopt;
  }
  return Class::unknown;
}

const char* reason_of_end(const View& view) {
  if (view.seen.kind != Kind::present) return "its container is gone";
  return view.seen.container.alive() ? "its container was started again by somebody else"
                                     : "its container ended";
}

const char* reason_of(Act act, const View& view) {
  switch (act) {
    case Act::none:
      return "";
    case Act::ask_again:
      return view.seen.kind == Kind::unknown ? "the engine does not say"
                                             : "the engine is removing its container";
    case Act::create:
      return "its start is on record, and it has no container yet";
    case Act::start:
      return "its container is made, and not started yet";
    case Act::take_over:
      return "it claimed a warm container, and the journal does not say yet that it has it";
    case Act::release:
      return "it claimed a warm container, and can't have it";
    case Act::record_started:
      return "its container was started, and the journal does not say so yet";
    case Act::probe:
      return "its container runs, and the service is not ready yet";
    case Act::stop:
      return is_over(view) ? "the task is over, and its container runs"
                           : "it is to stop, and its container runs";
    case Act::record_ended:
      return reason_of_end(view);
    case Act::settle_create:
      return "it is to stop, and a container may still be in the making";
    case Act::discard:
      return view.row ? "it is to stop, and its container was never started"
                      : "its container was never started, and the journal does not know it";
    case Act::record_unstarted:
      return "it is to stop, and nothing was ever made for it";
    case Act::refuse_name:
      return "a container that is not the agent's bears its name: its start fails";
    case Act::clear:
      return "the task is over, and its container is still there";
    case Act::record_removed:
      return "the task is over and its container gone, and the journal does not say so yet";
    case Act::adopt:
      return view.seen.container.alive() ? "its container runs, and the journal does not know it"
                                         : "its container ran, and the journal does not know it";
  }
  return "";
}

bool is_ours(const engine::ContainerSummary& container, const std::vector<View>& views,
             std::string_view agent_id) {
  const auto whose = engine::belonging_of(container.labels, container.name, agent_id);
  if (!whose) return false;
  if (whose->task_id.empty()) return true;
  const auto view = std::find_if(views.begin(), views.end(), [&](const View& known) {
    return known.task_id == whose->task_id;
  });
  if (view == views.end() || !view->row) return true;
  const std::string& known_id = view->row->task.container_id;
  return known_id.empty() || known_id == container.id;
}

}  // namespace

std::string_view to_string(engine::ContainerStatus status) {
  switch (status) {
    case engine::ContainerStatus::created:
      return "created";
    case engine::ContainerStatus::running:
      return "running";
    case engine::ContainerStatus::paused:
      return "paused";
    case engine::ContainerStatus::restarting:
      return "restarting";
    case engine::ContainerStatus::removing:
      return "removing";
    case engine::ContainerStatus::exited:
      return "exited";
    case engine::ContainerStatus::dead:
      return "dead";
  }
  return "dead";
}

std::string_view to_string(Class kind) {
  switch (kind) {
    case Class::adopt:
      return "adopt";
    case Class::finish:
      return "finish";
    case Class::close:
      return "close";
    case Class::remove:
      return "remove";
    case Class::foreign:
      return "foreign";
    case Class::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view to_string(Difference::Outcome outcome) {
  switch (outcome) {
    case Difference::Outcome::planned:
      return "planned";
    case Difference::Outcome::done:
      return "done";
    case Difference::Outcome::pending:
      return "pending";
    case Difference::Outcome::left:
      return "left";
    case Difference::Outcome::unknown:
      return "unknown";
  }
  return "unknown";
}

std::optional<Difference> difference(const View& view) {
  // A create of an earlier process may always be under way still; the lane knows better.
  const Act act = plan(view.row, view.seen, true);
  if (act == Act::none) return std::nullopt;
  Difference found;
  found.kind = class_of(act, view);
  found.task_id = view.task_id;
  found.container_name = engine::container_name(view.task_id);
  if (view.row) {
    found.container_id = view.row->task.container_id;
    found.phase = view.row->phase;
    found.status = view.row->task.status;
  }
  if (view.seen.kind == Kind::present) {
    found.container_id = view.seen.container.id;
    found.state = view.seen.container.status;
  }
  found.act = act;
  found.reason = reason_of(act, view);
  return found;
}

std::vector<Difference> foreigners(const std::vector<engine::ContainerSummary>& listed,
                                   const std::vector<View>& views, std::string_view agent_id) {
  std::vector<Difference> found;
  for (const auto& container : listed) {
    if (is_ours(container, views, agent_id)) continue;
    Difference& foreign = found.emplace_back();
    foreign.kind = Class::foreign;
    foreign.container_id = container.id;
    foreign.container_name = container.name;
    foreign.state = container.status;
    foreign.reason = "it bears the agent's labels, and is not a container that the agent made";
  }
  return found;
}

int Reconciliation::count(Class kind) const {
  return static_cast<int>(
      std::count_if(differences.begin(), differences.end(),
                    [&](const Difference& difference) { return difference.kind == kind; }));
}

}  // namespace resmgr::tasks
