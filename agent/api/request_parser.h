// Reads HTTP/1.1 requests (RFC 9112) out of bytes. It refuses whatever two parties could read in
// two ways, so that nothing can be smuggled past a proxy in front of the agent.
#ifndef RESMGR_AGENT_API_REQUEST_PARSER_H_
#define RESMGR_AGENT_API_REQUEST_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/api/message.h"

namespace resmgr::api {

struct ParserLimits {
  std::size_t head_bytes;  // request line and headers together
  std::size_t headers;
  std::size_t body_bytes;
};

// Why a request is refused before any route sees it. The connection can't go on after it.
struct ParseFault {
  int status = 400;
  std::string_view name;    // of the problem type
  std::string_view detail;  // a constant, for people
};

class RequestParser {
 public:
  explicit RequestParser(const ParserLimits& limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Makes ready for the next request.
  void reset();

  // `input` begins where the request does; a later call repeats it with more behind it. Returns
  // the head's length once it is whole and `request` is filled, else 0: more is needed, or fault()
  // says what is wrong.
  std::size_t parse_head(std::string_view input, Request& request);

  // Of a request whose head is whole. Returns how much of `input` was used up; what was not must
  // be there again in the next call, with more behind it. The body is appended to `request`.
  std::size_t parse_body(std::string_view input, Request& request);

  bool done() const;  // head and body are whole
  const std::optional<ParseFault>& fault() const { return fault_; }
  bool keep_alive() const;
  bool expects_continue() const { return expects_continue_; }
  // Bytes of the body as announced; empty when it comes in chunks; 0 = it has none.
  std::optional<std::uint64_t> content_length() const { return content_length_; }

 private:
  struct Impl;

  std::size_t find_head_end(std::string_view input);
  bool check_line(std::string_view line);
  void read_message(Request& request);
  void check_framing(const Request& request);
  void check_host(const Request& request);
  void refuse(int status, std::string_view name, std::string_view detail);

  const ParserLimits limits_;
  std::unique_ptr<Impl> impl_;
  std::optional<ParseFault> fault_;
  std::optional<std::uint64_t> content_length_;
  bool expects_continue_ = false;
  bool version_is_known_ = true;
  // Progress of find_head_end(): what needs no second look.
  std::size_t line_begin_ = 0;
  std::size_t scanned_ = 0;
  std::size_t lines_ = 0;
  std::size_t blank_bytes_ = 0;  // of an empty line before the request line
  std::uint64_t body_input_bytes_ = 0;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_REQUEST_PARSER_H_
