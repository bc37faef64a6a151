// An application whose routes are functions of the test's, behind a server on a free port.
#ifndef RESMGR_TESTS_UNIT_API_SCRIPTED_APPLICATION_H_
#define RESMGR_TESTS_UNIT_API_SCRIPTED_APPLICATION_H_

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/api/http_server.h"

namespace resmgr::api {

class ScriptedApplication final : public Application {
 public:
  // By default the request is echoed: "METHOD path body".
  std::function<Admission(const std::shared_ptr<Exchange>&)> on_admit =
      [](const std::shared_ptr<Exchange>&) { return Admission{}; };
  std::function<std::optional<Response>(const std::shared_ptr<Exchange>&)> on_handle =
      [](const std::shared_ptr<Exchange>& exchange) { return echo(exchange->request); };

  static Response echo(const Request& request) {
    Response response;
    response.content_type = kPlainText;
    response.body = std::string(to_string(request.method)) + " " + std::string(request.path) + " " +
                    request.body;
    return response;
  }

  Admission admit(const std::shared_ptr<Exchange>& exchange) override {
    ++admitted;
    return on_admit(exchange);
  }
  std::optional<Response> handle(const std::shared_ptr<Exchange>& exchange) override {
    std::string path(exchange->request.path);
    std::optional<Response> response = on_handle(exchange);
    // Noted last: who waits for it may then use what on_handle left.
    const std::lock_guard lock(mutex_);
    handled_.push_back(std::move(path));
    return response;
  }
  void decorate(const Request&, Response& response) override { response.set("X-Test", "1"); }
  void finished(const Request&, int status, std::chrono::microseconds) override {
    const std::lock_guard lock(mutex_);
    statuses_.push_back(status);
  }

  std::vector<std::string> handled() const {
    const std::lock_guard lock(mutex_);
    return handled_;
  }
  std::vector<int> statuses() const {
    const std::lock_guard lock(mutex_);
    return statuses_;
  }

  std::atomic<int> admitted{0};

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> handled_;
  std::vector<int> statuses_;
};

inline ServerOptions free_port() {
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  return options;
}

}  // namespace resmgr::api

#endif  // RESMGR_TESTS_UNIT_API_SCRIPTED_APPLICATION_H_
