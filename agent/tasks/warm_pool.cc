#include "agent/tasks/warm_pool.h"

#include <algorithm>
#include <utility>

#include "agent/tasks/admission.h"
#include "agent/tasks/container_spec.h"
#include "agent/tasks/drain.h"
#include "common/error.h"
#include "common/failpoint.h"
#include "common/ids.h"
#include "common/log.h"

namespace resmgr::tasks {
namespace {

using journal::SlotPhase;
using journal::SlotRow;

constexpr Millis kPoolInterval{5'000};
// After a nudge nothing is done until none came for so long, or they have come for that long.
constexpr Millis kCalm{200};
constexpr Millis kLongestCalm{1'000};
constexpr double kWeightOfNewest = 0.2;  // the weight of the newest in a mean

PoolFacts facts_of(journal::Transaction& transaction, const std::vector<PoolWish>& wishes) {
  PoolFacts facts;
  facts.slots = transaction.slots();
  facts.reserved = transaction.reserved();
  facts.tasks_on_host = static_cast<int>(transaction.active("", "").size());
  for (const PoolWish& wish : wishes) {
    facts.tasks[wish.service] = static_cast<int>(transaction.active("", wish.service).size());
  }
  return facts;
}

SlotRow new_slot(const PoolWish& wish, Instant now) {
  SlotRow slot;
  slot.slot_id = new_uuid_v7(now);
  slot.service_type = wish.service;
  slot.spec_hash = wish.spec_hash;
  slot.created_at = now;
  slot.memory_bytes = wish.memory_bytes;
  slot.cpus = wish.cpus;
  return slot;
}

}  // namespace

WarmPool::~WarmPool() { stop(); }

void WarmPool::run() {
  thread_ = std::jthread([this](const std::stop_token& stop) { keep_time(stop); });
}

void WarmPool::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void WarmPool::nudge() {
  const std::lock_guard lock(mutex_);
  nudged_ = true;
  changed_.notify_all();
}

void WarmPool::keep_time(const std::stop_token& stop) {
  bool failing = false;
  std::optional<std::chrono::steady_clock::time_point> looked;  // at the images
  while (!stop.stop_requested()) {
    const auto now = std::chrono::steady_clock::now();
    const bool looks = !looked || now - *looked >= kPoolInterval;
    try {
      step(looks);
      if (looks) looked = now;
      failing = false;
    } catch (const std::exception& error) {
      // The first failure of a row is news; the tenth is not.
      if (!std::exchange(failing, true)) {
        log::warning("Warm containers are left as they are: {Reason}", {{"Reason", error.what()}});
      }
    }
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, stop, kPoolInterval, [this] { return nudged_; })) {
      await_calm(lock, stop);
    }
  }
}

// Making a container keeps the engine busy: while users take one after another it would hold them
// up.
void WarmPool::await_calm(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  const auto latest = std::chrono::steady_clock::now() + kLongestCalm;
  do {
    nudged_ = false;
    changed_.wait_for(lock, stop, kCalm, [this] { return nudged_; });
  } while (nudged_ && std::chrono::steady_clock::now() < latest && !stop.stop_requested());
  nudged_ = false;
}

void WarmPool::look_at_images(const catalog::Catalog& catalog) {
  for (const auto& service : catalog.services()) {
    if (service.warm == 0) continue;
    const auto id = parts_.engine.image_id(service.image);
    books_.with([&](Books& books) { books[service.name].image_id = id.value_or(""); });
  }
}

std::vector<PoolWish> WarmPool::wishes(const catalog::Catalog& catalog, bool may_fill) {
  const Millis now = parts_.clock.since_boot();
  return books_.with([&](Books& books) {
    std::vector<PoolWish> wishes;
    for (const auto& service : catalog.services()) {
      if (service.warm == 0 || !can_be_warm(parts_.options, service)) continue;
      Book& book = books[service.name];
      // Another definition is another chance.
      const std::string hash = warm_hash(parts_.options, service);
      if (book.failed_spec != hash) book.not_before.reset();
      const bool patient = book.not_before && now < *book.not_before;
      wishes.push_back({service.name, hash, book.image_id, service.warm, service.memory_bytes,
                        service.cpus, may_fill && !patient});
    }
    return wishes;
  });
}

// As a start would be refused.
bool WarmPool::has_disk() const {
  try {
    check_free_disk(parts_.options.data_dir, parts_.session.engine_root(),
                    parts_.limits().min_free_disk_bytes);
  } catch (const Error&) {
    return false;
  }
  return !parts_.journal.out_of_space();
}

void WarmPool::step(bool looks_at_images) {
  if (!parts_.session.trusted()) return;
  if (!trusted_) let_all_go();
  const auto catalog = parts_.catalog();
  const bool wanted = std::any_of(catalog->services().begin(), catalog->services().end(),
                                  [](const auto& service) { return service.warm > 0; });
  const auto slots = [](journal::Reader& reader) { return reader.slots(); };
  if (!wanted && parts_.journal.reading(slots).empty()) return;
  if (looks_at_images) look_at_images(*catalog);
  const auto wished = wishes(*catalog, has_disk());
  const Limits limits = parts_.limits();
  const HostCapacity capacity = parts_.session.capacity();
  const Instant now = parts_.clock.now();

  std::vector<std::string> changed;
  PoolPlan plan;
  failpoint("pool.before_commit");
  parts_.journal.transact([&](journal::Transaction& transaction) {
    changed.clear();
    const std::vector<PoolWish> none;
    const auto& wishes = is_draining(transaction) ? none : wished;
    const PoolFacts facts = facts_of(transaction, wishes);
    plan = plan_pool(wishes, facts, limits, capacity);
    for (SlotRow slot : facts.slots) {
      if (std::find(plan.drain.begin(), plan.drain.end(), slot.slot_id) == plan.drain.end()) {
        continue;
      }
      slot.phase = SlotPhase::draining;
      transaction.update_slot(slot);
      changed.push_back(slot.slot_id);
    }
    for (const PoolWish* wish : plan.fill) {
      SlotRow slot = new_slot(*wish, now);
      transaction.insert_slot(slot);
      changed.push_back(slot.slot_id);
    }
  });
  failpoint("pool.after_commit");
  books_.with([&](Books& books) {
    for (auto& [service, book] : books) {
      const auto found = plan.short_of.find(service);
      book.short_of = found == plan.short_of.end() ? std::string() : found->second;
    }
  });
  for (const std::string& slot_id : changed) parts_.wake_slot(slot_id);
}

void WarmPool::count_claim(const std::string& service, bool hit) {
  books_.with([&](Books& books) { ++(hit ? books[service].hits : books[service].misses); });
}

void WarmPool::distrust() {
  trusted_ = false;
  try {
    let_all_go();
  } catch (const Error& error) {
    log::warning("Nobody gets a warm container until those there are can be let go: {Reason}",
                 {{"Reason", error.message()}});
  }
}

void WarmPool::let_all_go() {
  std::vector<std::string> gone;
  const auto slots = [](journal::Reader& reader) { return reader.slots(); };
  if (!parts_.journal.reading(slots).empty()) {
    parts_.journal.transact(journal::Purpose::ending, [&](journal::Transaction& transaction) {
      gone.clear();
      for (SlotRow& slot : transaction.slots()) {
        if (!is_alive(slot)) continue;
        slot.phase = SlotPhase::draining;
        transaction.update_slot(slot);
        gone.push_back(slot.slot_id);
      }
    });
  }
  trusted_ = true;
  if (gone.empty()) return;
  log::info("Warm containers are made anew, {Count} of them: the journal may have been put back",
            {{"Count", gone.size()}});
  for (const std::string& slot_id : gone) parts_.wake_slot(slot_id);
}

void WarmPool::note_ready(const SlotRow& slot) {
  const Millis since = std::max(parts_.clock.now() - slot.created_at, Millis{0});
  const auto took = static_cast<double>(since.count());
  books_.with([&](Books& books) {
    Book& book = books[slot.service_type];
    book.refill_ms =
        book.refill_ms ? *book.refill_ms * (1 - kWeightOfNewest) + took * kWeightOfNewest : took;
    book.patience.reset();
    book.failure.clear();
    book.not_before.reset();
  });
}

void WarmPool::note_failure(const SlotRow& slot, const std::string& reason) {
  const Millis now = parts_.clock.since_boot();
  const bool first = books_.with([&](Books& books) {
    Book& book = books[slot.service_type];
    const bool is_news = book.failure != reason;
    book.failure = reason;
    book.failed_spec = slot.spec_hash;
    book.not_before = now + book.patience.next();
    return is_news;
  });
  if (first) {
    log::warning("A warm container of {Service} could not be made: {Reason}",
                 {{"Service", slot.service_type}, {"Reason", reason}});
  }
}

std::vector<PoolState> WarmPool::state() const {
  std::map<std::string, PoolState> states;
  bool draining = false;
  parts_.journal.read([&](journal::Reader& reader) {
    draining = current_drain(reader).has_value();
    for (const SlotRow& slot : reader.slots()) {
      PoolState& state = states[slot.service_type];
      if (slot.phase == SlotPhase::ready) ++state.ready;
      if (slot.phase == SlotPhase::making || slot.phase == SlotPhase::warming) ++state.filling;
    }
  });
  const auto catalog = parts_.catalog();
  for (const auto& service : catalog->services()) {
    if (service.warm == 0) continue;
    PoolState& state = states[service.name];
    if (!draining) state.wanted = service.warm;
    if (!can_be_warm(parts_.options, service)) {
      state.problem =
          "its {basePath} is another one for each task behind the gateway ([gateway] "
          "mode = \"path\")";
    }
  }
  const bool disk = has_disk();
  books_.with([&](const Books& books) {
    for (auto& [service, state] : states) {
      state.service = service;
      const auto found = books.find(service);
      if (found == books.end()) continue;
      const Book& book = found->second;
      state.hits = book.hits;
      state.misses = book.misses;
      if (book.refill_ms) state.refill_time = Millis{static_cast<Millis::rep>(*book.refill_ms)};
      if (!state.problem.empty() || state.ready >= state.wanted) continue;
      if (!disk) state.problem = "the disk is too full for more (min_free_disk)";
      if (!book.short_of.empty()) state.problem = "the limit " + book.short_of + " allows no more";
      if (!book.failure.empty()) state.problem = "the last one could not be made: " + book.failure;
    }
  });
  std::vector<PoolState> all;
  all.reserve(states.size());
  for (auto& [service, state] : states) all.push_back(std::move(state));
  return all;
}

}  // namespace resmgr::tasks
