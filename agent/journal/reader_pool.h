// Reading connections: as many as there are readers at once, kept for the next ones.
#ifndef RESMGR_AGENT_JOURNAL_READER_POOL_H_
#define RESMGR_AGENT_JOURNAL_READER_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/journal/database.h"
#include "agent/journal/journal.h"

namespace resmgr::journal {

struct ReaderPoolOptions {
  // Of readers that come all at once more than these wait for a connection that comes back, for so
  // long; then they get one more, for who reads long, or reads while it reads, must not stop
  // others.
  std::size_t at_once = 16;
  Millis patience{100};
  // How long one is kept that nobody uses.
  Millis kept_idle{10'000};
};

// Thread-safe. The lock is held only while a connection is taken or given back.
class ReaderPool {
 public:
  explicit ReaderPool(std::string file, Millis busy_timeout, ReaderPoolOptions options = {});
  ~ReaderPool();
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  // Journal::read().
  void read(const std::function<void(Reader&)>& body);

  // Connections that no one uses just now.
  std::size_t idle() const;

 private:
  struct Connection;
  class Turn;

  const std::string file_;
  const Millis busy_timeout_;
  const ReaderPoolOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable given_back_;
  std::size_t reading_ = 0;
  // The one used last is at the back, and is taken first: those that are needless grow old in
  // front.
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_READER_POOL_H_
