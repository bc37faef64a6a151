// How far the journal had come, kept outside of it: so that a copy of before, put back in its
// place, is told from what it was when the agent ended.
#ifndef RESMGR_AGENT_JOURNAL_HEAD_MARK_H_
#define RESMGR_AGENT_JOURNAL_HEAD_MARK_H_

#include <cstdint>
#include <string>

#include "agent/journal/journal.h"

namespace resmgr::journal {

// A file of one line, "<journal id> <sequence number>", written with each commit that appended an
// event, before whoever committed goes on. It is not synced: it is to outlive the agent, not the
// host, and belongs where no backup is put back, in the run directory.
class HeadMark {
 public:
  // Compares what was written with `journal` as it is now. Throws nothing: a mark that can't be
  // read, or is none, is of no journal.
  HeadMark(std::string file, Journal& journal);
  ~HeadMark();
  HeadMark(const HeadMark&) = delete;
  HeadMark& operator=(const HeadMark&) = delete;

  // Whether the journal was the one of the mark, with all that it had then.
  bool was_whole() const { return was_whole_; }
  // From now on the mark is of this journal. Call once.
  void follow();

 private:
  void write(std::int64_t head);

  const std::string file_;
  Journal& journal_;
  bool was_whole_ = false;
  int descriptor_ = -1;
  int subscription_ = 0;  // 0: none yet
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_HEAD_MARK_H_
