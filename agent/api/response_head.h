// Status line and headers of an answer, as bytes.
#ifndef RESMGR_AGENT_API_RESPONSE_HEAD_H_
#define RESMGR_AGENT_API_RESPONSE_HEAD_H_

#include <string>
#include <string_view>

#include "agent/api/message.h"

namespace resmgr::api {

enum class Framing {
  length,       // Content-Length: the body's size
  chunked,      // Transfer-Encoding: chunked
  until_close,  // for HTTP/1.0, which knows no chunks
};

struct HeadOptions {
  Framing framing = Framing::length;
  bool keep_alive = true;
  int version = 11;  // of the request
  std::string_view request_id;
  std::string_view date;  // IMF-fixdate, RFC 9110, section 5.6.7
};

// Appends the head. Bytes in header values that would end the line become spaces.
void append_head(std::string& out, const Response& response, const HeadOptions& options);

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(long long seconds_since_1970);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_RESPONSE_HEAD_H_
