// Reading connections: as many as there are readers at once, up to a bound that gives way to who
// waited long, kept for the next ones.
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
  // While so many read, whoever comes waits until one of them is through, `patience` at most; it
  // then gets a connection more, so that a long read, or one inside another, stops nobody.
  std::size_t at_once = 16;
  Millis patience{100};
  // Those that nobody used for so long are closed, but for two.
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
