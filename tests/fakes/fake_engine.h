// An engine in memory that behaves as Docker does, as far as the port shows it, and does what tests
// ask beside: it fails before or after an act, or acts after it has failed; holds calls; loses what
// it had.
#ifndef RESMGR_TESTS_FAKES_FAKE_ENGINE_H_
#define RESMGR_TESTS_FAKES_FAKE_ENGINE_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/engine/engine.h"
#include "common/clock.h"
#include "common/error.h"

namespace resmgr::engine {

enum class Op {
  info,
  create,
  start,
  inspect,
  rename,
  stop,
  remove,
  list,
  events,
  logs,
  stats,
  image_id,
  pull,
  inspect_network,
  create_network,
  remove_volume,
};

// What a container does when it is started.
struct FakeProgram {
  std::string output;            // printed at once
  std::optional<int> exit_code;  // ends at once with it; empty: runs until it is stopped
  bool ignores_stop = false;     // has to be killed
};

// Thread-safe. Times are those of the clock, which must outlive it.
class FakeEngine final : public Engine {
 public:
  struct Call {
    Op op;
    std::string subject;  // id, name or image; empty where there is none
  };

  explicit FakeEngine(const Clock& clock);

  EngineInfo info() override;
  std::string create(const ContainerSpec& spec) override;
  void start(const std::string& id) override;
  std::optional<ContainerState> inspect(const std::string& id_or_name) override;
  void rename(const std::string& id, const std::string& name) override;
  void stop(const std::string& id, Millis timeout) override;
  void remove(const std::string& id) override;
  std::vector<ContainerSummary> list(const std::map<std::string, std::string>& labels) override;
  void events(const std::function<void()>& on_subscribed,
              const std::function<void(const EngineEvent&)>& on_event,
              std::stop_token stop) override;
  void logs(const std::string& id, const LogOptions& options,
            const std::function<bool(std::string_view)>& on_bytes, std::stop_token stop) override;
  std::optional<Stats> stats(const std::string& id) override;
  std::optional<std::string> image_id(const std::string& image) override;
  void pull(const std::string& image, const std::function<void(const PullProgress&)>& on_progress,
            std::stop_token stop) override;
  std::optional<NetworkState> inspect_network(const std::string& name) override;
  void create_network(const NetworkSpec& spec) override;
  void remove_volume(const std::string& name) override;

  // A stream of events that is polled, for a test in which nothing may block. Throw as events().
  struct Stream {
    std::size_t next;
    int stream;
    int idle;
  };
  Stream subscribe();
  std::optional<EngineEvent> poll(Stream& stream);

  // What it has.
  void set_info(EngineInfo info);
  void add_image(const std::string& image);
  // The name stands for another image from now on.
  void change_image(const std::string& image);
  void remove_image(const std::string& image);
  // A registry has it: a pull brings it here.
  void add_pullable(const std::string& image);
  // What a pull tells before it waits or gets anything; otherwise that it downloads, with no byte
  // yet.
  void set_pull_progress(std::vector<PullProgress> told);
  // Tells it to whoever pulls the image just now.
  void tell_pull_progress(const std::string& image, const PullProgress& progress);
  // Of the container of that name, else of that image. By default a container runs silently.
  void set_program(const std::string& name_or_image, FakeProgram program);
  void set_stats(const std::string& id_or_name, Stats stats);
  std::vector<ContainerState> containers() const;
  std::set<std::string> volumes() const;
  // What it has told of its containers, whoever listened.
  std::vector<EngineEvent> told() const;
  // As the spec said when it was created; the container must be there.
  ContainerSpec spec_of(const std::string& id_or_name) const;

  // What happens in containers, and what others do with them. The container must be there.
  void exit_container(const std::string& id_or_name, int exit_code, bool oom_killed = false);
  void oom_kill_child(const std::string& id_or_name);  // the container goes on
  void print(const std::string& id_or_name, const std::string& text);
  void pause_by_hand(const std::string& id_or_name);
  void restart_by_hand(const std::string& id_or_name);
  void remove_by_hand(const std::string& id_or_name);  // with force
  void prune_networks();
  // The next `count` starts that publish a port find it taken by another program.
  void occupy_ports(int count);

  // What happens to the engine.
  void set_reachable(bool reachable);   // away: streams break, every call is unavailable
  void break_streams();                 // as a restart of the daemon does
  void end_silent_event_streams();      // as their idle limit does
  void withhold_events(bool withhold);  // they come later, and none is lost
  // The host loses power: what ran is found at the clock's present time to have ended with 255,
  // and nobody is told.
  void lose_power();
  // Another data root: no containers, networks or volumes. Images stay.
  void forget_everything();

  // What goes wrong with the next `times` calls, in the order in which it was asked for.
  void fail_next(Op op, const Error& error, int times = 1);  // nothing is done
  void do_then_fail(Op op, int times = 1);                   // done; no answer (unavailable)
  void fail_then_do(Op op, int times = 1);                   // no answer; done by do_late()
  // From now on nothing goes wrong by itself, and it can be reached.
  void heal();
  // Does what is still to be done, in order. Returns how much that was.
  int do_late();

  // Calls of `op` wait before they act, until release().
  void hold(Op op);
  void release(Op op);
  // Waits until so many calls of `op` are held; false if not within a minute.
  bool wait_until_held(Op op, int count = 1);
  // Each call of `op` takes this much longer, in real time.
  void set_delay(Op op, std::chrono::milliseconds delay);

  // What was called.
  std::vector<Call> calls() const;
  int count(Op op) const;
  int most_at_once(Op op) const;
  void clear_calls();

 private:
  struct Line {
    Instant time;
    std::string text;
  };
  struct Container {
    int number = 0;  // in the order of creation
    ContainerSpec spec;
    ContainerState state;
    std::vector<Line> output;
    Stats stats;
  };
  struct Network {
    NetworkSpec spec;
    NetworkState state;
  };
  struct Fault {
    enum class Kind { fail, do_then_fail, fail_then_do } kind;
    Error error;
  };
  struct Traffic {
    int now = 0;
    int most = 0;
    int held = 0;
    bool hold = false;
    std::chrono::milliseconds delay{0};
    std::deque<Fault> faults;
  };
  class Passage;

  using Lock = std::unique_lock<std::mutex>;

  // Every call goes through here. `effect` runs under the lock, now or in do_late(): it owns what
  // it needs. A call that is held ends with unavailable if `stop` is requested.
  template <typename Effect>
  auto act(Op op, const std::string& subject, Effect effect, std::stop_token stop = {})
      -> decltype(effect());
  std::optional<Fault> next_fault(Op op);

  // Under the lock.
  Container* find(const std::string& id_or_name);
  // Throws not_found: "cannot <verb> container '…'".
  Container& existing(const std::string& id_or_name, const std::string& verb);
  void add_image_locked(const std::string& image);
  std::string make_container(const ContainerSpec& spec);
  void launch(Container& container);
  void assign_port(Container& container);
  bool is_port_free(int port) const;
  void end(Container& container, int exit_code, bool oom_killed);
  void halt(Container& container);
  void append(Container& container, const std::string& text);
  void tell(const Container& container, const std::string& action,
            std::optional<int> exit_code = std::nullopt);
  FakeProgram program_of(const Container& container) const;
  void forget(const std::string& id);
  void break_streams_locked();

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  EngineInfo info_;
  std::map<std::string, Container> containers_;  // by id
  std::map<std::string, Network> networks_;      // by name
  std::map<std::string, std::string> images_;    // ids by name
  std::set<std::string> pullable_;
  std::vector<PullProgress> pull_progress_ = {{0, 1'000'000, "Downloading"}};

  using Listener = std::function<void(const PullProgress&)>;
  // For as long as what it returns lives.
  std::shared_ptr<void> listen(const std::string& image, const Listener& listener);
  std::mutex pulls_mutex_;  // of the next one; taken alone, for the listeners are called under it
  std::multimap<std::string, const Listener*> pulls_;  // under way, by image
  std::set<std::string> volumes_;
  std::map<std::string, FakeProgram> programs_;
  std::vector<EngineEvent> events_;
  std::vector<Call> calls_;
  std::map<Op, Traffic> traffic_;
  std::vector<std::function<void()>> late_;
  bool reachable_ = true;
  int stream_generation_ = 0;  // a stream of an older one is broken
  int idle_generation_ = 0;    // a stream of events of an older one has ended
  bool events_withheld_ = false;
  int occupied_ports_ = 0;
  int created_ = 0;
  int images_made_ = 0;
  int next_port_ = 32'768;
  int next_subnet_ = 18;
};

}  // namespace resmgr::engine

#endif  // RESMGR_TESTS_FAKES_FAKE_ENGINE_H_
