#include "agent/engine/cgroup_stats.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <system_error>
#include <vector>

namespace resmgr::engine {
namespace {

namespace fs = std::filesystem;

// Far above what these files hold; of a longer one the beginning is enough.
constexpr std::size_t kMostRead = std::size_t{64} * 1024;
constexpr std::size_t kFullIdSize = 64;

bool is_full_id(std::string_view id) {
  return id.size() == kFullIdSize && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::optional<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(kMostRead, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  // A control group that is removed meanwhile gives an error, not an end.
  if (in.bad() || in.gcount() == 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = end == text.data() + text.size() || *end == '\n' || *end == ' ';
  if (fault != std::errc() || !whole || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> read_number(const fs::path& path) {
  const auto text = read_file(path);
  return text ? parse_number(*text) : std::nullopt;
}

// Cuts off and returns what stands before the first `end`, or all.
std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    const std::string_view word = take_until(text, ' ');
    if (!word.empty()) result.push_back(word);
  }
  return result;
}

// "key value" lines.
std::optional<std::int64_t> value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (take_until(line, ' ') == key) return parse_number(line);
  }
  return std::nullopt;
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    if (take_until(list, ',') == word) return true;
  }
  return false;
}

}  // namespace

std::string parse_cgroup_path(std::string_view text, std::string_view controller) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view hierarchy = take_until(line, ':');
    const std::string_view controllers = take_until(line, ':');
    const bool found = controller.empty() ? hierarchy == "0" && controllers.empty()
                                          : has_word(controllers, controller);
    if (found) return std::string(line);
  }
  return {};
}

bool parse_net_dev(std::string_view text, Stats& stats) {
  constexpr std::size_t kSentBytes = 8;  // received bytes are the first column
  take_until(text, '\n');
  if (take_until(text, '\n').find('|') == std::string_view::npos) return false;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    std::string_view name = take_until(line, ':');
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    if (name == "lo") continue;
    const std::vector<std::string_view> columns = words(line);
    if (columns.size() <= kSentBytes) return false;
    const auto received = parse_number(columns.front());
    const auto sent = parse_number(columns[kSentBytes]);
    if (!received || !sent) return false;
    stats.network_rx_bytes += *received;
    stats.network_tx_bytes += *sent;
  }
  return true;
}

bool CgroupReader::unified() const {
  std::error_code fault;
  return fs::exists(root_ / "sys/fs/cgroup/cgroup.controllers", fault);
}

fs::path CgroupReader::controller(std::string_view name) const {
  const fs::path base = root_ / "sys/fs/cgroup";
  return unified() ? base : base / name;
}

std::optional<Stats> CgroupReader::read(std::string_view container_id) const {
  if (!is_full_id(container_id)) return std::nullopt;
  const std::string id(container_id);
  for (const std::string& path : {"docker/" + id, "system.slice/docker-" + id + ".scope"}) {
    const Group group{controller("cpuacct") / path, controller("memory") / path};
    if (auto stats = read_group(group)) return stats;
  }
  return std::nullopt;
}

std::optional<Stats> CgroupReader::read(std::string_view container_id, std::int64_t pid) const {
  if (!is_full_id(container_id) || pid <= 0) return std::nullopt;
  const auto text = read_file(root_ / "proc" / std::to_string(pid) / "cgroup");
  if (!text) return std::nullopt;
  const bool v2 = unified();
  const std::string cpu = parse_cgroup_path(*text, v2 ? "" : "cpuacct");
  const std::string memory = parse_cgroup_path(*text, v2 ? "" : "memory");
  for (const std::string& path : {cpu, memory}) {
    // Another process has this number here, or our view of the groups begins elsewhere.
    if (!path.starts_with('/') || path.find("/..") != std::string::npos ||
        path.find(container_id) == std::string::npos) {
      return std::nullopt;
    }
  }
  return read_group(
      {controller("cpuacct") / cpu.substr(1), controller("memory") / memory.substr(1)});
}

std::optional<Stats> CgroupReader::read_group(const Group& group) const {
  Stats stats;
  if (!read_counters(group, stats) || !read_network(group, stats)) return std::nullopt;
  return stats;
}

bool CgroupReader::read_counters(const Group& group, Stats& stats) const {
  if (unified()) {
    const auto text = read_file(group.cpu / "cpu.stat");
    const auto micros = text ? value_of(*text, "usage_usec") : std::nullopt;
    const auto memory = read_number(group.memory / "memory.current");
    if (!micros || !memory) return false;
    stats.cpu_time = std::chrono::floor<Millis>(std::chrono::microseconds(*micros));
    stats.memory_bytes = *memory;
    // Kernels before 5.19 don't keep it; the greatest sample has to do.
    stats.peak_memory_bytes =
        std::max(read_number(group.memory / "memory.peak").value_or(0), *memory);
    return true;
  }
  const auto nanos = read_number(group.cpu / "cpuacct.usage");
  const auto memory = read_number(group.memory / "memory.usage_in_bytes");
  const auto peak = read_number(group.memory / "memory.max_usage_in_bytes");
  if (!nanos || !memory || !peak) return false;
  stats.cpu_time = std::chrono::floor<Millis>(std::chrono::nanoseconds(*nanos));
  stats.memory_bytes = *memory;
  stats.peak_memory_bytes = std::max(*peak, *memory);
  return true;
}

bool CgroupReader::read_network(const Group& group, Stats& stats) const {
  // A group that outlived its container has no process; one of another pid namespace is 0.
  const auto pid = read_number(group.memory / "cgroup.procs");
  if (!pid || *pid == 0) return false;
  const auto text = read_file(root_ / "proc" / std::to_string(*pid) / "net/dev");
  return text && parse_net_dev(*text, stats);
}

}  // namespace resmgr::engine
