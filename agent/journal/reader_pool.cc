#include "agent/journal/reader_pool.h"

#include <utility>

#include "agent/journal/snapshot_reader.h"

namespace resmgr::journal {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// So many stay open however long nobody reads; each costs up to its cache and some 200 KiB of
// prepared statements.
constexpr std::size_t kAlwaysKept = 2;
constexpr std::chrono::seconds kKeptIdle{10};
constexpr int kCacheKib = 512;

constexpr std::string_view kBegin = "BEGIN";
constexpr std::string_view kEnd = "COMMIT";

}  // namespace

struct ReaderPool::Connection {
  Connection(const std::string& file, Millis busy_timeout)
      : database(file, {.access = Database::Access::read_only,
                        .busy_timeout = busy_timeout,
                        .cache_kib = kCacheKib}) {}

  Database database;
  SnapshotReader reader{database};
  SteadyTime last_used;
};

ReaderPool::ReaderPool(std::string file, Millis busy_timeout)
    : file_(std::move(file)), busy_timeout_(busy_timeout) {}

ReaderPool::~ReaderPool() = default;

// A connection on which something failed is not given back: the next reader gets a fresh one.
void ReaderPool::read(const std::function<void(Reader&)>& body) {
  auto connection = take();
  Database& database = connection->database;
  Query(database, kBegin).run();
  try {
    body(connection->reader);
  } catch (const DatabaseError&) {
    throw;
  } catch (...) {
    database.roll_back();
    give_back(std::move(connection));
    throw;
  }
  Query(database, kEnd).run();
  give_back(std::move(connection));
}

std::size_t ReaderPool::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

std::unique_ptr<ReaderPool::Connection> ReaderPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return std::make_unique<Connection>(file_, busy_timeout_);
}

void ReaderPool::give_back(std::unique_ptr<Connection> connection) {
  const auto now = std::chrono::steady_clock::now();
  connection->last_used = now;
  std::unique_ptr<Connection> needless;  // closed after the lock is gone
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
  if (idle_.size() > kAlwaysKept && now - idle_.front()->last_used > kKeptIdle) {
    needless = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
}

}  // namespace resmgr::journal
