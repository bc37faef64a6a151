// A key set's server that remembers what it was asked.
#ifndef RESMGR_TESTS_UNIT_IDENTITY_FAKE_ISSUER_H_
#define RESMGR_TESTS_UNIT_IDENTITY_FAKE_ISSUER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "common/error.h"
#include "common/http.h"

namespace resmgr::identity {

// What the server answers now, and how often it was asked. Thread-safe.
class FakeIssuer {
 public:
  void answer(int status, std::string body) {
    const std::lock_guard lock(mutex_);
    away_ = false;
    status_ = status;
    body_ = std::move(body);
  }
  void go_away() {
    const std::lock_guard lock(mutex_);
    away_ = true;
  }
  // Called within each request, on its thread.
  std::function<void()> during;

  int requests() const { return requests_; }
  std::string last_target() const {
    const std::lock_guard lock(mutex_);
    return last_target_;
  }

  // The issuer must outlive the client.
  std::unique_ptr<HttpClient> client() { return std::make_unique<Client>(*this); }

 private:
  class Client final : public HttpClient {
   public:
    explicit Client(FakeIssuer& issuer) : issuer_(issuer) {}
    HttpResponse send(const HttpRequest& request) override { return issuer_.serve(request); }
    HttpResponse stream(const HttpRequest& request,
                        const std::function<bool(std::string_view)>& on_chunk,
                        std::chrono::milliseconds /*idle_timeout*/,
                        std::stop_token /*stop*/) override {
      HttpResponse response = issuer_.serve(request);
      if (response.status / 100 != 2) return response;
      constexpr std::size_t kChunk = 1000;
      for (std::size_t at = 0; at < response.body.size(); at += kChunk) {
        const std::string_view body = response.body;
        if (!on_chunk(body.substr(at, kChunk))) break;
      }
      response.body.clear();
      return response;
    }

   private:
    FakeIssuer& issuer_;
  };

  HttpResponse serve(const HttpRequest& request) {
    ++requests_;
    if (during) during();
    const std::lock_guard lock(mutex_);
    last_target_ = request.target;
    if (away_) throw Error(ErrorKind::unavailable, "cannot reach the fake issuer: it is away");
    HttpResponse response;
    response.status = status_;
    response.body = body_;
    return response;
  }

  mutable std::mutex mutex_;
  bool away_ = true;
  int status_ = 200;
  std::string body_;
  std::string last_target_;
  std::atomic<int> requests_{0};
};

}  // namespace resmgr::identity

#endif  // RESMGR_TESTS_UNIT_IDENTITY_FAKE_ISSUER_H_
