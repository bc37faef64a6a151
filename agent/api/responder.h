// The door between a connection and whoever answers its request, on whatever thread.
#ifndef RESMGR_AGENT_API_RESPONDER_H_
#define RESMGR_AGENT_API_RESPONDER_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "agent/api/message.h"

namespace resmgr::api {

using SteadyTime = std::chrono::steady_clock::time_point;

// One request and what becomes of it: a mailbox that the answering side fills and the connection
// empties. It outlives the connection for as long as someone may still answer.
class Exchange {
 public:
  // The connection's side. wake() is called with the exchange's lock held, on any thread: it only
  // schedules a look into the mailbox.
  class Door {
   public:
    virtual ~Door() = default;
    virtual void wake() = 0;
  };

  explicit Exchange(Door* door) : door_(door) {}

  Request request;

  // What the answering side left. Called by the connection, on its own thread.
  struct Mail {
    bool proceed = false;             // the head was admitted: read the body
    std::optional<Response> answer;   // whole
    bool stream = false;              // a stream is open (from then on: true in every look)
    std::optional<Response> head;     // of the stream, once, when it is due
    std::string bytes;                // of the stream
    bool ended = false;               // nothing follows `bytes`
    bool aborted = false;             // what was sent must not look whole
    std::optional<SteadyTime> until;  // the stream ends then at the latest, as if aborted
  };
  Mail collect(SteadyTime now);
  // What has become due by itself; whether a look into the mailbox is worth it.
  bool due(SteadyTime now);
  // The connection is gone, or done with this exchange: later answers are dropped.
  void detach();

 private:
  friend class Responder;
  friend class Stream;

  struct StreamState {
    bool open = false;
    std::optional<Response> head;  // until it was collected
    SteadyTime head_due{};
    std::string bytes;
    bool ended = false;
    bool aborted = false;
    std::optional<SteadyTime> until;
    std::function<void()> on_change;
  };
  void wake() {
    if (door_ != nullptr) door_->wake();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Door* door_;
  bool proceed_ = false;
  bool answered_ = false;
  std::optional<Response> answer_;
  std::optional<SteadyTime> otherwise_at_;
  std::optional<Response> otherwise_;
  StreamState stream_;
};

// An answer that comes in pieces. Copies are one stream. Thread-safe.
class Stream {
 public:
  explicit Stream(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  // Never blocks. False: the caller is gone, or the stream has ended.
  bool write(std::string_view bytes) const;
  // Blocks while more than a bound waits to be sent. False as for write().
  bool wait_for_room() const;
  bool has_room() const;
  bool gone() const;
  void end() const;
  // Ends the connection so that what was sent can't be taken for the whole.
  void abort() const;
  // Answers `response` instead if nothing was sent yet, else as abort().
  void fail(Response response) const;
  // `listener` is called, on any thread, whenever there is room again and once the caller is gone
  // (at once if that is so already). It must be quick.
  void on_change(std::function<void()> listener) const;

 private:
  std::shared_ptr<Exchange> exchange_;
};

struct StreamOptions {
  // Wait this long with status and headers, so that fail() can still answer properly; they go out
  // with the first bytes at the latest.
  std::chrono::milliseconds hold_head{0};
  // The stream is cut then.
  std::optional<SteadyTime> until;
};

// Copies answer the same request; the first answer counts, later ones are dropped.
class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  void send(Response response) const;
  // The head is admitted; the body may be read.
  void proceed() const;
  // What to answer if nothing was by then. Checked about once a second.
  void otherwise_after(std::chrono::milliseconds wait, Response response) const;
  // Opens a stream. For HEAD there is nobody to read it: gone() is then true.
  Stream stream(Response head, const StreamOptions& options) const;

  // Valid while this is held and no answer was given.
  Request& request() const { return exchange_->request; }

 private:
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_RESPONDER_H_
