// The trace that a request is part of (W3C Trace Context, https://www.w3.org/TR/trace-context/).
#ifndef RESMGR_AGENT_API_TRACE_CONTEXT_H_
#define RESMGR_AGENT_API_TRACE_CONTEXT_H_

#include <optional>
#include <string_view>

namespace resmgr::api {

// Views of the header's value.
struct TraceContext {
  std::string_view trace_id;   // 32 lower-case hexadecimal digits, not all zero
  std::string_view parent_id;  // 16 of them: the caller's span
};

// Of a header `traceparent`; empty where it is not as the standard has it, which is no error: the
// request goes on without. Of later versions what version 00 has is read.
std::optional<TraceContext> parse_traceparent(std::string_view header);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_TRACE_CONTEXT_H_
