// Threads for what blocks: they come when there is work and go when there is none.
#ifndef RESMGR_AGENT_API_WORKER_POOL_H_
#define RESMGR_AGENT_API_WORKER_POOL_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>

namespace resmgr::api {

class WorkerPool {
 public:
  using Job = std::function<void(std::stop_token)>;

  // At most `threads` at once; at most `queue` jobs wait for one. A thread without work ends after
  // `idle`.
  WorkerPool(std::size_t threads, std::size_t queue,
             std::chrono::milliseconds idle = std::chrono::milliseconds{5'000});
  ~WorkerPool();  // as stop()
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False if there is no room, or after stop(): the job is dropped unrun. A job must not throw.
  bool submit(Job job);

  // Requests stop of the running jobs, drops the waiting ones, and returns when all have ended.
  void stop();

  std::size_t threads() const;

 private:
  void work();

  const std::size_t most_threads_;
  const std::size_t most_waiting_;
  const std::chrono::milliseconds idle_;
  std::stop_source stop_source_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable gone_;
  std::deque<Job> jobs_;
  std::size_t threads_ = 0;
  std::size_t idle_threads_ = 0;
  bool stopping_ = false;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_WORKER_POOL_H_
