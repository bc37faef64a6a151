// Which warm containers to make and which to let go. Pure.
#ifndef RESMGR_AGENT_TASKS_POOL_PLAN_H_
#define RESMGR_AGENT_TASKS_POOL_PLAN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/journal/slot_row.h"
#include "agent/journal/transaction.h"
#include "agent/tasks/task_service.h"

namespace resmgr::tasks {

// What a service wants to have ready.
struct PoolWish {
  std::string service;
  std::string spec_hash;
  // What its image's name stands for now; empty: not known, and then all will do.
  std::string image_id;
  int wanted = 0;
  std::int64_t memory_bytes = 0;
  double cpus = 0;
  bool may_fill = true;  // false: none is made just now
};

// What is there.
struct PoolFacts {
  std::vector<journal::SlotRow> slots;  // oldest first
  std::map<std::string, int> tasks;     // that are active, of the services that wish any
  int tasks_on_host = 0;                // that are active, of all services
  journal::Reserved reserved;           // by those
};

struct PoolPlan {
  std::vector<std::string> drain;               // slots
  std::vector<const PoolWish*> fill;            // one for each slot to make
  std::map<std::string, std::string> short_of;  // by service: the limit that keeps it from more
  bool empty() const { return drain.empty() && fill.empty(); }
};

// Whether a slot stands for a container that a start may get, now or soon.
bool is_alive(const journal::SlotRow& slot);

// Slots of another definition or image than is wished, of services that wish none, and those beyond
// what is wished are let go, the least ready and then the youngest first. New ones are made as far
// as [limits] would admit as many tasks more, in turns over the services.
PoolPlan plan_pool(const std::vector<PoolWish>& wishes, const PoolFacts& facts,
                   const Limits& limits, const HostCapacity& host);

// The live slots that give way, the youngest first, so that what tasks hold (`reserved`) and what
// is left of them keep within what the host may promise.
std::vector<std::string> giving_way(const std::vector<journal::SlotRow>& slots,
                                    const journal::Reserved& reserved, const Limits& limits,
                                    const HostCapacity& host);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_POOL_PLAN_H_
