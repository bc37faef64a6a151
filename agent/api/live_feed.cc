#include "agent/api/live_feed.h"

// Asio of Boost 1.74 uses std::exchange without including this.
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "agent/api/event_feed.h"
#include "agent/api/live_client.h"
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

std::chrono::milliseconds sweep_interval(const LiveOptions& options) {
  return std::clamp(std::min(options.write, options.close) / 4, std::chrono::milliseconds{10},
                    std::chrono::milliseconds{1'000});
}

}  // namespace

struct LiveFeed::State final : LiveClient::Hub {
  State(const FeedSources& sources, const LiveOptions& its_options)
      : journal(sources.journal),
        starts(sources.starts),
        options(its_options),
        kept(options.kept_messages, options.kept_bytes),
        board(sources) {}

  LiveMessage next(LiveClient& client, bool waited) override;
  void gone(LiveClient& client) override;

  void join(Handover handover, const LiveHandshake& handshake, LiveSubscription subscription);
  void read_new();
  void follow_starts();
  void schedule_progress();
  void begin_round();
  void go_round();
  bool read_backlog(LiveClient& client) const;
  LiveMessage resync(LiveClient& client) const;
  void schedule_sweep();
  void close_all();

  journal::Journal& journal;
  const tasks::StartTracker& starts;
  const LiveOptions options;
  std::atomic<std::size_t> count{0};
  std::atomic<bool> poked{false};
  std::atomic<bool> progress_due{false};  // a look at the starts is to come

  std::mutex mutex;  // of the next four
  bool stopped = false;
  std::optional<int> journal_subscription;
  std::optional<int> start_subscription;
  std::thread thread;

  // From here on of the thread alone. A hint of 1: only this thread runs it, others post.
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::steady_timer sweep_timer{io};
  asio::steady_timer progress_timer{io};
  bool sweeping = false;
  bool closing = false;
  KeptEvents kept;
  ProgressBoard board;
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
    kept.restart(journal.head());
    board.clear();
  }
  auto client = std::make_shared<LiveClient>(*this, io, options, std::move(handover),
                                             std::move(subscription));
  client->place = clients.insert(clients.end(), client);
  count.store(clients.size(), std::memory_order_relaxed);
  client->start(handshake);
  schedule_sweep();
  follow_starts();
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
  while (client.backlog.empty() && subscription.after < kept.floor()) {
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
  if (auto message = kept.next(subscription.after, subscription.user_id)) return message;
  auto progress = board.next(client.progress_seen, subscription.user_id);
  // Nobody is too slow because of what need not have been sent.
  client.follows = progress == nullptr;
  return progress;
}

LiveMessage LiveFeed::State::resync(LiveClient& client) const {
  client.subscription.resync = false;
  std::string line = resync_line(journal, client.subscription.after);
  line.pop_back();  // its newline
  return std::make_shared<const std::string>(std::move(line));
}

// The next page of what it asked for and is not kept here. False: it was closed.
bool LiveFeed::State::read_backlog(LiveClient& client) const {
  LiveSubscription& subscription = client.subscription;
  try {
    bool pruned = false;
    const auto events = journal.reading([&](journal::Reader& reader) {
      pruned = reader.pruned().events_to > subscription.after;
      return reader.events_after(subscription.after, kBacklogAtOnce, subscription.user_id);
    });
    if (pruned) {
      subscription.after = kept.floor();
      subscription.resync = true;
      return true;
    }
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      client.backlog.push_back(message_of(*event));
    }
    // A short page holds all there is up to where the others are, and perhaps more.
    const std::int64_t last = events.empty() ? 0 : events.back().seq;
    subscription.after = events.size() == kBacklogAtOnce ? last : std::max(last, kept.floor());
    return true;
  } catch (const std::exception& error) {
    log::warning("Live updates ended: {Reason}", {{"Reason", error.what()}});
    client.close(live_close::kOurFault, "the journal can't be read");
    return false;
  }
}

void LiveFeed::State::read_new() {
  poked = false;
  if (clients.empty()) return;
  try {
    const auto events = journal.reading([&](journal::Reader& reader) {
      return reader.events_after(kept.read_to(), kReadAtOnce, "");
    });
    for (const Event& event : events) {
      kept.keep(event);
      board.note(event);
    }
    if (events.size() == kReadAtOnce) asio::post(io, [this] { read_new(); });
  } catch (const std::exception& error) {
    // The next commit brings them.
    log::warning("Live updates are late: {Reason}", {{"Reason", error.what()}});
  }
  begin_round();
}

// A start has come further. On any thread.
void LiveFeed::State::follow_starts() {
  if (count.load(std::memory_order_relaxed) == 0 || progress_due.exchange(true)) return;
  asio::post(io, [this] { schedule_progress(); });
}

void LiveFeed::State::schedule_progress() {
  progress_timer.expires_after(ProgressBoard::kInterval);
  progress_timer.async_wait([this](const error_code& ec) {
    progress_due = false;
    if (ec || clients.empty()) return;
    try {
      if (board.refresh()) begin_round();
    } catch (const std::exception& error) {
      // The next change brings it.
      log::warning("Progress of starts is late: {Reason}", {{"Reason", error.what()}});
    }
  });
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

LiveFeed::LiveFeed(const FeedSources& sources, const LiveOptions& options)
    : state_(std::make_unique<State>(sources, options)) {}

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
    state.start_subscription = state.starts.subscribe([&state] { state.follow_starts(); });
    state.thread = std::thread([&state] { state.io.run(); });
  }
  asio::post(state.io, [&state, handover = std::move(handover), handshake = std::move(handshake),
                        subscription = std::move(subscription)]() mutable {
    state.join(std::move(handover), handshake, std::move(subscription));
  });
}

void LiveFeed::stop() {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    if (std::exchange(state.stopped, true) || !state.thread.joinable()) return;
  }
  state.journal.unsubscribe(*state.journal_subscription);
  state.starts.unsubscribe(*state.start_subscription);
  asio::post(state.io, [&state] { state.close_all(); });
  state.thread.join();
}

}  // namespace resmgr::api
