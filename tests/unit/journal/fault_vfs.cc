#include "tests/unit/journal/fault_vfs.h"

#include <sqlite3.h>

#include <memory>
#include <stdexcept>
#include <thread>

namespace resmgr::journal {
namespace {

sqlite3_vfs* beneath = nullptr;
sqlite3_vfs shim;
FaultVfs* current = nullptr;

// What SQLite keeps of an open file; the layer beneath has its own right behind it.
struct File {
  sqlite3_file base;
  bool is_log;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

}  // namespace

struct FaultVfs::Access {
  static int open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags,
                  int* out_flags) {
    auto* const ours = reinterpret_cast<File*>(file);
    ours->base.pMethods = nullptr;
    ours->is_log = (flags & SQLITE_OPEN_WAL) != 0;
    const int result = beneath->xOpen(beneath, name, ours->real(), flags, out_flags);
    if (ours->real()->pMethods != nullptr) ours->base.pMethods = &kMethods;
    return result;
  }
  static int close(sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); }
  static int read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
    if (const int fault = current->read_fault_) return fault;
    return real(f)->pMethods->xRead(real(f), to, size, at);
  }
  static int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
    if (const int fault = current->write_fault_) return fault;
    if (current->full_ && current->full_()) return SQLITE_FULL;
    return real(f)->pMethods->xWrite(real(f), from, size, at);
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    return real(f)->pMethods->xTruncate(real(f), size);
  }
  static int sync(sqlite3_file* f, int flags) {
    if (const int fault = current->sync_fault_) return fault;
    std::this_thread::sleep_for(current->sync_delay_.load());
    if (reinterpret_cast<File*>(f)->is_log) ++current->log_syncs_;
    return real(f)->pMethods->xSync(real(f), flags);
  }
  static int file_size(sqlite3_file* f, sqlite3_int64* size) {
    return real(f)->pMethods->xFileSize(real(f), size);
  }
  static int lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
  static int unlock(sqlite3_file* f, int level) {
    return real(f)->pMethods->xUnlock(real(f), level);
  }
  static int check_reserved(sqlite3_file* f, int* out) {
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
  }
  static int control(sqlite3_file* f, int op, void* argument) {
    return real(f)->pMethods->xFileControl(real(f), op, argument);
  }
  static int sector_size(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
  static int characteristics(sqlite3_file* f) {
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
  }
  static int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** at) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, at);
  }
  static int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
  }
  static void shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
  static int shm_unmap(sqlite3_file* f, int remove) {
    return real(f)->pMethods->xShmUnmap(real(f), remove);
  }

  static const sqlite3_io_methods kMethods;
};

// Version 2: shared memory, for write-ahead logs, and no memory-mapped files.
const sqlite3_io_methods FaultVfs::Access::kMethods = {2,
                                                       close,
                                                       read,
                                                       write,
                                                       truncate,
                                                       sync,
                                                       file_size,
                                                       lock,
                                                       unlock,
                                                       check_reserved,
                                                       control,
                                                       sector_size,
                                                       characteristics,
                                                       shm_map,
                                                       shm_lock,
                                                       shm_barrier,
                                                       shm_unmap,
                                                       nullptr,
                                                       nullptr};

FaultVfs::FaultVfs() {
  if (current != nullptr) throw std::logic_error("one FaultVfs at a time");
  current = this;
  beneath = sqlite3_vfs_find(nullptr);
  shim = *beneath;
  shim.zName = "fault";
  shim.szOsFile = static_cast<int>(sizeof(File)) + beneath->szOsFile;
  shim.xOpen = &Access::open;
  sqlite3_vfs_register(&shim, 1);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&shim);
  sqlite3_vfs_register(beneath, 1);
  current = nullptr;
}

}  // namespace resmgr::journal
