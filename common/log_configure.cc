#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "common/log.h"
#include "common/log_sink.h"

namespace resmgr::log {
namespace {

// Never destroyed: threads may log while the process ends.
spdlog::logger& logger() {
  static spdlog::logger* const instance = [] {
    auto* const made =
        new spdlog::logger("resmgr", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%v", spdlog::pattern_time_type::utc, std::string("\n")));
    return made;
  }();
  return *instance;
}

void print(std::string_view line) {
  logger().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

// Whether standard error is the stream that systemd gave us, as systemd.exec(5) says to find out.
bool is_systemd_journal() {
  const char* const given = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (given == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == given;
}

}  // namespace

void configure(Level least, Format format) {
  const bool journal = is_systemd_journal();
  const bool json = format == Format::json ||
                    (format == Format::automatic && !journal && isatty(STDERR_FILENO) == 0);
  const Appearance text = journal ? Appearance::text_with_priority : Appearance::text;
  use_sink(&print, json ? Appearance::json : text);
  set_level(least);
}

}  // namespace resmgr::log
