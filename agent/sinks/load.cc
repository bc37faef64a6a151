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

bool LoadBuilder::add(Event& event) {
  if (sink_.wants(event) && !put(event)) {
    load_.full = true;
    return false;
  }
  std::swap(last_, event);
  load_.empty = false;
  return true;
}

bool LoadBuilder::put(const Event& event) {
  Message* const earlier = last_only_ ? earlier_of(event.task_id) : nullptr;
  if (earlier == nullptr && load_.messages.size() >= static_cast<std::size_t>(limits_.messages)) {
    return false;
  }
  std::string payload = sink_.payload(event);
  const std::size_t replaced = earlier == nullptr ? 0 : earlier->payload.size();
  const std::size_t bytes = bytes_ - replaced + payload.size();
  if (!load_.messages.empty() && bytes > limits_.bytes) return false;
  bytes_ = bytes;
  if (earlier == nullptr && last_only_ && !event.task_id.empty()) {
    places_[std::hash<std::string>{}(event.task_id)] = load_.messages.size();
  }
  Message& message = earlier == nullptr ? load_.messages.emplace_back() : *earlier;
  load_.replaced = load_.replaced || earlier != nullptr;
  message.seq = event.seq;
  message.time = event.time;
  message.type = event.type;
  message.task_id = event.task_id;
  message.payload = std::move(payload);
  message.begins = message.begins || sink_.begins(event);
  return true;
}

Message* LoadBuilder::earlier_of(const std::string& task_id) {
  if (task_id.empty() || load_.messages.empty()) return nullptr;
  // A short life is in one piece.
  if (load_.messages.back().task_id == task_id) return &load_.messages.back();
  const auto place = places_.find(std::hash<std::string>{}(task_id));
  if (place == places_.end()) return nullptr;
  Message& message = load_.messages[place->second];
  return message.task_id == task_id ? &message : nullptr;
}

Load LoadBuilder::finish() {
  if (!load_.empty) {
    load_.end = {last_.seq, digest_of(last_)};
    load_.last = last_.task_id;
  }
  return std::move(load_);
}

}  // namespace resmgr::sinks
