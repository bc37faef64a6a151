// What the tests of the HTTP client share.
#ifndef RESMGR_TESTS_UNIT_COMMON_HTTP_TESTING_H_
#define RESMGR_TESTS_UNIT_COMMON_HTTP_TESTING_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/guarded.h"
#include "common/http.h"
#include "tests/unit/common/scripted_server.h"

namespace resmgr {

inline std::unique_ptr<HttpClient> client_of(
    const std::string& url,
    std::chrono::milliseconds read_timeout = std::chrono::milliseconds{60'000}) {
  HttpEndpoint endpoint;
  endpoint.url = url;
  endpoint.read_timeout = read_timeout;
  return make_http_client(endpoint);
}

inline HttpRequest get(const std::string& target) { return {"GET", target, {}, {}, {}}; }
inline HttpRequest post(const std::string& target, const std::string& body = "x") {
  return {"POST", target, {}, body, "text/plain"};
}

inline Error failure_of(HttpClient& client, const HttpRequest& request) {
  try {
    const HttpResponse response = client.send(request);
    ADD_FAILURE() << "answered " << response.status << " " << response.body;
  } catch (const Error& e) {
    return e;
  }
  return {ErrorKind::internal, ""};
}

// Answers every request with its own first line.
inline void echo(Peer& peer, int /*connection*/) {
  for (std::string request; !(request = peer.read_request()).empty();) {
    peer.answer(request.substr(0, request.find("\r\n")));
  }
}

class Seen {
 public:
  void add(const std::string& request) {
    requests_.with([&](auto& all) { all.push_back(request); });
  }
  std::vector<std::string> all() {
    return requests_.with([](const auto& all) { return all; });
  }

 private:
  Guarded<std::vector<std::string>> requests_;
};

}  // namespace resmgr

#endif  // RESMGR_TESTS_UNIT_COMMON_HTTP_TESTING_H_
