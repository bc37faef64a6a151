#include "agent/sinks/load.h"

#include <algorithm>
#include <utility>

namespace resmgr::sinks {
namespace {

Limits limits_of(const Sink& sink, int most) {
  Limits limits = sink.limits();
  limits.messages = std::min(limits.messages, most);
  return limits;
}

}  // namespace

LoadBuilder::LoadBuilder(Sink& sink, int most)
    : sink_(sink),
      limits_(limits_of(sink, most)),
      last_only_(sink.keeps_position() && limits_.messages > 1) {}

bool LoadBuilder::add(const EventView& event) {
  if (sink_.wants(event) && !put(event)) {
    load_.full = true;
    return false;
  }
  load_.end.seq = event.seq;
  load_.last = event.task_id;
  load_.empty = false;
  return true;
}

bool LoadBuilder::put(const EventView& event) {
  Message* const earlier = last_only_ ? earlier_of(event.task_id) : nullptr;
  if (earlier == nullptr && load_.messages.size() >= static_cast<std::size_t>(limits_.messages)) {
    return false;
  }
  // A new one's payload is written where it belongs, another's only once it is known to fit.
  Message& message = earlier == nullptr ? load_.messages.emplace_back() : *earlier;
  std::string& payload = earlier == nullptr ? message.payload : payload_;
  sink_.write(event, payload);
  const std::size_t replaced = earlier == nullptr ? 0 : earlier->payload.size();
  const std::size_t bytes = bytes_ - replaced + payload.size();
  const bool first = earlier == nullptr && load_.messages.size() == 1;
  if (!first && bytes > limits_.bytes) {
    if (earlier == nullptr) load_.messages.pop_back();
    return false;
  }
  bytes_ = bytes;
  if (earlier != nullptr) {
    load_.replaced = true;
    message.payload = payload_;
  } else if (last_only_ && !event.task_id.empty()) {
    places_[std::hash<std::string_view>{}(event.task_id)] = load_.messages.size() - 1;
  }
  message.seq = event.seq;
  message.time = event.time;
  message.type = event.type;
  message.task_id = event.task_id;
  message.begins = message.begins || sink_.begins(event);
  return true;
}

Message* LoadBuilder::earlier_of(std::string_view task_id) {
  if (task_id.empty() || load_.messages.empty()) return nullptr;
  // A short life is in one piece.
  if (load_.messages.back().task_id == task_id) return &load_.messages.back();
  const auto place = places_.find(std::hash<std::string_view>{}(task_id));
  if (place == places_.end()) return nullptr;
  Message& message = load_.messages[place->second];
  return message.task_id == task_id ? &message : nullptr;
}

Load LoadBuilder::finish() { return std::move(load_); }

}  // namespace resmgr::sinks
