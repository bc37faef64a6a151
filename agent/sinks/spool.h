// Lines that wait on disk for a destination: bounded, and nobody waits for the disk.
//
// It is for what may be lost rather than hold anything up: the agent's log and its access lines.
// When it is full the oldest give way, and when the disk is, the newest; how many were lost is
// known to the reader. Nothing is ever forced to the disk: after a power loss the last lines may be
// gone.
//
// A line has a number; a segment is a file whose name is the number of its first line, so that what
// is missing between two segments is the difference of two numbers.
#ifndef RESMGR_AGENT_SINKS_SPOOL_H_
#define RESMGR_AGENT_SINKS_SPOOL_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace resmgr::sinks {

struct SpoolOptions {
  std::string folder;
  std::int64_t most_bytes = std::int64_t{64} << 20;       // of all segments
  std::size_t most_waiting_bytes = std::size_t{4} << 20;  // in memory, until they are written
};

class Spool {
 public:
  // Goes on where an earlier process ended, less a last line that was not written whole. Throws
  // Error(config) for a folder (made with mode 0700 where it is missing) that can't be used.
  explicit Spool(SpoolOptions options);
  ~Spool();  // writes what is still in memory
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // From any thread. `line` is CLEF, without a line feed.
  void append(std::string line) noexcept;
  // Waits until what was appended before can be read.
  void flush();

  // Where a reader stands.
  struct Mark {
    std::int64_t line = 0;     // the next one's number
    std::int64_t segment = 0;  // its file
    std::int64_t offset = 0;   // in it
  };
  // Either lines, or how many are missing before the next one, or nothing.
  struct Chunk {
    std::vector<std::string> lines;
    std::int64_t missing = 0;
    Mark end;

    bool empty() const { return lines.empty() && missing == 0; }
  };
  // All three are for one thread. The oldest lines that were not released, at least one.
  Chunk read(std::size_t most_lines, std::size_t most_bytes);
  // The chunk that was read last is done with, also by the next process.
  void release(const Chunk& chunk);
  // Keeps a line that the destination never takes in a file beside the segments, as long as that
  // one is small. Returns the file's name.
  std::string set_aside(std::string_view line);

 private:
  struct Segment {
    std::int64_t first = 0;  // number of its first line
    std::int64_t bytes = 0;  // of whole lines
  };

  std::string path_of(std::int64_t segment) const;
  std::string cursor_file() const { return options_.folder + "/cursor"; }
  void find_segments();
  void mend_last();
  void find_cursor();
  std::deque<Segment> segments();

  // The writing thread's.
  void write_all(const std::stop_token& stop);
  void write(const std::vector<std::string>& lines);
  bool write_piece(std::string_view piece);
  bool write_at_end(std::string_view piece);
  void make_room(std::int64_t bytes);
  void close_segment();

  // The reading thread's.
  bool enter_segment(const std::deque<Segment>& all, Chunk& chunk);
  bool take_lines(std::string_view text, std::size_t most_lines, std::size_t most_bytes,
                  Chunk& chunk) const;

  const SpoolOptions options_;
  const std::int64_t segment_bytes_;
  Mark mark_;  // the reading thread's

  // The writing thread's.
  int fd_ = -1;
  Segment last_;                // as it stands in segments_
  std::int64_t next_line_ = 0;  // number of the next line that is written or lost
  std::int64_t last_end_ = -1;  // number after the last segment's lines; -1: there is none

  std::mutex mutex_;  // over what follows
  std::condition_variable_any changed_;
  std::deque<Segment> segments_;
  std::vector<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::int64_t lost_ = 0;  // after those that wait
  std::int64_t appended_ = 0;
  std::int64_t settled_ = 0;  // written or lost, of the appended

  std::jthread writer_;  // ends first
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_SPOOL_H_
