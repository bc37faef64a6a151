// What the I/O threads of one server share.
#ifndef RESMGR_AGENT_API_SERVER_CONTEXT_H_
#define RESMGR_AGENT_API_SERVER_CONTEXT_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "agent/api/address.h"
#include "agent/api/http_server.h"
#include "agent/api/listener.h"
#include "agent/api/request_parser.h"

namespace resmgr::api {

// Memory for requests in the making, bounded over all connections.
class BufferBudget {
 public:
  explicit BufferBudget(std::size_t bytes) : left_(bytes) {}
  bool take(std::size_t bytes) {
    std::size_t left = left_.load(std::memory_order_relaxed);
    do {
      if (left < bytes) return false;
    } while (!left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed));
    return true;
  }
  void give(std::size_t bytes) { left_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> left_;
};

// How many connections each address has.
class AddressCounts {
 public:
  // One connection of one address; it is counted for as long as this lives.
  class Lease {
   public:
    Lease() = default;
    Lease(AddressCounts* counts, std::string address)
        : counts_(counts), address_(std::move(address)) {}
    ~Lease() {
      if (counts_ != nullptr) counts_->give_back(address_);
    }
    Lease(Lease&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), address_(std::move(other.address_)) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(counts_, other.counts_);
      std::swap(address_, other.address_);
      return *this;
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

   private:
    AddressCounts* counts_ = nullptr;
    std::string address_;
  };

  // Whether there was room for another one.
  bool take(const std::string& address, std::size_t most) {
    const std::lock_guard lock(mutex_);
    std::size_t& count = counts_[address];
    if (count >= most) return false;
    ++count;
    return true;
  }

 private:
  void give_back(const std::string& address) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(address);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
  }
  std::mutex mutex_;
  std::map<std::string, std::size_t> counts_;
};

// A place among the connections that are served at once; taken for as long as this lives.
class Seat {
 public:
  Seat() = default;
  explicit Seat(std::atomic<std::size_t>& taken) : taken_(&taken) {
    taken_->fetch_add(1, std::memory_order_relaxed);
  }
  ~Seat() {
    if (taken_ != nullptr) taken_->fetch_sub(1, std::memory_order_relaxed);
  }
  Seat(Seat&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
  Seat& operator=(Seat&& other) noexcept {
    std::swap(taken_, other.taken_);
    return *this;
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

 private:
  std::atomic<std::size_t>* taken_ = nullptr;
};

struct ServerContext {
  ServerContext(ServerOptions its_options, Application& its_application)
      : options(std::move(its_options)),
        application(its_application),
        limits{options.max_head_bytes, options.max_headers, options.max_body_bytes},
        trusted_proxies(options.trusted_proxies),
        budget(options.max_buffered_bytes),
        most_connections(options.max_connections) {}

  const ServerOptions options;
  Application& application;
  const ParserLimits limits;
  const NetworkList trusted_proxies;
  BufferBudget budget;
  AddressCounts addresses;
  std::size_t most_connections;  // of all kinds; constant once the server runs
  std::atomic<std::size_t> connections{0};
};

// A connection that was accepted.
struct Accepted {
  OwnedFd fd;
  Peer peer;
  AddressCounts::Lease lease;
};

// A connection that is no longer one of HTTP, with all that it takes of what is bounded.
struct Handover {
  OwnedFd fd;  // non-blocking
  AddressCounts::Lease lease;
  Seat seat;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_SERVER_CONTEXT_H_
