#include "agent/tasks/limits.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "common/limit_error.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using journal::Transaction;

constexpr Millis kMinute{60'000};
// Sums of cores are of decimal fractions: 0.1 ten times is a little more than 1.
constexpr double kSlack = 1e-6;

// Those of the holders that whoever asks may know of.
std::vector<std::string> shown(std::vector<std::string> holders, Transaction& transaction,
                               const StartIntent& intent) {
  if (intent.sees_all) return holders;
  const auto own = transaction.active(intent.user_id, "");
  std::erase_if(holders, [&](const std::string& id) {
    return std::find(own.begin(), own.end(), id) == own.end();
  });
  return holders;
}

void check_count(Transaction& transaction, int limit, const char* name, const char* whose,
                 const StartIntent& intent, std::string_view user_id,
                 std::string_view service_type) {
  if (limit <= 0) return;
  auto holders = transaction.active(user_id, service_type);
  const auto used = static_cast<int>(holders.size());
  if (used < limit) return;
  LimitError error({name, static_cast<double>(limit), static_cast<double>(used)},
                   std::string("cannot start a task: ") + whose + " has " + std::to_string(used) +
                       " of " + std::to_string(limit) + " tasks that may run at once",
                   "stop one of them first");
  error.task_ids = shown(std::move(holders), transaction, intent);
  throw error;
}

std::string format_cores(double cores) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", cores);
  return std::string(text.data()) + (cores == 1 ? " core" : " cores");
}

struct Promise {
  const char* name;
  double most;
  double used;
  double wanted;
  std::string (*format)(double);
  const char* what;
};

void check_promise(Transaction& transaction, const Promise& promise, const StartIntent& intent) {
  if (promise.used + promise.wanted <= promise.most + kSlack) return;
  const bool fits_alone = promise.wanted <= promise.most;
  LimitError error({promise.name, promise.most, promise.used},
                   "cannot start a task: the host has promised " + promise.format(promise.used) +
                       " of " + promise.format(promise.most) + promise.what +
                       ", and the service wants " + promise.format(promise.wanted),
                   fits_alone ? "stop other tasks first"
                              : "ask the operator: the service wants more than the host may give");
  error.task_ids = shown(transaction.active("", ""), transaction, intent);
  throw error;
}

void check_promises(Transaction& transaction, const Limits& limits, const StartIntent& intent,
                    const catalog::Service& service, const HostCapacity& host) {
  const double memory = limits.memory_overcommit * static_cast<double>(host.memory_bytes);
  const double cores = limits.cpu_overcommit * host.cpus;
  if (memory <= 0 && cores <= 0) return;
  const journal::Reserved reserved = transaction.reserved();
  if (memory > 0) {
    check_promise(
        transaction,
        {"memory_overcommit", memory, static_cast<double>(reserved.memory_bytes),
         static_cast<double>(service.memory_bytes),
         [](double bytes) { return format_size(static_cast<std::int64_t>(bytes)); }, " of memory"},
        intent);
  }
  if (cores > 0) {
    check_promise(transaction,
                  {"cpu_overcommit", cores, reserved.cpus, service.cpus, &format_cores, ""},
                  intent);
  }
}

// From the journal, so that a restart of the agent forgives nothing.
void check_rate(Transaction& transaction, int limit, const StartIntent& intent, Instant now) {
  if (limit <= 0) return;
  // Whoever read the clock later may have been admitted earlier.
  auto recent = transaction.admitted_between(intent.user_id, now - kMinute, now + kMinute);
  const auto used = static_cast<int>(recent.size());
  if (used < limit) return;
  LimitError error(
      {"starts_per_user_per_minute", static_cast<double>(limit), static_cast<double>(used)},
      "cannot start a task: the user has started " + std::to_string(used) +
          " tasks within a minute, and may start " + std::to_string(limit));
  // Once so many have become older than a minute, there is room for one.
  const Instant oldest = recent[static_cast<std::size_t>(used - limit)].created_at;
  const Millis wait = oldest + kMinute - now;
  error.retry_after = std::chrono::ceil<std::chrono::seconds>(std::max(wait, Millis{1}));
  for (auto& task : recent) error.task_ids.push_back(std::move(task.task_id));
  throw error;
}

}  // namespace

void check_limits(Transaction& transaction, const Limits& limits, const StartIntent& intent,
                  const catalog::Service& service, Instant now, const HostCapacity& host) {
  const std::string& user = intent.user_id;
  check_rate(transaction, limits.starts_per_user_per_minute, intent, now);
  check_count(transaction, limits.tasks_per_user, "tasks_per_user", "the user", intent, user, "");
  check_count(transaction, limits.tasks_per_user_and_service, "tasks_per_user_and_service",
              "the user, for this service,", intent, user, service.name);
  check_count(transaction, limits.tasks_per_service, "tasks_per_service", "the service", intent, "",
              service.name);
  check_count(transaction, limits.tasks_per_host, "tasks_per_host", "the host", intent, "", "");
  check_promises(transaction, limits, intent, service, host);
}

}  // namespace resmgr::tasks
