// What the fake engine's containers do; everything here runs under its lock.
#include <algorithm>
#include <charconv>

#include "common/crypto.h"
#include "tests/fakes/fake_engine.h"

namespace resmgr::engine {
namespace {

constexpr int kTerminated = 143;
constexpr int kExitOfKilled = 137;
constexpr int kCouldNotStart = 128;
constexpr int kFirstPort = 32'768;
constexpr int kLastPort = 60'999;

bool is_valid_name(const std::string& name) {
  const auto is_alnum = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return name.size() >= 2 && is_alnum(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

std::pair<int, int> parse_range(const std::string& range) {
  std::pair<int, int> ports{0, 0};
  const std::size_t dash = range.find('-');
  const std::string_view text = range;
  const std::string_view first = text.substr(0, dash);
  const std::string_view last = dash == std::string::npos ? first : text.substr(dash + 1);
  std::from_chars(first.data(), first.data() + first.size(), ports.first);
  std::from_chars(last.data(), last.data() + last.size(), ports.second);
  return ports;
}

}  // namespace

FakeEngine::Container* FakeEngine::find(const std::string& id_or_name) {
  if (const auto found = containers_.find(id_or_name); found != containers_.end()) {
    return &found->second;
  }
  for (auto& [id, container] : containers_) {
    if (container.state.name == id_or_name) return &container;
  }
  return nullptr;
}

FakeEngine::Container& FakeEngine::existing(const std::string& id_or_name,
                                            const std::string& verb) {
  Container* container = find(id_or_name);
  if (container == nullptr) {
    throw Error(ErrorKind::not_found, "cannot " + verb + " container '" + id_or_name +
                                          "': No such container: " + id_or_name);
  }
  return *container;
}

void FakeEngine::add_image_locked(const std::string& image) {
  if (images_.contains(image)) return;
  images_[image] = "sha256:" + sha256_hex("image " + std::to_string(++images_made_));
}

std::string FakeEngine::make_container(const ContainerSpec& spec) {
  const std::string act = "cannot create container '" + spec.name + "': ";
  if (!is_valid_name(spec.name)) {
    throw Error(ErrorKind::rejected, act + "Invalid container name (" + spec.name + ")");
  }
  if (!images_.contains(spec.image)) {
    throw Error(ErrorKind::not_found, act + "No such image: " + spec.image);
  }
  if (find(spec.name) != nullptr) {
    throw Error(ErrorKind::conflict, act + "The container name is already in use");
  }
  Container container;
  container.number = ++created_;
  container.spec = spec;
  container.state.id = sha256_hex("container " + std::to_string(container.number));
  container.state.name = spec.name;
  container.state.image = spec.image;
  container.state.image_id = images_.at(spec.image);
  container.state.labels = spec.labels;
  container.stats.memory_bytes = container.stats.peak_memory_bytes = 1 << 20;
  for (const VolumeMount& volume : spec.volumes) volumes_.insert(volume.name);
  std::string id = container.state.id;
  tell(containers_[id] = std::move(container), "create");
  return id;
}

void FakeEngine::launch(Container& container) {
  ContainerState& state = container.state;
  const std::string& network = container.spec.network;
  try {
    if (!network.empty() && network != "none" && network != "bridge" &&
        !networks_.contains(network)) {
      Error error(ErrorKind::not_found,
                  "cannot start container '" + state.id + "': network " + network + " not found");
      error.problem = "network-missing";
      throw error;
    }
    assign_port(container);
  } catch (const Error& error) {
    state.error = error.message();
    state.exit_code = kCouldNotStart;
    throw;
  }
  state.status = ContainerStatus::running;
  state.started_at = clock_.now();
  state.previous_finish = state.finished_at;
  state.finished_at.reset();
  state.exit_code = 0;
  state.oom_killed = false;
  state.error.clear();
  state.address = network == "none" ? "" : "172.17.0." + std::to_string(container.number % 253 + 2);
  tell(container, "start");
  const FakeProgram program = program_of(container);
  append(container, program.output);
  if (program.exit_code) end(container, *program.exit_code, false);
}

void FakeEngine::assign_port(Container& container) {
  const ContainerSpec& spec = container.spec;
  if (spec.container_port == 0 || spec.network == "none") return;
  Error taken(ErrorKind::conflict,
              "cannot start container '" + container.state.id +
                  "': driver failed programming external connectivity: port is already allocated");
  taken.problem = "port-in-use";
  if (occupied_ports_ > 0) {
    --occupied_ports_;
    throw taken;
  }
  if (spec.port_range.empty()) {
    while (!is_port_free(next_port_)) ++next_port_;
    container.state.host_port = next_port_;
    next_port_ = next_port_ == kLastPort ? kFirstPort : next_port_ + 1;
    return;
  }
  const auto [first, last] = parse_range(spec.port_range);
  for (int port = first; port <= last; ++port) {
    if (!is_port_free(port)) continue;
    container.state.host_port = port;
    return;
  }
  throw taken;
}

bool FakeEngine::is_port_free(int port) const {
  return std::none_of(containers_.begin(), containers_.end(),
                      [port](const auto& entry) { return entry.second.state.host_port == port; });
}

void FakeEngine::end(Container& container, int exit_code, bool oom_killed) {
  ContainerState& state = container.state;
  state.status = ContainerStatus::exited;
  state.finished_at = clock_.now();
  state.previous_finish.reset();
  state.exit_code = exit_code;
  state.oom_killed = state.oom_killed || oom_killed;
  state.host_port = 0;
  state.address.clear();
  if (oom_killed) tell(container, "oom");
  tell(container, "die", exit_code);
}

void FakeEngine::halt(Container& container) {
  if (!container.state.alive()) return;
  tell(container, "kill");
  const bool killed = program_of(container).ignores_stop;
  if (killed) tell(container, "kill");
  end(container, killed ? kExitOfKilled : kTerminated, false);
  tell(container, "stop");
}

void FakeEngine::append(Container& container, const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    container.output.push_back({clock_.now(), std::string(rest.substr(0, end))});
    rest.remove_prefix(end);
  }
  changed_.notify_all();
}

void FakeEngine::tell(const Container& container, const std::string& action,
                      std::optional<int> exit_code) {
  const ContainerState& state = container.state;
  events_.push_back({action, state.id, state.name, state.labels, exit_code, clock_.now()});
  changed_.notify_all();
}

FakeProgram FakeEngine::program_of(const Container& container) const {
  for (const std::string& key : {container.state.name, container.state.image}) {
    if (const auto found = programs_.find(key); found != programs_.end()) return found->second;
  }
  return {};
}

void FakeEngine::forget(const std::string& id) {
  const auto found = containers_.find(id);
  tell(found->second, "destroy");
  containers_.erase(found);
}

}  // namespace resmgr::engine
