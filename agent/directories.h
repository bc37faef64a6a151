// The agent's data and run directories: one agent each, held by a lock.
#ifndef RESMGR_AGENT_DIRECTORIES_H_
#define RESMGR_AGENT_DIRECTORIES_H_

#include <string>
#include <string_view>

namespace resmgr {

// Makes the directory (with `mode`) where it is missing and locks it for the process's life, or
// until destroyed; the kernel lets go of the lock however the process ends. Throws Error(config)
// that names who has it.
class LockedDirectory {
 public:
  LockedDirectory(std::string path, unsigned mode);
  ~LockedDirectory();
  LockedDirectory(const LockedDirectory&) = delete;
  LockedDirectory& operator=(const LockedDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  void name_holder() const;

  std::string path_;
  int lock_ = -1;
};

// The journal's name in the data directory.
inline constexpr std::string_view kJournalFile = "journal.db";

// Writes a file so that it is there whole or not at all, also after a power loss.
void write_file_atomically(const std::string& path, std::string_view text, unsigned mode);

// The random UUID that names this agent, made at the first start. It lies beside the journal, not
// in it: after a restore of the journal the containers are still this agent's.
std::string load_agent_id(const LockedDirectory& data);

// 32 random bytes as hex, from which each task's secret is made. Made at the first start.
std::string load_secret_key(const LockedDirectory& data);

}  // namespace resmgr

#endif  // RESMGR_AGENT_DIRECTORIES_H_
