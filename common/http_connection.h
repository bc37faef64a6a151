// One connection of an HTTP client, with the library's client on it.
#ifndef RESMGR_COMMON_HTTP_CONNECTION_H_
#define RESMGR_COMMON_HTTP_CONNECTION_H_

#include <httplib.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <stop_token>
#include <string>

#include "common/http.h"
#include "common/http_url.h"

namespace resmgr {

// Keeps SIGPIPE from this thread: the library writes without MSG_NOSIGNAL, and the signal of a
// connection that the peer closed would end the process.
class NoSigpipe {
 public:
  NoSigpipe() { block(); }
  ~NoSigpipe() { restore(); }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

  // For the time of a callback, whose own broken pipes are not our business.
  void restore();
  void block();

 private:
  sigset_t sigpipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

class HttpConnection {
 public:
  using Steady = std::chrono::steady_clock;

  // `url` and `endpoint` must outlive it.
  HttpConnection(const HttpUrl& url, const HttpEndpoint& endpoint,
                 std::chrono::milliseconds read_timeout);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // At most one connection is opened for it, and it goes out at most once. Error::Connection means
  // that there was none.
  bool send(httplib::Request& request, httplib::Response& response, httplib::Error& error,
            const std::stop_token& stop = {});
  // Ends what send() does in another thread. Before the connection is open it does nothing: send()
  // then sees its stop token. Where TLS is being connected it waits for that.
  void stop() { client_->stop(); }

  // Of the last request: whether it went out on a connection that had been used before.
  bool was_reused() const { return !dialling_.dialled; }
  // Why it could not be connected.
  const std::string& connect_cause() const { return dialling_.cause; }
  // X509_V_…: what the verification of the peer's certificate said.
  long verify_result() const;
  // The peer's certificate; null before it has shown one.
  X509* peer_certificate() const { return dialling_.certificate.get(); }

  bool is_open() const;
  // Nothing may come unasked: what is readable is the peer's goodbye.
  bool is_quiet() const;

  // Which content of the endpoint's CA file it goes by: whoever withdraws a CA, or adds one, need
  // not wait until connections end.
  const std::string& ca_version() const { return ca_version_; }

  Steady::time_point last_used;

 private:
  class PlainClient;

  // What the hooks of the library's client need to know about the current request.
  struct Dialling {
    const HttpUrl& url;
    std::chrono::milliseconds timeout;
    std::stop_token stop;
    bool dialled = false;     // it opened a connection, or tried to
    bool handshaken = false;  // TLS stands, so it may have been sent
    bool repeated = false;    // the library wanted to send it a second time
    std::string cause;        // why there is no connection
    std::unique_ptr<X509, decltype(&X509_free)> certificate{nullptr, &X509_free};
  };

  std::unique_ptr<httplib::ClientImpl> make_tls_client(const HttpEndpoint& endpoint);
  void guard_tls_socket(int fd);

  Dialling dialling_;  // outlives the client
  std::unique_ptr<httplib::ClientImpl> client_;
  httplib::SSLClient* tls_ = nullptr;  // the same, if it is one
  const std::string ca_version_;       // older rather than newer than what was read
};

}  // namespace resmgr

#endif  // RESMGR_COMMON_HTTP_CONNECTION_H_
