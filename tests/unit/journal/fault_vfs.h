// A disk that fails on demand: SQLite's own file layer, with faults put in between.
#ifndef RESMGR_TESTS_UNIT_JOURNAL_FAULT_VFS_H_
#define RESMGR_TESTS_UNIT_JOURNAL_FAULT_VFS_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <utility>

namespace resmgr::journal {

// While one lives, every file that SQLite opens lies on it. One at a time; it must outlive the
// connections that were opened meanwhile.
class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // From now on writes (syncs, reads) answer this code of SQLite's; SQLITE_OK = they work again.
  void fail_writes(int code) { write_fault_ = code; }
  // … while that says that the disk is full. Set it while nobody writes.
  void fill_while(std::function<bool()> full) { full_ = std::move(full); }
  void fail_syncs(int code) { sync_fault_ = code; }
  void fail_reads(int code) { read_fault_ = code; }
  // Each sync takes at least so long.
  void slow_syncs(std::chrono::microseconds delay) { sync_delay_ = delay; }
  // Syncs of write-ahead logs that went well.
  int log_syncs() const { return log_syncs_; }

  struct Access;  // the C functions behind it

 private:
  std::atomic<int> write_fault_{0};
  std::function<bool()> full_;
  std::atomic<int> sync_fault_{0};
  std::atomic<int> read_fault_{0};
  std::atomic<std::chrono::microseconds> sync_delay_{std::chrono::microseconds{0}};
  std::atomic<int> log_syncs_{0};
};

}  // namespace resmgr::journal

#endif  // RESMGR_TESTS_UNIT_JOURNAL_FAULT_VFS_H_
