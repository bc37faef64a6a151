// A service behind HTTP, in memory: it remembers what it was asked, and answers as it is told.
#ifndef RESMGR_TESTS_FAKES_FAKE_HTTP_SERVICE_H_
#define RESMGR_TESTS_FAKES_FAKE_HTTP_SERVICE_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/http.h"

namespace resmgr {

// Outlives its clients. Thread-safe.
class FakeHttpService {
 public:
  // Empty: no answer comes; the client waits until it is stopped. It may throw, as a client does.
  using Answer = std::function<std::optional<HttpResponse>(const HttpRequest&)>;
  void set_answer(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  void answer(int status, std::string body, HttpHeaders headers = {}) {
    set_answer([=](const HttpRequest&) { return HttpResponse{status, headers, body}; });
  }
  void hang() {
    set_answer([](const HttpRequest&) { return std::nullopt; });
  }

  std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::unique_ptr<HttpClient> client() { return std::make_unique<Client>(*this); }

 private:
  class Client final : public HttpClient {
   public:
    explicit Client(FakeHttpService& service) : service_(service) {}
    HttpResponse send(const HttpRequest& request) override { return service_.serve(request, {}); }
    HttpResponse stream(const HttpRequest& request,
                        const std::function<bool(std::string_view)>& on_chunk,
                        std::chrono::milliseconds /*idle_timeout*/, std::stop_token stop) override {
      HttpResponse response = service_.serve(request, stop);
      if (response.status / 100 != 2) return response;
      if (!response.body.empty()) on_chunk(response.body);
      response.body.clear();
      return response;
    }

   private:
    FakeHttpService& service_;
  };

  HttpResponse serve(const HttpRequest& request, const std::stop_token& stop) {
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      answer = answer_;
    }
    if (auto response = answer ? answer(request) : HttpResponse{200, {}, "{}"}) return *response;
    std::unique_lock lock(mutex_);
    stopped_.wait(lock, stop, [] { return false; });
    return {};
  }

  mutable std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::vector<HttpRequest> requests_;
  Answer answer_;
};

}  // namespace resmgr

#endif  // RESMGR_TESTS_FAKES_FAKE_HTTP_SERVICE_H_
