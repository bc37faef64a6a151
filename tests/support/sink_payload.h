#ifndef RESMGR_TESTS_SUPPORT_SINK_PAYLOAD_H_
#define RESMGR_TESTS_SUPPORT_SINK_PAYLOAD_H_

#include <string>

#include "agent/sinks/sink.h"

namespace resmgr::sinks {

inline std::string payload_of(Sink& sink, const EventView& event) {
  std::string payload;
  sink.write(event, payload);
  return payload;
}

}  // namespace resmgr::sinks

#endif  // RESMGR_TESTS_SUPPORT_SINK_PAYLOAD_H_
