// Space on the journal's disk that is kept for the day on which there is no other.
//
// Users fill the disk that the journal shares. A file of a few MiB beside the journal is then given
// up part by part, so that stops and ends can still be recorded, and made whole again once there is
// space. By parts, because whoever fills the disk takes what is freed, too.
#ifndef RESMGR_AGENT_JOURNAL_BALLAST_H_
#define RESMGR_AGENT_JOURNAL_BALLAST_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace resmgr::journal {

// For one thread at a time. Nothing throws: what it can't do is a reason to refuse
// starts, and none to end.
class Ballast {
 public:
  // Takes over what an earlier process left, and makes it whole if there is room. 0 bytes: there is
  // none, and it counts as whole.
  Ballast(std::string file, std::int64_t bytes);
  Ballast(const Ballast&) = delete;
  Ballast& operator=(const Ballast&) = delete;

  bool whole() const { return size_ >= wanted_; }
  // Gives the next part to the disk; whether there was one.
  bool give();
  // Takes the space again if there is enough of it; whether it is whole then. Tries at most a few
  // times a second, however often it is asked.
  bool refill();

 private:
  void look();
  void allocate();

  const std::string file_;
  std::int64_t wanted_;
  std::int64_t size_ = 0;
  std::chrono::steady_clock::time_point next_try_{};
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_BALLAST_H_
