#include "agent/tasks/lanes.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/tasks/start_queue.h"

namespace resmgr::tasks {
namespace {

using DueTime = std::chrono::steady_clock::time_point;

struct Lane {
  std::string task_id;
  std::string user_id;
  bool background = false;
  std::uint64_t number = 0;  // in the order in which lanes are made
  std::unique_ptr<LaneMemory> memory;
  enum class Place { ready, delayed, start_queue, running, parked } place = Place::parked;
  bool woken = false;                           // while it ran
  bool is_due = false;                          // its delay has passed
  std::optional<DueTime> slot_since;            // while it has a start slot
  std::multimap<DueTime, Lane*>::iterator due;  // valid while delayed
};

}  // namespace

struct Lanes::State {
  State(LaneOptions o, Step s) : options(o), step(std::move(s)), start_queue(o.start_slots) {}

  LaneOptions options;
  Step step;

  mutable std::mutex mutex;
  std::condition_variable work;      // something is ready, due, or to be stopped
  std::condition_variable quiesced;  // the last thread has gone
  std::unordered_map<std::string, std::unique_ptr<Lane>> lanes;
  std::deque<Lane*> ready;
  std::multimap<DueTime, Lane*> delayed;
  StartQueue<Lane> start_queue;
  std::uint64_t made = 0;
  int threads = 0;
  int waiting_threads = 0;
  bool stopping = false;

  bool has_work() const { return !ready.empty() || start_queue.has_next(); }

  // All of these run under the mutex.
  void make_ready(Lane& lane) {
    lane.place = Lane::Place::ready;
    ready.push_back(&lane);
    call_thread();
  }

  void call_thread() {
    if (stopping) return;
    if (waiting_threads > 0) {
      work.notify_one();
    } else if (threads < options.max_threads) {
      ++threads;
      std::thread([this] { serve(); }).detach();
    }
  }

  void collect_due() {
    const auto now = std::chrono::steady_clock::now();
    while (!delayed.empty() && delayed.begin()->first <= now) {
      Lane* lane = delayed.begin()->second;
      delayed.erase(delayed.begin());
      lane->is_due = true;
      lane->place = Lane::Place::ready;
      ready.push_back(lane);
    }
  }

  Lane* take() {
    collect_due();
    Lane* lane = nullptr;
    if (start_queue.has_next()) {
      lane = start_queue.pop();
      lane->slot_since = std::chrono::steady_clock::now();
    } else if (!ready.empty()) {
      lane = ready.front();
      ready.pop_front();
    } else {
      return nullptr;
    }
    lane->place = Lane::Place::running;
    lane->woken = false;
    // More than one may have become due at once, and somebody must keep time for the delayed.
    if (has_work() || (!delayed.empty() && waiting_threads == 0)) call_thread();
    return lane;
  }

  // What run_one() may choose from.
  std::vector<Lane*> candidates() const {
    std::vector<Lane*> found(ready.begin(), ready.end());
    for (const auto& [due, lane] : delayed) found.push_back(lane);
    if (start_queue.has_next()) found.push_back(start_queue.front());
    std::sort(found.begin(), found.end(),
              [](const Lane* a, const Lane* b) { return a->number < b->number; });
    return found;
  }

  void take_this(Lane& lane) {
    switch (lane.place) {
      case Lane::Place::ready:
        std::erase(ready, &lane);
        break;
      case Lane::Place::delayed:
        delayed.erase(lane.due);
        lane.is_due = true;
        break;
      case Lane::Place::start_queue:
        start_queue.pop();
        lane.slot_since = std::chrono::steady_clock::now();
        break;
      case Lane::Place::running:
      case Lane::Place::parked:
        break;
    }
    lane.place = Lane::Place::running;
    lane.woken = false;
  }

  void put_back(Lane& lane, Next next) {
    if (lane.slot_since) {
      const auto held = std::chrono::steady_clock::now() - *lane.slot_since;
      lane.slot_since.reset();
      start_queue.give_back(lane, std::chrono::duration_cast<Millis>(held));
      if (start_queue.has_next()) call_thread();
    }
    if (lane.woken) next = Next::again();
    switch (next.kind) {
      case Next::Kind::done:
        lanes.erase(std::string(lane.task_id));
        return;
      case Next::Kind::again:
        make_ready(lane);
        return;
      case Next::Kind::after:
        lane.place = Lane::Place::delayed;
        lane.due = delayed.emplace(std::chrono::steady_clock::now() + next.delay, &lane);
        return;
      case Next::Kind::start_slot:
        lane.place = Lane::Place::start_queue;
        start_queue.push(&lane);
        if (start_queue.has_next()) call_thread();
        return;
      case Next::Kind::parked:
        lane.place = Lane::Place::parked;
        return;
    }
  }

  // Without the mutex: while it runs, the lane is its thread's own but for `woken`.
  Next run_step(Lane& lane) const {
    Turn turn{lane.task_id, lane.memory, lane.slot_since.has_value(), lane.background,
              std::exchange(lane.is_due, false)};
    return step(turn);
  }

  // Takes the mutex.
  void wake(const std::string& id, const std::string& user_id, bool background) {
    const std::lock_guard lock(mutex);
    if (stopping) return;
    auto& slot = lanes[id];
    if (!slot) {
      slot = std::make_unique<Lane>();
      slot->task_id = id;
      slot->user_id = user_id;
      slot->background = background;
      slot->number = ++made;
    }
    Lane& lane = *slot;
    switch (lane.place) {
      case Lane::Place::running:
        lane.woken = true;
        return;
      case Lane::Place::ready:
        return;
      case Lane::Place::delayed:
        delayed.erase(lane.due);
        break;
      case Lane::Place::start_queue:
        start_queue.remove(&lane);
        break;
      case Lane::Place::parked:
        break;
    }
    make_ready(lane);
  }

  // Whether to go on serving: false if this thread has been idle for long, or all are to stop.
  bool wait_for_work(std::unique_lock<std::mutex>& lock) {
    ++waiting_threads;
    // The last waiting thread is the one that keeps time for delayed lanes.
    const auto idle_until = std::chrono::steady_clock::now() + options.idle_thread;
    const auto until = delayed.empty() ? idle_until : std::min(delayed.begin()->first, idle_until);
    const std::cv_status status = work.wait_until(lock, until);
    --waiting_threads;
    if (stopping) return false;
    if (status == std::cv_status::no_timeout || has_work()) return true;
    if (!delayed.empty() && waiting_threads == 0) return true;
    return std::chrono::steady_clock::now() < idle_until;
  }

  void serve() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      Lane* lane = take();
      if (lane == nullptr) {
        if (!wait_for_work(lock)) break;
        continue;
      }
      lock.unlock();
      const Next next = run_step(*lane);
      lock.lock();
      put_back(*lane, next);
    }
    if (--threads == 0) quiesced.notify_all();
  }
};

Lanes::Lanes(LaneOptions options, Step step)
    : state_(std::make_unique<State>(options, std::move(step))) {}

Lanes::~Lanes() { stop(); }

void Lanes::wake(const std::string& task_id, const std::string& user_id) {
  state_->wake(task_id, user_id, false);
}

void Lanes::wake_background(const std::string& id) { state_->wake(id, "", true); }

bool Lanes::run_one(const std::function<std::size_t(std::size_t)>& choose) {
  std::unique_lock lock(state_->mutex);
  const auto candidates = state_->candidates();
  if (candidates.empty()) return false;
  Lane& lane = *candidates[choose(candidates.size())];
  state_->take_this(lane);
  lock.unlock();
  const Next next = state_->run_step(lane);
  lock.lock();
  state_->put_back(lane, next);
  return true;
}

void Lanes::stop() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->work.notify_all();
  state_->quiesced.wait(lock, [this] { return state_->threads == 0; });
}

Lanes::Load Lanes::load() const {
  const std::lock_guard lock(state_->mutex);
  return {static_cast<int>(state_->lanes.size()), state_->start_queue.waiting()};
}

std::optional<QueuePlace> Lanes::place(const std::string& task_id) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->lanes.find(task_id);
  if (found == state_->lanes.end()) return std::nullopt;
  const Lane& lane = *found->second;
  if (lane.place != Lane::Place::start_queue || lane.background) return std::nullopt;
  const int before = state_->start_queue.before(lane);
  return QueuePlace{before + 1, state_->start_queue.expected_wait(before)};
}

}  // namespace resmgr::tasks
