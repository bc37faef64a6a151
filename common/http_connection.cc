#include "common/http_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/file_bytes.h"
#include "common/http_connect.h"

namespace resmgr {

void NoSigpipe::block() {
  sigemptyset(&sigpipe_);
  sigaddset(&sigpipe_, SIGPIPE);
  sigset_t pending;
  sigpending(&pending);
  was_pending_ = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
}

void NoSigpipe::restore() {
  if (!was_pending_) {
    const timespec at_once{};
    while (sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

// The library's client on a connection that we open: the library tells no cause.
class HttpConnection::PlainClient final : public httplib::ClientImpl {
 public:
  explicit PlainClient(Dialling& dialling)
      : ClientImpl(dialling.url.host, dialling.url.port), dialling_(dialling) {}

 private:
  bool create_and_connect_socket(Socket& socket, httplib::Error& error) override {
    dialling_.dialled = true;
    ConnectResult result = http_connect(dialling_.url, dialling_.timeout, dialling_.stop);
    if (result.fd < 0) {
      dialling_.cause = std::move(result.cause);
      error = httplib::Error::Connection;
      return false;
    }
    socket.sock = result.fd;
    return true;
  }

  Dialling& dialling_;
};

HttpConnection::HttpConnection(const HttpUrl& url, const HttpEndpoint& endpoint,
                               std::chrono::milliseconds read_timeout)
    : dialling_{url, endpoint.connect_timeout}, ca_version_(file_version(endpoint.ca_file)) {
  if (url.scheme == HttpUrl::Scheme::https) {
    client_ = make_tls_client(endpoint);
  } else {
    client_ = std::make_unique<PlainClient>(dialling_);
  }
  client_->set_keep_alive(true);
  client_->set_follow_location(false);
  client_->set_url_encode(false);
  client_->set_connection_timeout(endpoint.connect_timeout);
  client_->set_read_timeout(read_timeout);
  client_->set_write_timeout(endpoint.read_timeout);
}

// Version 0.18 makes the class final: it opens its connection itself, and two hooks watch it.
std::unique_ptr<httplib::ClientImpl> HttpConnection::make_tls_client(const HttpEndpoint& endpoint) {
  auto client = std::make_unique<httplib::SSLClient>(dialling_.url.host, dialling_.url.port);
  if (!endpoint.ca_file.empty()) client->set_ca_cert_path(endpoint.ca_file);
  client->enable_server_certificate_verification(true);
  client->set_tcp_nodelay(true);
  client->set_socket_options([this](int fd) { guard_tls_socket(fd); });
  if (SSL_CTX* const context = client->ssl_context(); context != nullptr) {
    SSL_CTX_set_ex_data(context, 0, &dialling_);
    SSL_CTX_set_info_callback(context, [](const SSL* ssl, int event, int) {
      if ((event & SSL_CB_HANDSHAKE_DONE) == 0) return;
      auto* const dialling = static_cast<Dialling*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0));
      dialling->handshaken = true;
      dialling->certificate.reset(SSL_get1_peer_certificate(ssl));
    });
  }
  tls_ = client.get();
  return client;
}

// Called with each new socket, before it is connected. Version 0.18 sends a request again, whatever
// its method, where the peer closed TLS before it answered. A hook can't refuse; but what is no
// socket can't be connected.
void HttpConnection::guard_tls_socket(int fd) {
  dialling_.dialled = true;
  dialling_.repeated = dialling_.handshaken;
  if (!dialling_.repeated && !dialling_.stop.stop_requested()) return;
  const int no_socket = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (no_socket < 0) return;
  dup3(no_socket, fd, O_CLOEXEC);
  close(no_socket);
}

bool HttpConnection::send(httplib::Request& request, httplib::Response& response,
                          httplib::Error& error, const std::stop_token& stop) {
  dialling_.dialled = false;
  dialling_.handshaken = false;
  dialling_.repeated = false;
  dialling_.stop = stop;
  if (client_->send(request, response, error)) return true;
  if (dialling_.repeated) {
    error = httplib::Error::Read;
  } else if (error == httplib::Error::ConnectionTimeout) {
    error = httplib::Error::Connection;
    dialling_.cause = "no connection in time";
  } else if (error == httplib::Error::Connection && tls_ != nullptr) {
    // The library does not say why; whoever tries again is told.
    ConnectResult again = http_connect(dialling_.url, dialling_.timeout, stop);
    if (again.fd >= 0) close(again.fd);
    dialling_.cause = again.fd >= 0 ? "connection failed" : std::move(again.cause);
  }
  return false;
}

long HttpConnection::verify_result() const {
  return tls_ == nullptr ? X509_V_OK : tls_->get_openssl_verify_result();
}

bool HttpConnection::is_open() const { return client_->socket() >= 0; }

bool HttpConnection::is_quiet() const {
  pollfd probe{client_->socket(), POLLIN | POLLRDHUP, 0};
  return probe.fd >= 0 && poll(&probe, 1, 0) == 0;
}

}  // namespace resmgr
