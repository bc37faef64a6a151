#include "agent/tasks/pool_plan.h"

#include <algorithm>

namespace resmgr::tasks {
namespace {

using journal::Reserved;
using journal::SlotPhase;
using journal::SlotRow;

// Sums of cores are of decimal fractions: 0.1 ten times is a little more than 1.
constexpr double kSlack = 1e-6;

// How much of the host may be promised at all; 0 = no limit.
struct Most {
  double memory_bytes = 0;
  double cpus = 0;

  Most(const Limits& limits, const HostCapacity& host)
      : memory_bytes(limits.memory_overcommit * static_cast<double>(host.memory_bytes)),
        cpus(limits.cpu_overcommit * host.cpus) {}

  bool has_memory_for(double bytes) const { return memory_bytes <= 0 || bytes <= memory_bytes; }
  bool has_cpus_for(double cores) const { return cpus <= 0 || cores <= cpus + kSlack; }
};

bool fits(const PoolWish& wish, const SlotRow& slot) {
  return slot.spec_hash == wish.spec_hash &&
         (wish.image_id.empty() || slot.image_id.empty() || slot.image_id == wish.image_id);
}

// Fills up while the limits allow; what it counts grows with each that it adds.
class Filling {
 public:
  Filling(const PoolFacts& facts, const Limits& limits, const HostCapacity& host)
      : limits_(limits),
        most_(limits, host),
        tasks_(facts.tasks),
        on_host_(facts.tasks_on_host),
        promised_(facts.reserved) {}

  void count(const std::string& service, std::int64_t memory_bytes, double cpus) {
    ++tasks_[service];
    ++on_host_;
    promised_.memory_bytes += memory_bytes;
    promised_.cpus += cpus;
  }

  // The limit that one more would break; empty: none.
  std::string obstacle(const PoolWish& wish) const {
    const auto reached = [](int limit, int count) { return limit > 0 && count >= limit; };
    const auto of_service = tasks_.find(wish.service);
    if (reached(limits_.tasks_per_host, on_host_)) return "tasks_per_host";
    if (of_service != tasks_.end() && reached(limits_.tasks_per_service, of_service->second)) {
      return "tasks_per_service";
    }
    if (!most_.has_memory_for(static_cast<double>(promised_.memory_bytes + wish.memory_bytes))) {
      return "memory_overcommit";
    }
    if (!most_.has_cpus_for(promised_.cpus + wish.cpus)) return "cpu_overcommit";
    return {};
  }

 private:
  const Limits& limits_;
  const Most most_;
  // Tasks, and slots with them.
  std::map<std::string, int> tasks_;
  int on_host_;
  Reserved promised_;
};

}  // namespace

bool is_alive(const SlotRow& slot) {
  return slot.phase == SlotPhase::making || slot.phase == SlotPhase::warming ||
         slot.phase == SlotPhase::ready;
}

PoolPlan plan_pool(const std::vector<PoolWish>& wishes, const PoolFacts& facts,
                   const Limits& limits, const HostCapacity& host) {
  PoolPlan plan;
  Filling filling(facts, limits, host);
  std::map<std::string, std::vector<const SlotRow*>> kept;
  for (const SlotRow& slot : facts.slots) {
    if (!is_alive(slot)) continue;
    const auto wish = std::find_if(wishes.begin(), wishes.end(), [&](const PoolWish& one) {
      return one.service == slot.service_type && fits(one, slot);
    });
    if (wish == wishes.end()) {
      plan.drain.push_back(slot.slot_id);
    } else {
      kept[slot.service_type].push_back(&slot);
    }
  }
  std::vector<std::pair<const PoolWish*, int>> missing;
  for (const PoolWish& wish : wishes) {
    auto& slots = kept[wish.service];
    // Those that are ready come first, and of each kind the oldest.
    std::stable_partition(slots.begin(), slots.end(),
                          [](const SlotRow* slot) { return slot->phase == SlotPhase::ready; });
    while (std::ssize(slots) > std::max(wish.wanted, 0)) {
      plan.drain.push_back(slots.back()->slot_id);
      slots.pop_back();
    }
    for (const SlotRow* slot : slots) filling.count(wish.service, slot->memory_bytes, slot->cpus);
    const int count = wish.wanted - static_cast<int>(slots.size());
    if (count > 0 && wish.may_fill) missing.emplace_back(&wish, count);
  }
  while (!missing.empty()) {
    for (auto& [wish, count] : missing) {
      const std::string obstacle = filling.obstacle(*wish);
      if (!obstacle.empty()) {
        plan.short_of[wish->service] = obstacle;
        count = 0;
        continue;
      }
      plan.fill.push_back(wish);
      filling.count(wish->service, wish->memory_bytes, wish->cpus);
      --count;
    }
    std::erase_if(missing, [](const auto& one) { return one.second <= 0; });
  }
  return plan;
}

std::vector<std::string> giving_way(const std::vector<SlotRow>& slots, const Reserved& reserved,
                                    const Limits& limits, const HostCapacity& host) {
  std::vector<std::string> gone;
  const Most most(limits, host);
  Reserved sum = reserved;
  for (const SlotRow& slot : slots) {
    if (!is_alive(slot)) continue;
    sum.memory_bytes += slot.memory_bytes;
    sum.cpus += slot.cpus;
  }
  for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) {
    if (most.has_memory_for(static_cast<double>(sum.memory_bytes)) && most.has_cpus_for(sum.cpus)) {
      break;
    }
    if (!is_alive(*slot)) continue;
    sum.memory_bytes -= slot->memory_bytes;
    sum.cpus -= slot->cpus;
    gone.push_back(slot->slot_id);
  }
  return gone;
}

}  // namespace resmgr::tasks
