// What tests ask of the fake engine beside the port.
#include <algorithm>
#include <stdexcept>

#include "tests/fakes/fake_engine.h"

namespace resmgr::engine {
namespace {

constexpr int kExitKilled = 137;
constexpr int kLostWithThePower = 255;

Error no_answer() {
  return {ErrorKind::unavailable,
          "cannot reach the container engine 'fake': no answer came in time"};
}

}  // namespace

void FakeEngine::set_info(EngineInfo info) {
  const Lock lock(mutex_);
  info_ = std::move(info);
}

void FakeEngine::add_image(const std::string& image) {
  const Lock lock(mutex_);
  add_image_locked(image);
}

void FakeEngine::change_image(const std::string& image) {
  const Lock lock(mutex_);
  images_.erase(image);
  add_image_locked(image);
}

void FakeEngine::remove_image(const std::string& image) {
  const Lock lock(mutex_);
  images_.erase(image);
}

void FakeEngine::add_pullable(const std::string& image) {
  const Lock lock(mutex_);
  pullable_.insert(image);
}

void FakeEngine::set_pull_progress(std::vector<PullProgress> told) {
  const Lock lock(mutex_);
  pull_progress_ = std::move(told);
}

std::shared_ptr<void> FakeEngine::listen(const std::string& image, const Listener& listener) {
  if (!listener) return nullptr;
  const std::lock_guard lock(pulls_mutex_);
  const auto place = pulls_.emplace(image, &listener);
  return {nullptr, [this, place](void*) {
            const std::lock_guard ending(pulls_mutex_);
            pulls_.erase(place);
          }};
}

void FakeEngine::tell_pull_progress(const std::string& image, const PullProgress& progress) {
  const std::lock_guard lock(pulls_mutex_);
  const auto [begin, end] = pulls_.equal_range(image);
  for (auto pull = begin; pull != end; ++pull) (*pull->second)(progress);
}

void FakeEngine::set_program(const std::string& name_or_image, FakeProgram program) {
  const Lock lock(mutex_);
  programs_[name_or_image] = std::move(program);
}

void FakeEngine::set_stats(const std::string& id_or_name, Stats stats) {
  const Lock lock(mutex_);
  existing(id_or_name, "measure").stats = stats;
}

std::vector<ContainerState> FakeEngine::containers() const {
  const Lock lock(mutex_);
  std::vector<const Container*> all;
  for (const auto& [id, container] : containers_) all.push_back(&container);
  std::sort(all.begin(), all.end(),
            [](const auto* a, const auto* b) { return a->number < b->number; });
  std::vector<ContainerState> states;
  states.reserve(all.size());
  for (const Container* container : all) states.push_back(container->state);
  return states;
}

std::set<std::string> FakeEngine::volumes() const {
  const Lock lock(mutex_);
  return volumes_;
}

std::vector<EngineEvent> FakeEngine::told() const {
  const Lock lock(mutex_);
  return events_;
}

void FakeEngine::heal() {
  const Lock lock(mutex_);
  for (auto& [op, traffic] : traffic_) traffic.faults.clear();
  occupied_ports_ = 0;
  reachable_ = true;
}

ContainerSpec FakeEngine::spec_of(const std::string& id_or_name) const {
  const Lock lock(mutex_);
  for (const auto& [id, container] : containers_) {
    if (id == id_or_name || container.state.name == id_or_name) return container.spec;
  }
  throw std::out_of_range("no container " + id_or_name);
}

void FakeEngine::exit_container(const std::string& id_or_name, int exit_code, bool oom_killed) {
  const Lock lock(mutex_);
  end(existing(id_or_name, "end"), exit_code, oom_killed);
}

void FakeEngine::oom_kill_child(const std::string& id_or_name) {
  const Lock lock(mutex_);
  Container& container = existing(id_or_name, "kill a child of");
  container.state.oom_killed = true;
  tell(container, "oom");
}

void FakeEngine::print(const std::string& id_or_name, const std::string& text) {
  const Lock lock(mutex_);
  append(existing(id_or_name, "print in"), text);
}

void FakeEngine::pause_by_hand(const std::string& id_or_name) {
  const Lock lock(mutex_);
  Container& container = existing(id_or_name, "pause");
  container.state.status = ContainerStatus::paused;
  tell(container, "pause");
}

void FakeEngine::restart_by_hand(const std::string& id_or_name) {
  const Lock lock(mutex_);
  Container& container = existing(id_or_name, "restart");
  halt(container);
  launch(container);
  tell(container, "restart");
}

void FakeEngine::remove_by_hand(const std::string& id_or_name) {
  const Lock lock(mutex_);
  Container& container = existing(id_or_name, "remove");
  if (container.state.alive()) {
    tell(container, "kill");
    end(container, kExitKilled, false);
  }
  forget(container.state.id);
}

void FakeEngine::prune_networks() {
  const Lock lock(mutex_);
  std::erase_if(networks_, [this](const auto& network) {
    return std::none_of(containers_.begin(), containers_.end(), [&](const auto& entry) {
      return entry.second.state.alive() && entry.second.spec.network == network.first;
    });
  });
}

void FakeEngine::occupy_ports(int count) {
  const Lock lock(mutex_);
  occupied_ports_ += count;
}

void FakeEngine::set_reachable(bool reachable) {
  const Lock lock(mutex_);
  reachable_ = reachable;
  if (!reachable) break_streams_locked();
}

void FakeEngine::break_streams() {
  const Lock lock(mutex_);
  break_streams_locked();
}

void FakeEngine::break_streams_locked() {
  ++stream_generation_;
  changed_.notify_all();
}

void FakeEngine::withhold_events(bool withhold) {
  const Lock lock(mutex_);
  events_withheld_ = withhold;
  changed_.notify_all();
}

void FakeEngine::end_silent_event_streams() {
  const Lock lock(mutex_);
  ++idle_generation_;
  changed_.notify_all();
}

void FakeEngine::lose_power() {
  const Lock lock(mutex_);
  for (auto& [id, container] : containers_) {
    ContainerState& state = container.state;
    if (!state.alive()) continue;
    state.status = ContainerStatus::exited;
    state.finished_at = clock_.now();
    state.exit_code = kLostWithThePower;
    state.host_port = 0;
    state.address.clear();
  }
  break_streams_locked();
}

void FakeEngine::forget_everything() {
  const Lock lock(mutex_);
  containers_.clear();
  networks_.clear();
  volumes_.clear();
  break_streams_locked();
}

void FakeEngine::fail_next(Op op, const Error& error, int times) {
  const Lock lock(mutex_);
  auto& faults = traffic_[op].faults;
  for (int i = 0; i < times; ++i) faults.push_back({Fault::Kind::fail, error});
}

void FakeEngine::do_then_fail(Op op, int times) {
  const Lock lock(mutex_);
  auto& faults = traffic_[op].faults;
  for (int i = 0; i < times; ++i) faults.push_back({Fault::Kind::do_then_fail, no_answer()});
}

void FakeEngine::fail_then_do(Op op, int times) {
  const Lock lock(mutex_);
  auto& faults = traffic_[op].faults;
  for (int i = 0; i < times; ++i) faults.push_back({Fault::Kind::fail_then_do, no_answer()});
}

int FakeEngine::do_late() {
  const Lock lock(mutex_);
  const auto late = std::exchange(late_, {});
  for (const auto& effect : late) effect();
  return static_cast<int>(late.size());
}

void FakeEngine::hold(Op op) {
  const Lock lock(mutex_);
  traffic_[op].hold = true;
}

void FakeEngine::release(Op op) {
  const Lock lock(mutex_);
  traffic_[op].hold = false;
  changed_.notify_all();
}

bool FakeEngine::wait_until_held(Op op, int count) {
  Lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::minutes(1),
                           [&] { return traffic_[op].held >= count; });
}

void FakeEngine::set_delay(Op op, std::chrono::milliseconds delay) {
  const Lock lock(mutex_);
  traffic_[op].delay = delay;
}

std::vector<FakeEngine::Call> FakeEngine::calls() const {
  const Lock lock(mutex_);
  return calls_;
}

int FakeEngine::count(Op op) const {
  const Lock lock(mutex_);
  return static_cast<int>(std::count_if(calls_.begin(), calls_.end(),
                                        [op](const Call& call) { return call.op == op; }));
}

int FakeEngine::most_at_once(Op op) const {
  const Lock lock(mutex_);
  const auto found = traffic_.find(op);
  return found == traffic_.end() ? 0 : found->second.most;
}

void FakeEngine::clear_calls() {
  const Lock lock(mutex_);
  calls_.clear();
}

}  // namespace resmgr::engine
