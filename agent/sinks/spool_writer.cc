// The writer's side of the spool.
#include <fcntl.h>
#include <unistd.h>

#include <new>
#include <utility>

#include "agent/sinks/spool.h"

namespace resmgr::sinks {

void Spool::append(std::string line) noexcept {
  const std::lock_guard lock(mutex_);
  ++appended_;
  changed_.notify_all();
  // One that is lost stands after all that wait, so none may come after it.
  bool is_lost = lost_ > 0 || waiting_bytes_ + line.size() > options_.most_waiting_bytes;
  try {
    if (!is_lost) {
      waiting_bytes_ += line.size();
      waiting_.push_back(std::move(line));
    }
  } catch (const std::bad_alloc&) {
    is_lost = true;
  }
  if (is_lost) ++lost_;
}

void Spool::flush() {
  std::unique_lock lock(mutex_);
  const std::int64_t wanted = appended_;
  changed_.wait(lock, [&] { return settled_ >= wanted; });
}

void Spool::write_all(const std::stop_token& stop) {
  for (;;) {
    std::vector<std::string> lines;
    std::int64_t lost = 0;
    {
      std::unique_lock lock(mutex_);
      const bool any = changed_.wait(lock, stop, [&] { return !waiting_.empty() || lost_ > 0; });
      if (!any) return;
      lines.swap(waiting_);
      lost = std::exchange(lost_, 0);
      waiting_bytes_ = 0;
    }
    write(lines);
    next_line_ += lost;
    const std::lock_guard lock(mutex_);
    settled_ += static_cast<std::int64_t>(lines.size()) + lost;
    changed_.notify_all();
  }
}

void Spool::write(const std::vector<std::string>& lines) {
  std::string piece;
  std::int64_t count = 0;
  const auto put = [&] {
    const bool written = write_piece(piece);
    next_line_ += count;
    if (written) last_end_ = next_line_;
    piece.clear();
    count = 0;
  };
  for (const std::string& line : lines) {
    const auto size = static_cast<std::int64_t>(piece.size() + line.size());
    if (count > 0 && size >= segment_bytes_) put();
    piece.append(line).append("\n");
    ++count;
  }
  if (count > 0) put();
}

// False: its lines are lost.
bool Spool::write_piece(std::string_view piece) {
  const auto size = static_cast<std::int64_t>(piece.size());
  make_room(size);
  // After lines that were lost another one begins, whose name tells of them.
  const bool goes_on = last_end_ == next_line_ && last_.bytes + size <= segment_bytes_;
  if (!goes_on) {
    close_segment();
    last_ = {next_line_, 0};
    last_end_ = -1;
  }
  if (!write_at_end(piece)) return false;
  last_.bytes += size;
  const std::lock_guard lock(mutex_);
  if (!goes_on) segments_.push_back(last_);
  segments_.back().bytes = last_.bytes;
  return true;
}

bool Spool::write_at_end(std::string_view piece) {
  const std::string path = path_of(last_.first);
  if (fd_ < 0) fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) return false;
  std::int64_t offset = last_.bytes;
  while (!piece.empty()) {
    const ssize_t written = pwrite(fd_, piece.data(), piece.size(), offset);
    if (written <= 0) break;
    offset += written;
    piece.remove_prefix(static_cast<std::size_t>(written));
  }
  if (piece.empty()) return true;
  // A part of a line is in nobody's way: the reader goes by the size that is known, and the next
  // process looks for the last whole line.
  if (last_.bytes == 0) unlink(path.c_str());
  return false;
}

// The segment that is written to stays.
void Spool::make_room(std::int64_t bytes) {
  std::vector<std::int64_t> given_up;
  {
    const std::lock_guard lock(mutex_);
    std::int64_t total = bytes;
    for (const Segment& segment : segments_) total += segment.bytes;
    while (total > options_.most_bytes && segments_.size() > 1) {
      total -= segments_.front().bytes;
      given_up.push_back(segments_.front().first);
      segments_.pop_front();
    }
  }
  for (const std::int64_t segment : given_up) unlink(path_of(segment).c_str());
}

void Spool::close_segment() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace resmgr::sinks
