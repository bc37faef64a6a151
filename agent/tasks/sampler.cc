#include "agent/tasks/sampler.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "agent/tasks/usage.h"
#include "common/error.h"
#include "common/failpoint.h"
#include "common/log.h"

namespace resmgr::tasks {
namespace {

// Most looks at once. Where the engine must be asked each takes a second, so that about 900 tasks
// are looked at within three intervals of 10 s: what is looked at less often is not judged.
constexpr int kLooksAtOnce = 32;

// So long a turn waits for its looks before it writes what there is.
constexpr Millis kPatience{1'000};

// However short the interval is, the journal is synced no more often for samples.
constexpr Millis kWriteInterval{1'000};

}  // namespace

Sampler::Sampler(Parts parts)
    : parts_(std::move(parts)),
      looks_({.start_slots = 1, .max_threads = kLooksAtOnce}, [this](Lanes::Turn& turn) {
        look(turn.task_id);
        return Next::done();
      }) {}

Sampler::~Sampler() { stop(); }

void Sampler::run() {
  timer_ = std::jthread([this](const std::stop_token& stop) { keep_time(stop); });
}

void Sampler::stop() {
  stopping_.request_stop();
  timer_.request_stop();
  if (timer_.joinable()) timer_.join();
  looks_.stop();
}

void Sampler::keep_time(const std::stop_token& stop) {
  auto due = std::chrono::steady_clock::now();
  while (true) {
    // A turn that took longer than its interval is followed by a pause all the same.
    due = std::max(due + parts_.interval, std::chrono::steady_clock::now() + parts_.interval / 2);
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, stop, due, [] { return false; });
    }
    if (stop.stop_requested()) return;
    try {
      step();
    } catch (const Error& error) {
      log::warning("Could not look at the running tasks: {Reason}", {{"Reason", error.message()}});
    } catch (const std::exception& error) {
      log::error("Could not look at the running tasks: {Reason}", {{"Reason", error.what()}});
    }
  }
}

void Sampler::step() {
  const auto rows =
      parts_.journal.reading([](journal::Reader& reader) { return reader.unsettled(); });
  std::set<std::string> running;
  for (const auto& row : rows) {
    if (row.phase != journal::Phase::ready) continue;
    running.insert(row.task.task_id);
    if (begin_look(row.task.task_id)) looks_.wake(row.task.task_id, row.task.user_id);
  }
  parts_.watch.keep_only(running);
  await_looks();
  write_samples();
}

bool Sampler::begin_look(const std::string& task_id) {
  const std::lock_guard lock(mutex_);
  return looking_.insert(task_id).second;
}

void Sampler::end_look(const std::string& task_id) {
  const std::lock_guard lock(mutex_);
  looking_.erase(task_id);
  changed_.notify_all();
}

void Sampler::await_looks() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stopping_.get_token(), kPatience, [this] { return looking_.empty(); });
}

void Sampler::look(const std::string& task_id) {
  try {
    const auto row =
        parts_.journal.reading([&](journal::Reader& reader) { return reader.task(task_id); });
    if (row && row->phase == journal::Phase::ready && !stopping_.stop_requested()) {
      const auto stats = measure(row->task);
      parts_.watch.note_sample(row->task, stats);
      if (stats) {
        const auto sample = sample_of(*stats, row->warm, parts_.clock.now());
        const std::lock_guard lock(mutex_);
        unwritten_[task_id] = sample;
      }
      if (parts_.watch.wants_probe(row->task)) parts_.watch.note_probe(row->task, ask(row->task));
      if (!stopping_.stop_requested()) parts_.watch.watch(task_id, parts_.session.trusted());
    }
  } catch (const Error& error) {
    // Its end came in between, or the journal can't be written: the next turn sees.
    log::debug("Task {TaskId} was not looked at: {Reason}",
               {{"TaskId", task_id}, {"Reason", error.message()}});
  } catch (const std::exception& error) {
    log::error("Task {TaskId} was not looked at: {Reason}",
               {{"TaskId", task_id}, {"Reason", error.what()}});
  }
  end_look(task_id);
}

std::optional<engine::Stats> Sampler::measure(const Task& task) const {
  if (!parts_.session.trusted()) return std::nullopt;
  const std::uint64_t epoch = parts_.session.epoch();
  try {
    auto stats = parts_.engine.stats(task.container_id);
    // An answer of an engine that went away meanwhile may be another engine's.
    if (!parts_.session.trusted() || parts_.session.epoch() != epoch) return std::nullopt;
    return stats;
  } catch (const Error& error) {
    log::debug("Task {TaskId}: no usage sample: {Reason}",
               {{"TaskId", task.task_id}, {"Reason", error.message()}});
    return std::nullopt;
  }
}

JupyterLook Sampler::ask(const Task& task) const {
  try {
    return parts_.ask(task, stopping_.get_token());
  } catch (const Error& error) {
    JupyterLook look;
    look.failure = error.message();
    return look;
  }
}

void Sampler::write_samples() {
  const BootTime now = parts_.clock.since_boot();
  if (now - written_at_ < kWriteInterval) return;
  std::unordered_map<std::string, journal::UsageSample> samples;
  {
    const std::lock_guard lock(mutex_);
    samples.swap(unwritten_);
  }
  if (samples.empty()) return;
  try {
    failpoint("sample.before_commit");
    parts_.journal.transact([&](journal::Transaction& transaction) {
      for (const auto& [task_id, sample] : samples) transaction.put_sample(task_id, sample);
    });
    failpoint("sample.after_commit");
    written_at_ = now;
    journal_failed_ = false;
  } catch (const Error& error) {
    if (!std::exchange(journal_failed_, true)) {
      log::warning("Could not record what the running tasks use: {Reason}",
                   {{"Reason", error.message()}});
    }
    const std::lock_guard lock(mutex_);
    unwritten_.merge(samples);  // newer ones stay
  }
}

}  // namespace resmgr::tasks
