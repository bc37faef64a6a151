// What one delivery is about, made of events in the journal's order.
#ifndef RESMGR_AGENT_SINKS_LOAD_H_
#define RESMGR_AGENT_SINKS_LOAD_H_

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/sinks/sink.h"
#include "common/event.h"

namespace resmgr::sinks {

// May have no message, where nothing was wanted.
struct Load {
  std::vector<Message> messages;
  Position end;           // of the last event that was looked at
  std::string last;       // its task
  bool empty = true;      // there was nothing to look at
  bool full = false;      // there was more than it takes
  bool replaced = false;  // messages that later ones of their tasks took the place of are not in it
  bool left_over = false;  // its events are pruned: the position is not theirs
};

class LoadBuilder {
 public:
  // At most `most` messages. Of a sink that holds the last state of each task it keeps but the last
  // message of a task, unless it may have no other: who looks for the one message that is to blame
  // has to see each.
  LoadBuilder(Sink& sink, int most);

  // Whether it is part of the load; if not, the load is full.
  bool add(const EventView& event);
  // Its end is without the digest.
  Load finish();

 private:
  bool put(const EventView& event);
  Message* earlier_of(std::string_view task_id);

  Sink& sink_;
  const Limits limits_;
  const bool last_only_;
  Load load_;
  std::string payload_;
  std::size_t bytes_ = 0;
  // Of the tasks' messages, by a hash of the id. Two ids with one hash only mean that a task may
  // have a second message.
  std::unordered_map<std::size_t, std::size_t> places_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_LOAD_H_
