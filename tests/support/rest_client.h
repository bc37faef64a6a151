// What a frontend's developer would write against the REST API.
#ifndef RESMGR_TESTS_SUPPORT_REST_CLIENT_H_
#define RESMGR_TESTS_SUPPORT_REST_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/http.h"
#include "common/json.h"

namespace resmgr::support {

struct Answer {
  int status = 0;
  HttpResponse response;
  Json json;  // null if the body is no JSON text

  std::string text(std::string_view member) const { return string_or(json, member); }
};

// Thread-safe.
class RestClient {
 public:
  // Sees every answer; what it throws, the call throws.
  using Judge = std::function<void(const HttpRequest&, const Answer&)>;

  // `url` as HttpEndpoint's; no Authorization header is sent with an empty token.
  explicit RestClient(const std::string& url, std::string token = "", Judge judge = {});

  // Throw Error(unavailable) where no answer comes.
  Answer get(const std::string& target, const HttpHeaders& headers = {}) const;
  Answer post(const std::string& target, const Json& body, const HttpHeaders& headers = {}) const;
  Answer del(const std::string& target, const HttpHeaders& headers = {}) const;
  Answer send(HttpRequest request) const;

  // POST /api/tasks for the caller.
  Answer start(const std::string& service, const HttpHeaders& headers = {}) const;

 private:
  std::unique_ptr<HttpClient> http_;
  std::string token_;
  Judge judge_;
};

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_REST_CLIENT_H_
