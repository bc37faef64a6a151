// Reading connections: as many as there are readers at once, kept for the next ones.
#ifndef RESMGR_AGENT_JOURNAL_READER_POOL_H_
#define RESMGR_AGENT_JOURNAL_READER_POOL_H_

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/journal/database.h"
#include "agent/journal/journal.h"

namespace resmgr::journal {

// Thread-safe. The lock is held only while a connection is taken or given back.
class ReaderPool {
 public:
  explicit ReaderPool(std::string file, Millis busy_timeout);
  ~ReaderPool();
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  // Journal::read().
  void read(const std::function<void(Reader&)>& body);

  // Connections that no one uses just now.
  std::size_t idle() const;

 private:
  struct Connection;
  std::unique_ptr<Connection> take();
  void give_back(std::unique_ptr<Connection> connection);

  std::string file_;
  Millis busy_timeout_;
  mutable std::mutex mutex_;
  // The one used last is at the back, and is taken first: those that are needless grow old in
  // front.
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_READER_POOL_H_
