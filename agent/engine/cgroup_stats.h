// What the kernel counts for a container, read from its control group (v1 and v2,
// https://docs.kernel.org/admin-guide/cgroup-v2.html) and /proc. A thousand times quicker than
// asking the engine, and possible only where the engine's files are ours to see.
#ifndef RESMGR_AGENT_ENGINE_CGROUP_STATS_H_
#define RESMGR_AGENT_ENGINE_CGROUP_STATS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/engine/engine.h"

namespace resmgr::engine {

// Thread-safe: holds nothing but a path.
class CgroupReader {
 public:
  // `root` stands before /sys and /proc.
  explicit CgroupReader(std::filesystem::path root = "/") : root_(std::move(root)) {}

  // Looks where Docker's two drivers (cgroupfs, systemd) put the group of a container with this
  // full id. Empty if it is not there, has no process, or can't be read whole.
  std::optional<Stats> read(std::string_view container_id) const;

  // Looks where the process `pid` of the container is. Empty too if that process is not in the
  // container: the engine may count in another pid namespace.
  std::optional<Stats> read(std::string_view container_id, std::int64_t pid) const;

 private:
  struct Group {
    std::filesystem::path cpu;
    std::filesystem::path memory;
  };
  bool unified() const;
  std::filesystem::path controller(std::string_view name) const;
  std::optional<Stats> read_group(const Group& group) const;
  bool read_counters(const Group& group, Stats& stats) const;
  bool read_network(const Group& group, Stats& stats) const;

  std::filesystem::path root_;
};

// Adds up the devices of /proc/<pid>/net/dev but the loopback. False if the text is not
// understood.
bool parse_net_dev(std::string_view text, Stats& stats);

// Path of a control group from /proc/<pid>/cgroup (cgroups(7)): of version 2 if `controller` is
// empty, else of that controller of version 1. Empty if it is not there.
std::string parse_cgroup_path(std::string_view text, std::string_view controller);

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_CGROUP_STATS_H_
