#include "agent/api/live_feed.h"

// Asio of Boost 1.74 uses std::exchange without including this.
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <list>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "agent/api/event_feed.h"
#include "agent/api/live_client.h"
#include "agent/api/task_json.h"
#include "common/log.h"

namespace resmgr::api {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

// Events that are read at once.
constexpr int kReadAtOnce = 256;
constexpr int kBacklogAtOnce = 64;
// Clients that are served in a row before the others' answers are looked at.
constexpr int kClientsInARow = 128;

LiveMessage message_of(const Event& event) {
  std::string text;
  append_event(text, event);
  return std::make_shared<const std::string>(std::move(text));
}

std::chrono::milliseconds sweep_interval(const LiveOptions& options) {
  return std::clamp(std::min(options.write, options.close) / 4, std::chrono::milliseconds{10},
                    std::chrono::milliseconds{1'000});
}

}  // namespace

struct LiveFeed::State final : LiveClient::Hub {
  State(journal::Journal& its_journal, const LiveOptions& its_options)
      : journal(its_journal), options(its_options) {}

  LiveMessage next(LiveClient& client, bool waited) override;
  void gone(LiveClient& client) override;

  void run();
  void join(Handover handover, const LiveHandshake& handshake, LiveSubscription subscription);
  void read_new();
  void keep(const Event& event);
  void begin_round();
  void go_round();
  bool read_backlog(LiveClient& client);
  LiveMessage resync(LiveClient& client);
  void schedule_sweep();
  void close_all();

  struct Kept {
    std::int64_t seq;
    std::string user_id;
    LiveMessage text;
  };

  journal::Journal& journal;
  const LiveOptions options;
  std::atomic<std::size_t> count{0};
  std::atomic<bool> poked{false};

  std::mutex mutex;  // of the next three
  bool stopped = false;
  std::optional<int> journal_subscription;
  std::thread thread;

  // From here on of the thread alone. A hint of 1: only this thread runs it, others post.
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::steady_timer sweep_timer{io};
  bool sweeping = false;
  bool closing = false;
  std::deque<Kept> kept;  // every event after `floor`, up to `read_to`
  std::size_t kept_bytes = 0;
  std::int64_t floor = 0;
  std::int64_t read_to = 0;
  std::list<std::shared_ptr<LiveClient>> clients;
  std::list<std::shared_ptr<LiveClient>>::iterator round = clients.end();  // whose turn it is
  bool in_round = false;
  bool another_round = false;
};

void LiveFeed::State::join(Handover handover, const LiveHandshake& handshake,
                           LiveSubscription subscription) {
  if (closing) return;
  if (clients.empty()) {
    // While nobody listened nothing was read.
    kept.clear();
    kept_bytes = 0;
    floor = read_to = journal.head();
  }
  auto client = std::make_shared<LiveClient>(*this, io, options, std::move(handover),
                                             std::move(subscription));
  client->place = clients.insert(clients.end(), client);
  count.store(clients.size(), std::memory_order_relaxed);
  client->start(handshake);
  schedule_sweep();
}

void LiveFeed::State::gone(LiveClient& client) {
  if (round == client.place) ++round;
  clients.erase(client.place);
  count.store(clients.size(), std::memory_order_relaxed);
  if (closing && clients.empty()) io.stop();
}

LiveMessage LiveFeed::State::next(LiveClient& client, bool waited) {
  LiveSubscription& subscription = client.subscription;
  if (subscription.resync) return resync(client);
  while (client.backlog.empty() && subscription.after < floor) {
    // While it took one message, thousands came.
    if (client.follows && !waited) {
      client.close(live_close::kTooSlow, "too slow; come back with the last seq");
      return nullptr;
    }
    if (!read_backlog(client)) return nullptr;
    if (subscription.resync) return resync(client);
  }
  if (!client.backlog.empty()) {
    LiveMessage message = std::move(client.backlog.back());
    client.backlog.pop_back();
    return message;
  }
  const auto begin =
      std::upper_bound(kept.begin(), kept.end(), subscription.after,
                       [](std::int64_t seq, const Kept& event) { return seq < event.seq; });
  for (auto event = begin; event != kept.end(); ++event) {
    subscription.after = event->seq;
    if (subscription.user_id.empty() || subscription.user_id == event->user_id) return event->text;
  }
  client.follows = true;
  return nullptr;
}

LiveMessage LiveFeed::State::resync(LiveClient& client) {
  client.subscription.resync = false;
  std::string line = resync_line(journal, client.subscription.after);
  line.pop_back();  // its newline
  return std::make_shared<const std::string>(std::move(line));
}

// The next page of what it asked for and is not kept here. False: it was closed.
bool LiveFeed::State::read_backlog(LiveClient& client) {
  LiveSubscription& subscription = client.subscription;
  try {
    bool pruned = false;
    const auto events = journal.reading([&](journal::Reader& reader) {
      pruned = reader.pruned().events_to > subscription.after;
      return reader.events_after(subscription.after, kBacklogAtOnce, subscription.user_id);
    });
    if (pruned) {
      subscription.after = floor;
      subscription.resync = true;
      return true;
    }
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      client.backlog.push_back(message_of(*event));
    }
    // A short page holds all there is up to where the others are, and perhaps more.
    const std::int64_t last = events.empty() ? 0 : events.back().seq;
    subscription.after = events.size() == kBacklogAtOnce ? last : std::max(last, floor);
    return true;
  } catch (const std::exception& error) {
    log::warning("Live updates ended: {Reason}", {{"Reason", error.what()}});
    client.close(live_close::kOurFault, "the journal can't be read");
    return false;
  }
}

void LiveFeed::State::keep(const Event& event) {
  kept.push_back({event.seq, event.user_id, message_of(event)});
  kept_bytes += kept.back().text->size();
  read_to = event.seq;
  while (kept.size() > options.kept_messages || kept_bytes > options.kept_bytes) {
    floor = kept.front().seq;
    kept_bytes -= kept.front().text->size();
    kept.pop_front();
  }
}

void LiveFeed::State::read_new() {
  poked = false;
  if (clients.empty()) return;
  try {
    const auto events = journal.reading(
        [&](journal::Reader& reader) { return reader.events_after(read_to, kReadAtOnce, ""); });
    for (const Event& event : events) keep(event);
    if (events.size() == kReadAtOnce) asio::post(io, [this] { read_new(); });
  } catch (const std::exception& error) {
    // The next commit brings them.
    log::warning("Live updates are late: {Reason}", {{"Reason", error.what()}});
  }
  begin_round();
}

// Wakes everyone who waits; who is at a message goes on by itself.
void LiveFeed::State::begin_round() {
  if (in_round) {
    another_round = true;
    return;
  }
  in_round = true;
  round = clients.begin();
  go_round();
}

void LiveFeed::State::go_round() {
  for (int i = 0; i < kClientsInARow && round != clients.end(); ++i) {
    // It may be gone after that.
    const std::shared_ptr<LiveClient> client = *round++;
    client->wake();
  }
  if (round != clients.end()) return asio::post(io, [this] { go_round(); });
  in_round = false;
  if (std::exchange(another_round, false)) begin_round();
}

void LiveFeed::State::schedule_sweep() {
  if (sweeping || clients.empty()) return;
  sweeping = true;
  sweep_timer.expires_after(sweep_interval(options));
  sweep_timer.async_wait([this](const error_code& ec) {
    sweeping = false;
    if (ec) return;
    const auto now = steady_clock::now();
    for (auto next = clients.begin(); next != clients.end();) {
      const std::shared_ptr<LiveClient> client = *next++;
      client->check_deadlines(now);
    }
    schedule_sweep();
  });
}

void LiveFeed::State::close_all() {
  closing = true;
  if (clients.empty()) return io.stop();
  for (auto next = clients.begin(); next != clients.end();) {
    const std::shared_ptr<LiveClient> client = *next++;
    client->close(live_close::kGoingAway, "the agent stops");
  }
}

LiveFeed::LiveFeed(journal::Journal& journal, const LiveOptions& options)
    : state_(std::make_unique<State>(journal, options)) {}

LiveFeed::~LiveFeed() { stop(); }

std::size_t LiveFeed::clients() const { return state_->count.load(std::memory_order_relaxed); }

bool LiveFeed::has_room() const { return clients() < state_->options.most_clients; }

void LiveFeed::add(Handover handover, LiveHandshake handshake, LiveSubscription subscription) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  if (state.stopped) return;
  if (!state.thread.joinable()) {
    state.journal_subscription = state.journal.subscribe([&state](std::int64_t) {
      if (!state.poked.exchange(true)) asio::post(state.io, [&state] { state.read_new(); });
    });
    state.thread = std::thread([&state] { state.io.run(); });
  }
  asio::post(state.io, [&state, handover = std::move(handover), handshake = std::move(handshake),
                        subscription = std::move(subscription)]() mutable {
    state.join(std::move(handover), handshake, std::move(subscription));
  });
}

void LiveFeed::stop() {
  State& state = *state_;
  std::optional<int> journal_subscription;
  {
    const std::lock_guard lock(state.mutex);
    if (std::exchange(state.stopped, true) || !state.thread.joinable()) return;
    journal_subscription = state.journal_subscription;
  }
  state.journal.unsubscribe(*journal_subscription);
  asio::post(state.io, [&state] { state.close_all(); });
  state.thread.join();
}

}  // namespace resmgr::api
