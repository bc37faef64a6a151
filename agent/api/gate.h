// What every request passes before and after its route: who calls, may they, is the body of a kind
// that we read; CORS; the access log.
#ifndef RESMGR_AGENT_API_GATE_H_
#define RESMGR_AGENT_API_GATE_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/api/access_log.h"
#include "agent/api/http_server.h"
#include "agent/api/metrics.h"
#include "agent/api/router.h"
#include "agent/api/worker_pool.h"
#include "agent/identity/authenticator.h"
#include "common/error.h"

namespace resmgr::api {

class Gate final : public Application {
 public:
  // All must outlive it.
  // `metrics` may be null.
  Gate(const Router& router, identity::Authenticator& authenticator, WorkerPool& workers,
       Metrics* metrics, std::vector<std::string> cors_origins);

  Admission admit(const std::shared_ptr<Exchange>& exchange) override;
  std::optional<Response> handle(const std::shared_ptr<Exchange>& exchange) override;
  void decorate(const Request& request, Response& response) override;
  void finished(const Request& request, int status, std::chrono::microseconds took) override;

 private:
  Admission admit_or_throw(const std::shared_ptr<Exchange>& exchange);
  std::optional<Response> find_route(Request& request) const;
  // Empty: it must be asked again where it may block.
  std::optional<identity::Principal> caller_of(Request& request, bool may_block);
  static void check_access(const Request& request);
  static std::optional<Response> check_body(const Request& request);
  std::optional<Response> run(const Route& route, const Responder& responder) const;
  std::string allowed_origin(const Request& request) const;

  const Router& router_;
  identity::Authenticator& authenticator_;
  WorkerPool& workers_;
  const std::vector<std::string> cors_origins_;
  AccessLog access_log_;
  Metrics* const metrics_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_GATE_H_
