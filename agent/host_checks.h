// Whether this host can serve, each thing by itself: what `resmgr doctor` asks of the agent.
#ifndef RESMGR_AGENT_HOST_CHECKS_H_
#define RESMGR_AGENT_HOST_CHECKS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/checks.h"
#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "agent/settings.h"
#include "agent/sinks/status.h"
#include "agent/tasks/task_service.h"

namespace resmgr {

// All must outlive the checks.
struct HostParts {
  const Settings& settings;
  engine::Engine& engine;
  journal::Journal& journal;
  tasks::TaskService& tasks;
  const sinks::Pumps& pumps;
};

// Engine, its live-restore, catalog, an image a service, journal, disk, clock, ports, the socket's
// group, public_url, and what waits for each destination. None of them changes anything.
std::vector<Check> host_checks(const HostParts& parts);

// Each of them by itself.
Check engine_check(engine::Engine& engine);
Check live_restore_check(engine::Engine& engine);
Check image_check(engine::Engine& engine, const catalog::Service& service);
// `floor` bytes are wanted free in `folder`, or no start is admitted.
Check disk_check(std::string name, const std::string& folder, std::int64_t floor);
// Whether something keeps it right, as the kernel says, or else as what lies in /run shows.
Check clock_check(std::optional<bool> kept_right, std::string run_dir);
std::optional<bool> kernels_word_on_clock();
// Whether tasks' ports can be published at this address, and how many of "LOW-HIGH" are free
// (empty: the engine chooses).
Check ports_check(std::string address, std::string range);
// A group of this name may use the socket.
Check group_check(const std::string& group);
// Whether an agent answers at this URL; empty: it is not configured.
Check public_url_check(const std::string& url);
// Of what a destination has not got.
Check backlog_check(const sinks::SinkStatus& status);

}  // namespace resmgr

#endif  // RESMGR_AGENT_HOST_CHECKS_H_
