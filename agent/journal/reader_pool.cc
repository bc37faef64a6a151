#include "agent/journal/reader_pool.h"

#include <chrono>
#include <cstddef>
#include <utility>

#include "agent/journal/snapshot_reader.h"

namespace resmgr::journal {
namespace {

using std::chrono::steady_clock;

// So many stay open however long nobody reads; each costs up to its cache and some 200 KiB of
// prepared statements.
constexpr std::ptrdiff_t kAlwaysKept = 2;
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
  steady_clock::time_point last_used;
};

// One reader's, with a connection for as long as it reads.
class ReaderPool::Turn {
 public:
  explicit Turn(ReaderPool& pool);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Connection& connection() { return *connection_; }
  // It is whole, and is for others to use after. Else it is closed.
  void keep() { kept_ = true; }

 private:
  void end();

  ReaderPool& pool_;
  std::unique_ptr<Connection> connection_;
  bool kept_ = false;
};

ReaderPool::Turn::Turn(ReaderPool& pool) : pool_(pool) {
  {
    std::unique_lock lock(pool_.mutex_);
    pool_.given_back_.wait_for(lock, pool_.options_.patience,
                               [this] { return pool_.reading_ < pool_.options_.at_once; });
    ++pool_.reading_;
    if (!pool_.idle_.empty()) {
      connection_ = std::move(pool_.idle_.back());
      pool_.idle_.pop_back();
      return;
    }
  }
  try {
    connection_ = std::make_unique<Connection>(pool_.file_, pool_.busy_timeout_);
  } catch (...) {
    end();
    throw;
  }
}

ReaderPool::Turn::~Turn() { end(); }

void ReaderPool::Turn::end() {
  const auto now = steady_clock::now();
  std::vector<std::unique_ptr<Connection>> needless;  // closed after the lock is gone
  {
    const std::lock_guard lock(pool_.mutex_);
    --pool_.reading_;
    auto& idle = pool_.idle_;
    if (kept_) {
      connection_->last_used = now;
      idle.push_back(std::move(connection_));
    }
    auto oldest = idle.begin();
    while (idle.end() - oldest > kAlwaysKept &&
           now - (*oldest)->last_used >= pool_.options_.kept_idle) {
      needless.push_back(std::move(*oldest++));
    }
    idle.erase(idle.begin(), oldest);
  }
  pool_.given_back_.notify_one();
}

ReaderPool::ReaderPool(std::string file, Millis busy_timeout, ReaderPoolOptions options)
    : file_(std::move(file)), busy_timeout_(busy_timeout), options_(options) {}

ReaderPool::~ReaderPool() = default;

// A connection on which something failed is not given back: the next reader gets a fresh one.
void ReaderPool::read(const std::function<void(Reader&)>& body) {
  Turn turn(*this);
  Database& database = turn.connection().database;
  Query(database, kBegin).run();
  try {
    body(turn.connection().reader);
  } catch (const DatabaseError&) {
    throw;
  } catch (...) {
    database.roll_back();
    turn.keep();
    throw;
  }
  Query(database, kEnd).run();
  turn.keep();
}

std::size_t ReaderPool::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

}  // namespace resmgr::journal
