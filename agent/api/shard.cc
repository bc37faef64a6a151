#include "agent/api/shard.h"

// Asio of Boost 1.74 uses std::exchange without including this.
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <deque>
#include <list>
#include <thread>

#include "agent/api/connection.h"
#include "agent/api/response_head.h"
#include "common/ids.h"
#include "common/log.h"

namespace resmgr::api {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr int kAcceptsInARow = 64;
// A connection whose head takes longer than this may be given up for another one.
constexpr std::chrono::seconds kPatience{1};
constexpr std::chrono::milliseconds kAcceptPause{100};

// How often deadlines are looked at: often enough for the shortest of them.
std::chrono::milliseconds tick_for(const Deadlines& deadlines) {
  const auto shortest =
      std::min({deadlines.head, deadlines.body, deadlines.idle, deadlines.write, deadlines.linger});
  return std::clamp(shortest / 4, std::chrono::milliseconds{10}, std::chrono::milliseconds{1'000});
}

void set_tcp_options(int fd) {
  const int on = 1;
  // Answers are written whole: waiting to fill a segment only costs time. Without keep-alive a
  // stream to a host that vanished would stay for ever.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

}  // namespace

struct Shard::State {
  State(Shard& its_shard, ServerContext& its_context)
      : shard(its_shard),
        context(its_context),
        tick(tick_for(its_context.options.deadlines)),
        id_prefix(random_hex(4) + "-") {}

  struct Acceptor {
    Acceptor(asio::io_context& its_io, int fd, std::function<void(Accepted)> its_place)
        : descriptor(its_io, fd), pause(its_io), place(std::move(its_place)) {}
    asio::posix::stream_descriptor descriptor;
    asio::steady_timer pause;
    std::function<void(Accepted)> place;
  };

  void wait_to_accept(Acceptor& acceptor);
  void accept_some(Acceptor& acceptor);
  bool identify(int fd, const sockaddr_storage& from, Accepted& accepted);
  void adopt(Accepted accepted);
  bool make_room();
  template <typename Fits>
  std::shared_ptr<Connection> slowest(Fits fits) const;
  void schedule_sweep();
  void sweep();

  Shard& shard;
  ServerContext& context;
  const std::chrono::milliseconds tick;
  const std::string id_prefix;
  std::uint64_t next_id = 0;
  std::time_t date_second = -1;
  std::string date_text;
  std::array<char, Shard::kScratchBytes> scratch{};
  bool sweeping = false;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> count{0};

  // A hint of 1: only this thread runs it, others post.
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::steady_timer timer{io};
  std::deque<Acceptor> acceptors;
  std::list<std::shared_ptr<Connection>> connections;  // oldest first
  std::thread thread;
};

void Shard::State::wait_to_accept(Acceptor& acceptor) {
  acceptor.descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                 [this, &acceptor](const error_code& ec) {
                                   if (!ec && !draining) accept_some(acceptor);
                                 });
}

void Shard::State::accept_some(Acceptor& acceptor) {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int fd = accept4(acceptor.descriptor.native_handle(), reinterpret_cast<sockaddr*>(&from),
                           &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Accepted accepted;
      accepted.fd = OwnedFd(fd);
      if (identify(fd, from, accepted)) acceptor.place(std::move(accepted));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // The connection stays in the backlog; trying again at once would only burn time.
      make_room();
      acceptor.pause.expires_after(kAcceptPause);
      acceptor.pause.async_wait([this, &acceptor](const error_code& ec) {
        if (!ec) wait_to_accept(acceptor);
      });
      return;
    } else if (errno == EAGAIN || errno == EBADF || errno == EINVAL) {
      break;
    }
  }
  wait_to_accept(acceptor);
}

// Who is at the other end; false if they may not have another connection.
bool Shard::State::identify(int fd, const sockaddr_storage& from, Accepted& accepted) {
  if (from.ss_family != AF_INET && from.ss_family != AF_INET6) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return false;
    accepted.peer.uid = credentials.uid;
    return true;
  }
  const Address address = Address::of(from);
  const std::string& refused = context.options.refused_interface;
  if (!refused.empty() && is_behind(refused, address)) {
    log::debug("Refused a task's connection from {Address}", {{"Address", address.text()}});
    return false;
  }
  set_tcp_options(fd);
  accepted.peer.address = address.text();
  accepted.peer.trusted_proxy = context.trusted_proxies.holds(address);
  if (accepted.peer.trusted_proxy || address.is_loopback()) return true;
  if (!context.addresses.take(accepted.peer.address, context.options.max_connections_per_address)) {
    return false;
  }
  accepted.lease = AddressCounts::Lease(&context.addresses, accepted.peer.address);
  return true;
}

void Shard::State::adopt(Accepted accepted) {
  const bool full = context.connections.load(std::memory_order_relaxed) >= context.most_connections;
  if (draining || (full && !make_room())) return;
  auto connection = std::make_shared<Connection>(shard, io, std::move(accepted));
  connection->place = connections.insert(connections.end(), connection);
  count.store(connections.size(), std::memory_order_relaxed);
  connection->start();
  schedule_sweep();
}

// Whose head takes longer than it should, the longest of all that fit.
template <typename Fits>
std::shared_ptr<Connection> Shard::State::slowest(Fits fits) const {
  std::shared_ptr<Connection> slow;
  for (const auto& connection : connections) {
    if (!connection->is_reading_head() || connection->is_idle() || !fits(*connection)) continue;
    if (!slow || connection->waiting_since() < slow->waiting_since()) slow = connection;
  }
  const auto least_patience = std::chrono::steady_clock::now() - kPatience;
  return slow && slow->waiting_since() < least_patience ? slow : nullptr;
}

// Gives up a connection for another one: the one that has waited longest for a request, else the
// one that has been longest at a head and had its time. A slow flood then hits itself.
bool Shard::State::make_room() {
  std::shared_ptr<Connection> victim;
  for (const auto& connection : connections) {
    if (!connection->is_idle()) continue;
    if (!victim || connection->waiting_since() < victim->waiting_since()) victim = connection;
  }
  if (!victim) victim = slowest([](const Connection&) { return true; });
  if (victim) victim->close();
  return victim != nullptr;
}

void Shard::State::schedule_sweep() {
  if (sweeping || connections.empty()) return;
  sweeping = true;
  timer.expires_after(tick);
  timer.async_wait([this](const error_code& ec) {
    sweeping = false;
    if (!ec) sweep();
  });
}

void Shard::State::sweep() {
  const auto now = std::chrono::steady_clock::now();
  for (auto next = connections.begin(); next != connections.end();) {
    // It may remove itself.
    const std::shared_ptr<Connection> connection = *next++;
    connection->check_deadline(now);
  }
  schedule_sweep();
}

Shard::Shard(ServerContext& context) : state_(std::make_unique<State>(*this, context)) {}

Shard::~Shard() { close_all(); }

void Shard::accept_from(int listening_fd, std::function<void(Accepted)> place) {
  state_->wait_to_accept(
      state_->acceptors.emplace_back(state_->io, listening_fd, std::move(place)));
}

void Shard::run() {
  state_->thread = std::thread([state = state_.get()] { state->io.run(); });
}

void Shard::adopt(Accepted accepted) {
  asio::dispatch(state_->io, [state = state_.get(), accepted = std::move(accepted)]() mutable {
    state->adopt(std::move(accepted));
  });
}

void Shard::post(std::function<void()> task) { asio::post(state_->io, std::move(task)); }

void Shard::drain() {
  state_->draining = true;
  asio::post(state_->io, [state = state_.get()] {
    state->acceptors.clear();
    for (auto next = state->connections.begin(); next != state->connections.end();) {
      const std::shared_ptr<Connection> connection = *next++;
      if (connection->is_idle()) connection->close();
    }
  });
}

bool Shard::is_empty() const { return state_->count.load(std::memory_order_relaxed) == 0; }

void Shard::close_all() {
  if (!state_->thread.joinable()) return;
  asio::post(state_->io, [state = state_.get()] {
    state->acceptors.clear();
    while (!state->connections.empty()) {
      const std::shared_ptr<Connection> connection = state->connections.front();
      connection->close();
    }
    state->work.reset();
    state->io.stop();
  });
  state_->thread.join();
}

ServerContext& Shard::context() { return state_->context; }
bool Shard::draining() const { return state_->draining.load(std::memory_order_relaxed); }
char* Shard::scratch() { return state_->scratch.data(); }

std::string Shard::next_request_id() {
  std::array<char, 16> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), ++state_->next_id, 16).ptr;
  return state_->id_prefix + std::string(buffer.data(), end);
}

std::string_view Shard::date() {
  const std::time_t now = std::time(nullptr);
  if (now != state_->date_second) {
    state_->date_second = now;
    state_->date_text = http_date(now);
  }
  return state_->date_text;
}

bool Shard::free_buffers(const Connection& other) {
  const auto slow = state_->slowest([&](const Connection& connection) {
    return &connection != &other && connection.has_charges();
  });
  if (slow) slow->close();
  return slow != nullptr;
}

void Shard::remove(Connection& connection) {
  state_->connections.erase(connection.place);
  state_->count.store(state_->connections.size(), std::memory_order_relaxed);
}

}  // namespace resmgr::api
