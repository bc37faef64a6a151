#include "cli/stop_all.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include "cli/exit_code.h"
#include "cli/task_finder.h"

namespace resmgr::cli {
namespace {

constexpr std::size_t kAtOnce = 8;

std::optional<Millis> duration_of(const Json& answer) {
  const auto seconds = answer.find("durationSeconds");
  if (seconds == answer.end() || !seconds->is_number()) return std::nullopt;
  return Millis(std::llround(seconds->get<double>() * 1000));
}

// Returns the exit code for this one.
int stop_one(Session& session, const std::string& id, Stopped& stopped) {
  stopped.id = id;
  try {
    stopped.id = find_task_id(session.api(), id);
    stopped.answer = session.patient_api().stop(stopped.id);
    if (stopped.answer.is_object()) stopped.duration = duration_of(stopped.answer);
    return kDone;
  } catch (const Error& error) {
    stopped.error = error;
    return exit_code(error);
  }
}

}  // namespace

int stop_all(Session& session, const std::vector<std::string>& ids,
             const std::function<void(const Stopped&)>& on_end) {
  // Connects here, where a failure is one and not one for each task; the threads only use it.
  session.api();
  session.patient_api();
  std::vector<int> codes(ids.size(), kDone);
  std::atomic<std::size_t> next{0};
  std::mutex reporting;
  std::exception_ptr output_failure;
  const auto work = [&] {
    for (std::size_t i = next++; i < ids.size(); i = next++) {
      Stopped stopped;
      codes[i] = stop_one(session, ids[i], stopped);
      const std::lock_guard lock(reporting);
      try {
        if (!output_failure) on_end(stopped);
      } catch (...) {
        // Nobody reads what is printed; the tasks are to be stopped all the same.
        output_failure = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(kAtOnce, ids.size()); ++i) threads.emplace_back(work);
    work();
  }
  if (output_failure) std::rethrow_exception(output_failure);
  const auto failed = std::find_if(codes.begin(), codes.end(), [](int code) { return code != 0; });
  return failed == codes.end() ? kDone : *failed;
}

}  // namespace resmgr::cli
