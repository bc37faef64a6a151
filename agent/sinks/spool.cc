// The reader's side of the spool, and what an earlier process left.
#include "agent/sinks/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "common/error.h"
#include "common/file_bytes.h"

namespace resmgr::sinks {
namespace {

constexpr std::string_view kSuffix = ".clef";
constexpr std::size_t kDigits = 19;
constexpr std::int64_t kSegments = 16;
constexpr std::int64_t kLargestSegment = 4 << 20;
constexpr std::int64_t kMostSetAside = 1 << 20;

// Another one than was written stands there after a power loss: zeros, or a part of one.
bool is_whole(std::string_view line) {
  return line.starts_with("{\"@t\":\"") && line.ends_with('}') &&
         std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::optional<std::int64_t> segment_named(std::string_view file) {
  if (file.size() != kDigits + kSuffix.size() || !file.ends_with(kSuffix)) return std::nullopt;
  return number_in(file.substr(0, kDigits));
}

std::vector<std::string> names_in(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    throw Error(ErrorKind::config,
                "cannot make directory '" + folder + "': " + std::strerror(errno));
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(folder.c_str()), &closedir);
  if (!opened || access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    throw Error(ErrorKind::config,
                "cannot use directory '" + folder + "': " + std::strerror(errno));
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(opened.get())) names.emplace_back(entry->d_name);
  return names;
}

std::string bytes_of(const std::string& path) {
  constexpr std::size_t kMore = 2;  // than a segment may have
  return read_file_bytes(path, kMore * kLargestSegment).bytes;
}

}  // namespace

Spool::Spool(SpoolOptions options)
    : options_(std::move(options)),
      segment_bytes_(std::min(options_.most_bytes / kSegments, kLargestSegment)) {
  find_segments();
  mend_last();
  find_cursor();
  writer_ = std::jthread([this](const std::stop_token& stop) { write_all(stop); });
}

Spool::~Spool() {
  writer_.request_stop();
  writer_.join();
  close_segment();
}

std::string Spool::path_of(std::int64_t segment) const {
  std::array<char, kDigits + 1> name{};
  std::snprintf(name.data(), name.size(), "%019lld", static_cast<long long>(segment));
  return options_.folder + "/" + name.data() + std::string(kSuffix);
}

void Spool::find_segments() {
  for (const std::string& name : names_in(options_.folder)) {
    const auto first = segment_named(name);
    struct stat status {};
    if (!first || stat((options_.folder + "/" + name).c_str(), &status) != 0) continue;
    segments_.push_back({*first, status.st_size});
  }
  std::ranges::sort(segments_, {}, &Segment::first);
}

// The next line goes after the last whole one.
void Spool::mend_last() {
  if (segments_.empty()) return;
  Segment& last = segments_.back();
  const std::string path = path_of(last.first);
  const std::string text = bytes_of(path);
  const auto end = text.rfind('\n');
  last.bytes = end == std::string::npos ? 0 : static_cast<std::int64_t>(end) + 1;
  next_line_ = last.first + std::ranges::count(text, '\n');
  if (last.bytes == 0) {
    segments_.pop_back();
    unlink(path.c_str());
    return;
  }
  last_ = last;
  last_end_ = next_line_;
}

void Spool::find_cursor() {
  constexpr std::size_t kMost = 64;
  std::string text = read_file_bytes(cursor_file(), kMost).bytes;
  while (text.ends_with('\n')) text.pop_back();
  const std::int64_t first = segments_.empty() ? 0 : segments_.front().first;
  mark_.line = number_in(text).value_or(first);
  next_line_ = std::max(next_line_, segments_.empty() ? mark_.line : 0);
  // Segments that are lost altogether; what comes now has other numbers.
  mark_.line = std::min(mark_.line, next_line_);
  const auto after = std::ranges::upper_bound(segments_, mark_.line, {}, &Segment::first);
  if (after == segments_.begin()) return;
  mark_.segment = std::prev(after)->first;
  const std::string lines = bytes_of(path_of(mark_.segment));
  std::size_t offset = 0;
  for (std::int64_t line = mark_.segment; line < mark_.line; ++line) {
    const auto end = lines.find('\n', offset);
    if (end == std::string::npos) break;
    offset = end + 1;
  }
  mark_.offset = static_cast<std::int64_t>(offset);
}

std::deque<Spool::Segment> Spool::segments() {
  const std::lock_guard lock(mutex_);
  return segments_;
}

// Moves the chunk's end to where lines are. False: there are none.
bool Spool::enter_segment(const std::deque<Segment>& all, Chunk& chunk) {
  const auto here = std::ranges::find(all, chunk.end.segment, &Segment::first);
  if (here != all.end() && chunk.end.offset < here->bytes) return true;
  const auto next = std::ranges::find_if(all, [&](const Segment& segment) {
    return segment.first >= chunk.end.line && segment.first != chunk.end.segment;
  });
  if (next == all.end()) return false;
  // What an earlier process could not write whole it may have counted as lost.
  chunk.missing += std::max<std::int64_t>(0, next->first - chunk.end.line);
  chunk.end = {next->first, next->first, 0};
  return true;
}

// False: the segment's rest holds no whole line.
bool Spool::take_lines(std::string_view text, std::size_t most_lines, std::size_t most_bytes,
                       Chunk& chunk) const {
  std::size_t bytes = 0;
  while (chunk.lines.size() < most_lines) {
    const auto end = text.find('\n', static_cast<std::size_t>(chunk.end.offset));
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(static_cast<std::size_t>(chunk.end.offset),
                                              end - static_cast<std::size_t>(chunk.end.offset));
    const bool whole = is_whole(line);
    // One or the other.
    if (whole ? chunk.missing > 0 : !chunk.lines.empty()) break;
    if (whole && !chunk.lines.empty() && bytes + line.size() > most_bytes) break;
    if (whole) {
      chunk.lines.emplace_back(line);
      bytes += line.size();
    } else {
      ++chunk.missing;
    }
    ++chunk.end.line;
    chunk.end.offset = static_cast<std::int64_t>(end) + 1;
  }
  return !chunk.empty();
}

Spool::Chunk Spool::read(std::size_t most_lines, std::size_t most_bytes) {
  Chunk chunk;
  chunk.end = mark_;
  for (;;) {
    const std::deque<Segment> all = segments();
    if (!enter_segment(all, chunk) || chunk.missing > 0) return chunk;
    const Segment here = *std::ranges::find(all, chunk.end.segment, &Segment::first);
    std::string text = bytes_of(path_of(here.first));
    text.resize(std::min(text.size(), static_cast<std::size_t>(here.bytes)));
    if (take_lines(text, most_lines, most_bytes, chunk)) return chunk;
    // It gave way meanwhile, or can't be read, or ends in a part of a line.
    if (here.first == all.back().first) return chunk;
    chunk.end.offset = here.bytes;
  }
}

void Spool::release(const Chunk& chunk) {
  mark_ = chunk.end;
  const std::string made = cursor_file() + ".new";
  if (std::FILE* const file = std::fopen(made.c_str(), "we")) {
    const bool written = std::fprintf(file, "%lld\n", static_cast<long long>(mark_.line)) > 0;
    if (std::fclose(file) == 0 && written) std::rename(made.c_str(), cursor_file().c_str());
  }
  std::vector<std::int64_t> done;
  {
    const std::lock_guard lock(mutex_);
    while (segments_.size() > 1 && segments_.front().first < mark_.segment) {
      done.push_back(segments_.front().first);
      segments_.pop_front();
    }
  }
  for (const std::int64_t segment : done) unlink(path_of(segment).c_str());
}

std::string Spool::set_aside(std::string_view line) {
  std::string path = options_.folder + "/rejected" + std::string(kSuffix);
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  struct stat status {};
  if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size < kMostSetAside) {
    const std::string whole = std::string(line) + "\n";
    // It is a copy for people: what does not fit on the disk is left out.
    [[maybe_unused]] const ssize_t written = ::write(fd, whole.data(), whole.size());
  }
  if (fd >= 0) close(fd);
  return path;
}

}  // namespace resmgr::sinks
