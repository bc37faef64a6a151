#include "agent/api/responder.h"

#include <utility>

namespace resmgr::api {
namespace {

// What may wait for a slow reader, beside the piece that is being sent.
constexpr std::size_t kHighWater = 32 * 1024;

}  // namespace

Exchange::Mail Exchange::collect(SteadyTime now) {
  std::function<void()> on_change;
  Mail mail;
  {
    const std::lock_guard lock(mutex_);
    mail.proceed = std::exchange(proceed_, false);
    if (!answered_ && otherwise_at_ && *otherwise_at_ <= now) {
      answered_ = true;
      answer_ = std::move(otherwise_);
    }
    mail.answer = std::exchange(answer_, std::nullopt);
    mail.stream = stream_.open;
    if (!stream_.open) return mail;
    mail.until = stream_.until;
    const bool has_more = !stream_.bytes.empty() || stream_.ended;
    if (stream_.head && (has_more || stream_.head_due <= now)) {
      mail.head = std::exchange(stream_.head, std::nullopt);
    }
    if (!stream_.bytes.empty()) {
      mail.bytes = std::exchange(stream_.bytes, {});
      on_change = stream_.on_change;
      changed_.notify_all();
    }
    mail.ended = stream_.ended;
    mail.aborted = stream_.aborted;
  }
  if (on_change) on_change();
  return mail;
}

bool Exchange::due(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (otherwise_at_ && !answered_ && *otherwise_at_ <= now) return true;
  return stream_.open && stream_.head && stream_.head_due <= now;
}

void Exchange::detach() {
  std::function<void()> on_change;
  {
    const std::lock_guard lock(mutex_);
    door_ = nullptr;
    on_change = std::move(stream_.on_change);
    changed_.notify_all();
  }
  if (on_change) on_change();
}

void Responder::send(Response response) const {
  const std::lock_guard lock(exchange_->mutex_);
  if (std::exchange(exchange_->answered_, true)) return;
  exchange_->answer_ = std::move(response);
  exchange_->wake();
}

void Responder::proceed() const {
  const std::lock_guard lock(exchange_->mutex_);
  exchange_->proceed_ = true;
  exchange_->wake();
}

void Responder::otherwise_after(std::chrono::milliseconds wait, Response response) const {
  const std::lock_guard lock(exchange_->mutex_);
  exchange_->otherwise_at_ = std::chrono::steady_clock::now() + wait;
  exchange_->otherwise_ = std::move(response);
}

Stream Responder::stream(Response head, const StreamOptions& options) const {
  const std::lock_guard lock(exchange_->mutex_);
  Exchange& exchange = *exchange_;
  if (!std::exchange(exchange.answered_, true)) {
    exchange.stream_.open = true;
    exchange.stream_.head = std::move(head);
    exchange.stream_.head_due = std::chrono::steady_clock::now() + options.hold_head;
    exchange.stream_.until = options.until;
    exchange.wake();
  }
  return Stream(exchange_);
}

bool Stream::write(std::string_view bytes) const {
  const std::lock_guard lock(exchange_->mutex_);
  auto& stream = exchange_->stream_;
  if (exchange_->door_ == nullptr || !stream.open || stream.ended) return false;
  const bool was_empty = stream.bytes.empty();
  stream.bytes += bytes;
  if (was_empty && !bytes.empty()) exchange_->wake();
  return true;
}

bool Stream::wait_for_room() const {
  std::unique_lock lock(exchange_->mutex_);
  auto& stream = exchange_->stream_;
  exchange_->changed_.wait(lock, [&] {
    return exchange_->door_ == nullptr || !stream.open || stream.ended ||
           stream.bytes.size() < kHighWater;
  });
  return exchange_->door_ != nullptr && stream.open && !stream.ended;
}

bool Stream::has_room() const {
  const std::lock_guard lock(exchange_->mutex_);
  return exchange_->stream_.bytes.size() < kHighWater;
}

bool Stream::gone() const {
  const std::lock_guard lock(exchange_->mutex_);
  return exchange_->door_ == nullptr || !exchange_->stream_.open || exchange_->stream_.ended;
}

void Stream::end() const {
  const std::lock_guard lock(exchange_->mutex_);
  if (std::exchange(exchange_->stream_.ended, true)) return;
  exchange_->wake();
}

void Stream::abort() const {
  const std::lock_guard lock(exchange_->mutex_);
  exchange_->stream_.ended = true;
  exchange_->stream_.aborted = true;
  exchange_->wake();
}

void Stream::fail(Response response) const {
  const std::lock_guard lock(exchange_->mutex_);
  auto& stream = exchange_->stream_;
  if (!stream.open || stream.ended) return;
  if (stream.head) {
    // Not a byte has left: it becomes an ordinary answer.
    stream.open = false;
    exchange_->answer_ = std::move(response);
  } else {
    stream.ended = true;
    stream.aborted = true;
  }
  exchange_->wake();
}

void Stream::on_change(std::function<void()> listener) const {
  {
    const std::lock_guard lock(exchange_->mutex_);
    if (exchange_->door_ != nullptr && exchange_->stream_.open && !exchange_->stream_.ended) {
      exchange_->stream_.on_change = std::move(listener);
      return;
    }
  }
  listener();
}

}  // namespace resmgr::api
