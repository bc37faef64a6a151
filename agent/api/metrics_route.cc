// GET /metrics, for Prometheus.
#include <dirent.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "agent/api/metrics.h"
#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "common/file_bytes.h"
#include "common/task.h"
#include "common/version.h"

namespace resmgr::api {
namespace {

constexpr std::array kStatuses = {TaskStatus::starting, TaskStatus::running, TaskStatus::stopping,
                                  TaskStatus::stopped, TaskStatus::error};
constexpr std::array kSinkStates = {sinks::SinkState::current, sinks::SinkState::sending,
                                    sinks::SinkState::failing, sinks::SinkState::refusing};

// What is known only when it is asked for.
class Families {
 public:
  explicit Families(std::vector<prometheus::MetricFamily> families)
      : families_(std::move(families)) {}

  // What follows belongs to it, until the next one.
  void add(const char* name, prometheus::MetricType type, const char* help) {
    families_.push_back({name, help, type, {}});
  }
  void gauge(const char* name, const char* help) { add(name, prometheus::MetricType::Gauge, help); }
  void counter(const char* name, const char* help) {
    add(name, prometheus::MetricType::Counter, help);
  }
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  void sample(const Labels& labels, double value) {
    prometheus::MetricFamily& family = families_.back();
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    for (const auto& [name, text] : labels) {
      metric.label.push_back({std::string(name), std::string(text)});
    }
    if (family.type == prometheus::MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
  }
  void sample(double value) { sample({}, value); }

  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

template <typename Number>
double number(Number value) {
  return static_cast<double>(value);
}

double seconds(Millis time) { return std::chrono::duration<double>(time).count(); }

void write_tasks(const Parts& parts, Families& families) {
  std::vector<std::int64_t> counts;
  std::map<std::pair<std::string, TaskStatus>, int> active;
  parts.journal.read([&](journal::Reader& reader) {
    counts = reader.counts();
    for (const auto& row : reader.unsettled()) {
      if (is_active(row.task.status)) ++active[{row.task.service_type, row.task.status}];
    }
  });
  families.gauge("resmgr_tasks", "Tasks that are on record, by what became of them.");
  for (std::size_t i = 0; i < kStatuses.size(); ++i) {
    families.sample({{"status", to_string(kStatuses.at(i))}}, number(counts.at(i)));
  }
  families.gauge("resmgr_active_tasks", "Tasks on the way or running, by service.");
  for (const auto& [key, count] : active) {
    families.sample({{"service", key.first}, {"status", to_string(key.second)}}, count);
  }
}

void write_engine(const Parts& parts, Families& families) {
  families.gauge("resmgr_engine_reachable", "1 while the container engine answers.");
  families.sample(parts.tasks.engine_health().reachable ? 1 : 0);
}

void write_journal(const Parts& parts, Families& families) {
  const journal::JournalStatistics statistics = parts.journal.statistics();
  families.counter("resmgr_journal_commits_total",
                   "Commits of the journal, each one forced to the disk.");
  families.sample(number(statistics.commits));
  families.counter("resmgr_journal_transactions_total",
                   "Transactions in these; by commit they are the size of a group.");
  families.sample(number(statistics.transactions));
  families.counter("resmgr_journal_events_total", "Events that were ever recorded.");
  families.sample(number(parts.journal.head()));
}

void write_sinks(const Parts& parts, Families& families) {
  if (parts.sinks == nullptr) return;
  const auto statuses = parts.sinks->statuses();
  families.gauge("resmgr_sink_state", "1 for the state that the destination is in.");
  for (const auto& status : statuses) {
    for (const auto state : kSinkStates) {
      families.sample({{"sink", status.name}, {"state", sinks::to_string(state)}},
                      status.state == state ? 1 : 0);
    }
  }
  families.gauge("resmgr_sink_lag_events", "Events that the destination has not got yet.");
  for (const auto& status : statuses) {
    families.sample({{"sink", status.name}}, number(status.lag_events));
  }
  families.gauge("resmgr_sink_lag_seconds", "Age of the oldest of these.");
  for (const auto& status : statuses) families.sample({{"sink", status.name}}, seconds(status.lag));
  families.counter("resmgr_sink_failures_total", "Deliveries that did not come about.");
  for (const auto& status : statuses) {
    families.sample({{"sink", status.name}}, number(status.failures));
  }
  families.gauge("resmgr_sink_dead_letters", "Messages that the destination never takes.");
  for (const auto& status : statuses) {
    families.sample({{"sink", status.name}}, number(status.dead_letters));
  }
}

void write_pools(const Parts& parts, Families& families) {
  const auto pools = parts.tasks.pools();
  families.gauge("resmgr_warm_containers", "Containers that wait for a task, or are made to.");
  for (const auto& pool : pools) {
    families.sample({{"service", pool.service}, {"state", "ready"}}, pool.ready);
    families.sample({{"service", pool.service}, {"state", "filling"}}, pool.filling);
  }
  families.gauge("resmgr_warm_containers_wanted", "As many as the catalog wants to be ready.");
  for (const auto& pool : pools) families.sample({{"service", pool.service}}, pool.wanted);
  families.counter("resmgr_warm_claims_total",
                   "Starts that got a warm container (hit), or none of those there should be.");
  for (const auto& pool : pools) {
    families.sample({{"service", pool.service}, {"result", "hit"}}, number(pool.hits));
    families.sample({{"service", pool.service}, {"result", "miss"}}, number(pool.misses));
  }
  families.gauge("resmgr_warm_refill_seconds",
                 "Time that it took of late to have a warm container ready.");
  for (const auto& pool : pools) {
    if (pool.refill_time) families.sample({{"service", pool.service}}, seconds(*pool.refill_time));
  }
}

int open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  int count = 0;
  while (folder && readdir(folder.get()) != nullptr) ++count;
  return count - 3;  // ".", "..", and the one by which this was read
}

// The names are those that Prometheus's own clients use.
void write_process(const RouteContext& context, Families& families) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto time_of = [](const timeval& time) {
    return number(time.tv_sec) + number(time.tv_usec) / 1e6;
  };
  families.counter("process_cpu_seconds_total", "CPU time of this process.");
  families.sample(time_of(usage.ru_utime) + time_of(usage.ru_stime));
  long pages = 0;
  long resident = 0;
  constexpr std::size_t kMost = 256;
  std::istringstream(read_file_bytes("/proc/self/statm", kMost).bytes) >> pages >> resident;
  const double page = number(sysconf(_SC_PAGESIZE));
  families.gauge("process_virtual_memory_bytes", "Size of the address space.");
  families.sample(number(pages) * page);
  families.gauge("process_resident_memory_bytes", "Memory that is present.");
  families.sample(number(resident) * page);
  families.gauge("process_open_fds", "Open file descriptors.");
  families.sample(open_descriptors());
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  families.gauge("process_max_fds", "Most file descriptors that may be open.");
  families.sample(number(limit.rlim_cur));
  families.gauge("process_start_time_seconds", "When the agent started, in Unix seconds.");
  families.sample(seconds(context.started_at.time_since_epoch()));
}

Response metrics(const RouteContext& context, const Request& request) {
  Query(request, {}).check();
  Families families(context.parts.metrics->registry().Collect());
  families.gauge("resmgr_build_info", "1; its label tells the version.");
  families.sample({{"version", kVersion}}, 1);
  write_tasks(context.parts, families);
  write_engine(context.parts, families);
  write_journal(context.parts, families);
  write_sinks(context.parts, families);
  write_pools(context.parts, families);
  families.gauge("resmgr_live_clients", "WebSockets that follow the events.");
  families.sample(number(context.live.clients()));
  write_process(context, families);
  Response response;
  response.content_type = kPrometheusText;
  response.body = families.text();
  return response;
}

}  // namespace

void add_metrics_route(Router& router, const Context& context) {
  router.add({.method = Method::get,
              .pattern = "/metrics",
              .access = Access::admin,
              .runs = Runs::on_worker,
              .handler = [raw = context.get()](const Responder& responder) {
                return metrics(*raw, responder.request());
              }});
}

}  // namespace resmgr::api
