// An HTTP/1.1 server (RFC 9112) on TCP and a unix socket, made to face hostile clients: whatever
// they send or don't send, memory, time and threads that they get are bounded.
//
// Connections live on a few I/O threads; what an Application does there must not block.
#ifndef RESMGR_AGENT_API_HTTP_SERVER_H_
#define RESMGR_AGENT_API_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/api/message.h"
#include "agent/api/responder.h"
#include "agent/api/server_options.h"

namespace resmgr::api {

// How it goes on with a request whose head is whole.
struct Admission {
  enum class Verdict {
    proceed,  // read the body, then handle()
    refuse,   // answer `refusal`; the body is not read
    pending,  // the responder's proceed() or send() says so later
  };
  Verdict verdict = Verdict::proceed;
  std::optional<Response> refusal;
};

// What the server serves. Called on I/O threads; must neither block nor throw.
class Application {
 public:
  virtual ~Application() = default;

  // `exchange` is kept only to answer later; then the verdict is `pending`.
  virtual Admission admit(const std::shared_ptr<Exchange>& exchange) = 0;
  // The request is whole. The answer, or empty if the exchange is answered later.
  virtual std::optional<Response> handle(const std::shared_ptr<Exchange>& exchange) = 0;
  // Puts the headers in that all answers have; those of the server's own refusals too.
  virtual void decorate(const Request& request, Response& response) = 0;
  // An answer was sent, or could not be.
  virtual void finished(const Request& request, int status, std::chrono::microseconds took) = 0;
};

class HttpServer {
 public:
  // `application` must outlive it. Throws Error(config) for options that it can't serve.
  HttpServer(ServerOptions options, Application& application);
  ~HttpServer();  // as stop()

  // Returns once it listens everywhere. Throws Error(config) naming the address that it can't
  // listen on (in use, not ours, refused without allow_plaintext); nothing is left open then.
  void start();

  // The real addresses, "127.0.0.1:41234"; without the unix socket.
  const std::vector<std::string>& listening() const;

  // Whether every I/O thread gets to something new within that time. Between start() and stop().
  bool turns(std::chrono::milliseconds patience) const;

  // Takes no more requests, gives answers under way a little time, ends every connection, and
  // removes the unix socket. Answers that come later are dropped. Idempotent.
  void stop();

  std::size_t connections() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_HTTP_SERVER_H_
