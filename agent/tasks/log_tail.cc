#include "agent/tasks/log_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stop_token>
#include <utility>

#include "common/error.h"
#include "common/failpoint.h"

namespace resmgr::tasks {
namespace {

// Enough lines for 64 KiB of usual ones; what they hold beyond that is cut at the front.
constexpr int kTailLines = 4'000;

[[noreturn]] void fail(const std::string& path) {
  throw Error(ErrorKind::unavailable,
              "cannot keep output in '" + path + "': " + std::strerror(errno));
}

void write_file(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) fail(temporary);
  bool good = true;
  while (good && !text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    good = written >= 0;
    if (good) text.remove_prefix(static_cast<std::size_t>(written));
  }
  good = good && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  failpoint("log_tail.before_rename");
  if (good && rename(temporary.c_str(), path.c_str()) == 0) {
    failpoint("log_tail.after_rename");
    return;
  }
  if (!good) errno = error;
  unlink(temporary.c_str());
  fail(path);
}

}  // namespace

std::string_view last_lines(std::string_view text, int lines) {
  if (lines <= 0) return {};
  std::size_t at = text.size();
  if (at > 0 && text.back() == '\n') --at;
  while (at > 0) {
    if (text[at - 1] == '\n' && --lines == 0) break;
    --at;
  }
  return text.substr(at);
}

LogTails::LogTails(std::string folder) : folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
  if (error) {
    throw Error(ErrorKind::config, "cannot make directory '" + folder_ + "': " + error.message());
  }
}

void LogTails::keep(engine::Engine& engine, const std::string& container_id,
                    const std::string& task_id) {
  std::string kept;
  engine::LogOptions options;
  options.tail = kTailLines;
  engine.logs(
      container_id, options,
      [&](std::string_view bytes) {
        kept.append(bytes);
        if (kept.size() > 2 * kLogTailBytes) kept.erase(0, kept.size() - kLogTailBytes);
        return true;
      },
      std::stop_token{});
  if (kept.size() > kLogTailBytes) kept.erase(0, kept.size() - kLogTailBytes);
  if (!kept.empty()) write_file(path(task_id), kept);
}

bool LogTails::has(const std::string& task_id) const {
  return access(path(task_id).c_str(), F_OK) == 0;
}

void LogTails::forget(const std::string& task_id) const { unlink(path(task_id).c_str()); }

void LogTails::read(const std::string& task_id, const engine::LogOptions& options,
                    const std::function<bool(std::string_view)>& on_bytes) const {
  std::ifstream file(path(task_id), std::ios::binary);
  if (!file) {
    throw Error(ErrorKind::not_found,
                "cannot read the output of task '" + task_id + "': nothing is kept");
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  on_bytes(options.tail ? last_lines(text, *options.tail) : std::string_view(text));
}

std::string LogTails::path(const std::string& task_id) const {
  return folder_ + "/" + task_id + ".log";
}

}  // namespace resmgr::tasks
