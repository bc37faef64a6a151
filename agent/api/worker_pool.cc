#include "agent/api/worker_pool.h"

#include <system_error>
#include <thread>
#include <utility>

namespace resmgr::api {

WorkerPool::WorkerPool(std::size_t threads, std::size_t queue, std::chrono::milliseconds idle)
    : most_threads_(threads), most_waiting_(queue), idle_(idle) {}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::submit(Job job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  // Idle threads may already have been woken for the jobs that wait.
  const bool needs_thread = jobs_.size() >= idle_threads_;
  if (needs_thread && threads_ < most_threads_) {
    try {
      // Detached, so that it can end by itself; stop() waits for threads_ to become 0.
      std::thread([this] { work(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      // The host gives no more threads: those that are there will do.
      if (threads_ == 0) return false;
    }
  } else if (needs_thread && jobs_.size() - idle_threads_ >= most_waiting_) {
    return false;
  }
  jobs_.push_back(std::move(job));
  work_.notify_one();
  return true;
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (jobs_.empty()) {
      ++idle_threads_;
      const bool woken =
          work_.wait_for(lock, idle_, [this] { return !jobs_.empty() || stopping_; });
      --idle_threads_;
      if (!woken) break;
      continue;
    }
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job(stop_source_.get_token());
    lock.lock();
  }
  --threads_;
  // Under the lock: the pool may be gone as soon as it is released.
  gone_.notify_all();
}

void WorkerPool::stop() {
  std::deque<Job> dropped;
  std::unique_lock lock(mutex_);
  stopping_ = true;
  dropped.swap(jobs_);
  work_.notify_all();
  lock.unlock();
  // Without the lock: a job's stop callback may want to submit.
  stop_source_.request_stop();
  lock.lock();
  gone_.wait(lock, [this] { return threads_ == 0; });
}

std::size_t WorkerPool::threads() const {
  const std::lock_guard lock(mutex_);
  return threads_;
}

}  // namespace resmgr::api
