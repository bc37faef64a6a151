#include "agent/checks.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "common/error.h"

namespace resmgr {
namespace {

CheckResult run_check(const Check& check, const std::stop_token& stop) {
  CheckResult result{check.name, check.destination, CheckResult::State::off, {}, {}};
  if (!check.run) return result;
  try {
    result.text = check.run(stop);
    result.state = CheckResult::State::good;
  } catch (const Doubt& doubt) {
    result.state = CheckResult::State::doubtful;
    result.text = doubt.message();
    result.hint = doubt.hint();
  } catch (const Error& error) {
    result.state = CheckResult::State::failed;
    result.text = error.message();
    result.hint = error.hint();
  } catch (const std::exception& error) {
    result.state = CheckResult::State::failed;
    result.text = error.what();
  }
  return result;
}

}  // namespace

std::string_view to_string(CheckResult::State state) {
  switch (state) {
    case CheckResult::State::good:
      return "ok";
    case CheckResult::State::doubtful:
      return "warning";
    case CheckResult::State::failed:
      return "failed";
    case CheckResult::State::off:
      return "off";
  }
  return "off";
}

std::vector<CheckResult> run_checks(const std::vector<Check>& checks, Millis limit) {
  std::vector<CheckResult> results(checks.size());
  std::mutex mutex;
  std::condition_variable ended;
  std::size_t running = checks.size();
  std::vector<std::jthread> threads;
  threads.reserve(checks.size());
  for (std::size_t i = 0; i < checks.size(); ++i) {
    threads.emplace_back([&, i](const std::stop_token& stop) {
      CheckResult result = run_check(checks[i], stop);
      const std::lock_guard lock(mutex);
      results[i] = std::move(result);
      --running;
      ended.notify_all();
    });
  }
  {
    std::unique_lock lock(mutex);
    ended.wait_for(lock, limit, [&] { return running == 0; });
  }
  // Requests a stop of what still runs, and waits for it.
  threads.clear();
  return results;
}

Json checks_to_json(const std::vector<CheckResult>& results) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json all = Json::array();
  for (const CheckResult& result : results) {
    all.push_back({{"name", result.name},
                   {"state", to_string(result.state)},
                   {"destination", or_null(result.destination)},
                   {"text", or_null(result.text)},
                   {"hint", or_null(result.hint)}});
  }
  return all;
}

}  // namespace resmgr
