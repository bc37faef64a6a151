// A daemon that answers as a test tells it, behind the HTTP client port.
#ifndef RESMGR_TESTS_UNIT_ENGINE_SCRIPTED_DAEMON_H_
#define RESMGR_TESTS_UNIT_ENGINE_SCRIPTED_DAEMON_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "agent/engine/docker_transport.h"
#include "common/error.h"
#include "common/http.h"

namespace resmgr::engine {

// For one thread. It must outlive the clients it makes.
class ScriptedDaemon {
 public:
  struct Request {
    std::string line;  // "GET /v1.41/info"
    HttpHeaders headers;
    std::string body;
    Millis read_timeout{0};
  };
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // Requests whose line begins so are answered by `handler`; the last fitting one wins.
  void on(const std::string& line, Handler handler) {
    handlers_.emplace_back(line, std::move(handler));
  }
  void answer(const std::string& line, int status, const std::string& body = "") {
    on(line, [status, body](const HttpRequest&) { return HttpResponse{status, {}, body}; });
  }
  void answer_version(const std::string& api, const std::string& least = "1.12") {
    answer(
        "GET /version", 200,
        R"({"Version": "x", "ApiVersion": ")" + api + R"(", "MinAPIVersion": ")" + least + R"("})");
  }
  void set_away(bool away) { away_ = away; }
  // Bodies of streams come in pieces of this size.
  void set_chunk_size(std::size_t size) { chunk_size_ = size; }
  // What happens after a stream's body: by default the daemon ends it.
  void set_at_end(std::function<void()> at_end) { at_end_ = std::move(at_end); }

  HttpClientFactory factory() {
    return [this](Millis read_timeout) { return std::make_unique<Client>(*this, read_timeout); };
  }
  const std::vector<Request>& requests() const { return requests_; }
  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const Request& request : requests_) lines.push_back(request.line);
    return lines;
  }

 private:
  class Client final : public HttpClient {
   public:
    Client(ScriptedDaemon& daemon, Millis read_timeout)
        : daemon_(daemon), read_timeout_(read_timeout) {}

    HttpResponse send(const HttpRequest& request) override {
      return daemon_.handle(request, read_timeout_);
    }
    HttpResponse stream(const HttpRequest& request,
                        const std::function<bool(std::string_view)>& on_chunk,
                        std::chrono::milliseconds /*idle_timeout*/, std::stop_token stop) override {
      HttpResponse response = daemon_.handle(request, read_timeout_);
      if (response.status / 100 != 2) return response;
      if (request.on_head) request.on_head(response);
      const std::string body = std::exchange(response.body, {});
      for (std::size_t at = 0; at < body.size(); at += daemon_.chunk_size_) {
        if (stop.stop_requested()) return response;
        if (!on_chunk(body.substr(at, daemon_.chunk_size_))) return response;
      }
      if (daemon_.at_end_) daemon_.at_end_();
      return response;
    }

   private:
    ScriptedDaemon& daemon_;
    const Millis read_timeout_;
  };

  HttpResponse handle(const HttpRequest& request, Millis read_timeout) {
    const std::string line = request.method + " " + request.target;
    requests_.push_back({line, request.headers, request.body, read_timeout});
    if (away_) {
      throw Error(ErrorKind::unavailable, "cannot connect to 'daemon': connection refused");
    }
    const auto found = std::find_if(handlers_.rbegin(), handlers_.rend(),
                                    [&](const auto& one) { return line.starts_with(one.first); });
    if (found != handlers_.rend()) return found->second(request);
    return {404, {}, R"({"message": "page not found"})"};
  }

  std::vector<std::pair<std::string, Handler>> handlers_;
  std::vector<Request> requests_;
  std::function<void()> at_end_;
  std::size_t chunk_size_ = 1;
  bool away_ = false;
};

}  // namespace resmgr::engine

#endif  // RESMGR_TESTS_UNIT_ENGINE_SCRIPTED_DAEMON_H_
