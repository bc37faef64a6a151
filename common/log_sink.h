// Where entries of the log go. Apart from log.cc, so that a program that never configures the log
// starts without the library behind it.
#ifndef RESMGR_COMMON_LOG_SINK_H_
#define RESMGR_COMMON_LOG_SINK_H_

#include <string_view>

namespace resmgr::log {

enum class Appearance { text, text_with_priority, json };

// Gets each entry as one line without its newline, from many threads.
using Sink = void (*)(std::string_view line);

void use_sink(Sink to, Appearance appearance);

}  // namespace resmgr::log

#endif  // RESMGR_COMMON_LOG_SINK_H_
