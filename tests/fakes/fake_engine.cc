#include "tests/fakes/fake_engine.h"

#include <algorithm>
#include <thread>

#include "common/crypto.h"

namespace resmgr::engine {
namespace {

constexpr std::int64_t kImageBytes = 1'000'000;

Error away(const std::string& cause) {
  return {ErrorKind::unavailable, "cannot reach the container engine 'fake': " + cause,
          "start the container engine"};
}

bool has_labels(const std::map<std::string, std::string>& all,
                const std::map<std::string, std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const auto found = all.find(label.first);
    return found != all.end() && found->second == label.second;
  });
}

}  // namespace

// A call on its way: logged, counted, held or delayed as the test wants it. The lock is held
// wherever this is made and unmade.
class FakeEngine::Passage {
 public:
  Passage(FakeEngine& engine, Lock& lock, Op op, const std::string& subject,
          const std::stop_token& stop)
      : traffic_(engine.traffic_[op]) {
    engine.calls_.push_back({op, subject});
    traffic_.most = std::max(traffic_.most, ++traffic_.now);
    if (traffic_.hold) {
      ++traffic_.held;
      engine.changed_.notify_all();
      engine.changed_.wait(lock, stop, [this] { return !traffic_.hold; });
      --traffic_.held;
    }
    if (const auto delay = traffic_.delay; delay.count() > 0) {
      lock.unlock();
      std::this_thread::sleep_for(delay);
      lock.lock();
    }
  }
  ~Passage() { --traffic_.now; }
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

 private:
  Traffic& traffic_;
};

FakeEngine::FakeEngine(const Clock& clock) : clock_(clock) {
  info_.name = "docker";
  info_.version = "20.10.24";
  info_.api_version = "1.41";
  info_.root_dir = "/var/lib/docker";
  info_.cpus = 2;
  info_.memory_bytes = std::int64_t{8} << 30;
}

std::optional<FakeEngine::Fault> FakeEngine::next_fault(Op op) {
  auto& faults = traffic_[op].faults;
  if (faults.empty()) return std::nullopt;
  Fault fault = std::move(faults.front());
  faults.pop_front();
  return fault;
}

template <typename Effect>
auto FakeEngine::act(Op op, const std::string& subject, Effect effect, std::stop_token stop)
    -> decltype(effect()) {
  const auto whatever_comes_of_it = [effect] {
    try {
      (void)effect();
    } catch (const Error&) {
      // The caller, who was told that nothing is known, never learns of it.
    }
  };
  Lock lock(mutex_);
  const Passage passage(*this, lock, op, subject, stop);
  if (stop.stop_requested()) throw away("it was interrupted");
  if (!reachable_) throw away("connection refused");
  if (const auto fault = next_fault(op)) {
    if (fault->kind == Fault::Kind::do_then_fail) whatever_comes_of_it();
    if (fault->kind == Fault::Kind::fail_then_do) late_.emplace_back(whatever_comes_of_it);
    throw Error(fault->error);
  }
  return effect();
}

EngineInfo FakeEngine::info() {
  return act(Op::info, "", [this] { return info_; });
}

std::string FakeEngine::create(const ContainerSpec& spec) {
  return act(Op::create, spec.name, [this, spec] { return make_container(spec); });
}

void FakeEngine::start(const std::string& id) {
  act(Op::start, id, [this, id] {
    Container& container = existing(id, "start");
    if (!container.state.alive()) launch(container);
  });
}

std::optional<ContainerState> FakeEngine::inspect(const std::string& id_or_name) {
  return act(Op::inspect, id_or_name, [this, id_or_name]() -> std::optional<ContainerState> {
    const Container* container = find(id_or_name);
    if (container == nullptr) return std::nullopt;
    return container->state;
  });
}

void FakeEngine::rename(const std::string& id, const std::string& name) {
  act(Op::rename, id, [this, id, name] {
    Container& container = existing(id, "rename");
    if (find(name) != nullptr) {
      throw Error(ErrorKind::conflict,
                  "cannot rename container '" + id + "': the name " + name + " is in use");
    }
    container.state.name = name;
    tell(container, "rename");
  });
}

void FakeEngine::stop(const std::string& id, Millis /*timeout*/) {
  act(Op::stop, id, [this, id] { halt(existing(id, "stop")); });
}

void FakeEngine::remove(const std::string& id) {
  act(Op::remove, id, [this, id] {
    const Container* container = find(id);
    if (container == nullptr) return;
    if (container->state.alive()) {
      throw Error(ErrorKind::conflict,
                  "cannot remove container '" + id + "': You cannot remove a running container");
    }
    forget(container->state.id);
  });
}

std::vector<ContainerSummary> FakeEngine::list(const std::map<std::string, std::string>& labels) {
  return act(Op::list, "", [this, labels] {
    std::vector<const Container*> found;
    for (const auto& [id, container] : containers_) {
      if (has_labels(container.state.labels, labels)) found.push_back(&container);
    }
    // The newest is first.
    std::sort(found.begin(), found.end(),
              [](const auto* a, const auto* b) { return a->number > b->number; });
    std::vector<ContainerSummary> result;
    for (const Container* container : found) {
      const ContainerState& state = container->state;
      result.push_back({state.id, state.name, state.labels, state.status});
    }
    return result;
  });
}

std::optional<Stats> FakeEngine::stats(const std::string& id) {
  return act(Op::stats, id, [this, id]() -> std::optional<Stats> {
    const Container* container = find(id);
    if (container == nullptr || !container->state.alive()) return std::nullopt;
    return container->stats;
  });
}

std::optional<std::string> FakeEngine::image_id(const std::string& image) {
  return act(Op::image_id, image, [this, image]() -> std::optional<std::string> {
    const auto found = images_.find(image);
    if (found == images_.end()) return std::nullopt;
    return found->second;
  });
}

std::optional<NetworkState> FakeEngine::inspect_network(const std::string& name) {
  return act(Op::inspect_network, name, [this, name]() -> std::optional<NetworkState> {
    const auto found = networks_.find(name);
    if (found == networks_.end()) return std::nullopt;
    return found->second.state;
  });
}

void FakeEngine::create_network(const NetworkSpec& spec) {
  act(Op::create_network, spec.name, [this, spec] {
    if (networks_.contains(spec.name)) return;
    const int number = next_subnet_++;
    NetworkState state;
    state.id = sha256_hex("network " + std::to_string(number));
    state.labels = spec.labels;
    state.subnets = {"172." + std::to_string(number) + ".0.0/16"};
    networks_[spec.name] = {spec, state};
  });
}

void FakeEngine::remove_volume(const std::string& name) {
  act(Op::remove_volume, name, [this, name] {
    const bool in_use = std::any_of(containers_.begin(), containers_.end(), [&](const auto& entry) {
      const auto& mounted = entry.second.spec.volumes;
      return std::any_of(mounted.begin(), mounted.end(),
                         [&](const VolumeMount& volume) { return volume.name == name; });
    });
    if (in_use) {
      throw Error(ErrorKind::conflict, "cannot remove volume '" + name + "': volume is in use");
    }
    volumes_.erase(name);
  });
}

FakeEngine::Stream FakeEngine::subscribe() {
  return act(Op::events, "", [this] {
    return Stream{events_.size(), stream_generation_, idle_generation_};
  });
}

std::optional<EngineEvent> FakeEngine::poll(Stream& stream) {
  const Lock lock(mutex_);
  if (stream.stream != stream_generation_) throw away("the engine ended the stream");
  if (stream.next == events_.size()) return std::nullopt;
  return events_[stream.next++];
}

void FakeEngine::events(const std::function<void()>& on_subscribed,
                        const std::function<void(const EngineEvent&)>& on_event,
                        std::stop_token stop) {
  Stream subscription = subscribe();
  on_subscribed();
  Lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, stop, [&] {
      return (subscription.next < events_.size() && !events_withheld_) ||
             subscription.stream != stream_generation_ || subscription.idle != idle_generation_;
    });
    if (stop.stop_requested()) return;
    if (subscription.stream != stream_generation_) throw away("the engine ended the stream");
    if (subscription.next == events_.size() || events_withheld_) return;
    const EngineEvent event = events_[subscription.next++];
    lock.unlock();
    on_event(event);
    lock.lock();
  }
}

void FakeEngine::logs(const std::string& id, const LogOptions& options,
                      const std::function<bool(std::string_view)>& on_bytes, std::stop_token stop) {
  struct Reader {
    std::string id;
    std::size_t next;
    int stream;
  };
  Reader reader = act(Op::logs, id, [this, id, options] {
    const Container& container = existing(id, "read the output of");
    const auto& output = container.output;
    const auto lines = static_cast<std::ptrdiff_t>(output.size());
    const std::ptrdiff_t tail = std::clamp<std::ptrdiff_t>(options.tail.value_or(lines), 0, lines);
    const auto first = std::find_if(output.end() - tail, output.end(), [&](const Line& line) {
      return !options.since || line.time >= *options.since;
    });
    return Reader{container.state.id, static_cast<std::size_t>(first - output.begin()),
                  stream_generation_};
  });
  Lock lock(mutex_);
  for (;;) {
    const Container* container = find(reader.id);
    if (container == nullptr || stop.stop_requested()) return;
    if (stream_generation_ != reader.stream) throw away("the engine ended the stream");
    if (reader.next < container->output.size()) {
      const std::string text = container->output[reader.next++].text;
      lock.unlock();
      if (!on_bytes(text)) return;
      lock.lock();
      continue;
    }
    if (!options.follow || !container->state.alive()) return;
    changed_.wait(lock, stop, [&] {
      const Container* now = find(reader.id);
      return now == nullptr || reader.next < now->output.size() || !now->state.alive() ||
             stream_generation_ != reader.stream;
    });
  }
}

void FakeEngine::pull(const std::string& image,
                      const std::function<void(const PullProgress&)>& on_progress,
                      std::stop_token stop) {
  std::vector<PullProgress> told;
  {
    const Lock lock(mutex_);
    if (reachable_ && pullable_.contains(image)) told = pull_progress_;
  }
  for (const PullProgress& progress : told) {
    if (on_progress) on_progress(progress);
  }
  const auto listening = listen(image, on_progress);
  act(
      Op::pull, image,
      [this, image] {
        if (!pullable_.contains(image)) {
          throw Error(ErrorKind::not_found, "cannot pull image '" + image + "': manifest for " +
                                                image + " not found: manifest unknown");
        }
        add_image_locked(image);
      },
      stop);
  if (on_progress) on_progress({kImageBytes, kImageBytes, "Pull complete"});
}

}  // namespace resmgr::engine
