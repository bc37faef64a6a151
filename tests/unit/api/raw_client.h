// A client that sends whatever bytes a test wants, and reads answers by the letter.
#ifndef RESMGR_TESTS_UNIT_API_RAW_CLIENT_H_
#define RESMGR_TESTS_UNIT_API_RAW_CLIENT_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "common/json.h"

namespace resmgr::api {

struct RawAnswer {
  int status = 0;                              // 0: the connection ended before an answer came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // chunks put together
  bool whole = false;                          // framing says that nothing is missing

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
  Json json() const { return parse_json(body, "answer"); }
  // The last part of the problem's type.
  std::string problem() const;
};

class RawClient {
 public:
  // "127.0.0.1:1234" or "/path/to.sock". Throws std::runtime_error.
  explicit RawClient(const std::string& address);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False once the peer takes no more.
  bool send(std::string_view bytes);
  // As far as the peer takes it without waiting; how much that was.
  std::size_t send_some(std::string_view bytes);
  void finish_sending();  // half-closes
  // `head_only`: an answer to HEAD, which has no body. Waits up to a minute.
  RawAnswer read(bool head_only = false);
  RawAnswer ask(std::string_view request);
  // More bytes as they come, at least one; empty: the connection has ended (or a minute passed).
  std::string read_some();
  // Whether the peer closes the connection, within a minute, without sending anything more.
  bool ends();

 private:
  bool fill();

  int fd_ = -1;
  std::string input_;
};

// "GET <target> HTTP/1.1" with a Host and these other header lines, each ended by CR LF.
std::string get(std::string_view target, std::string_view headers = {});
std::string post(std::string_view target, std::string_view body, std::string_view headers = {});

}  // namespace resmgr::api

#endif  // RESMGR_TESTS_UNIT_API_RAW_CLIENT_H_
