#include "tests/unit/common/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace resmgr {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

// TLS writes with write(2); the process must keep its default action for SIGPIPE, which a test
// of the client relies on.
void block_sigpipe_in_this_thread() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::size_t content_length(const std::string& head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  const auto at = std::search(head.begin(), head.end(), kName.begin(), kName.end(),
                              [](char in_head, char in_name) {
                                return std::tolower(static_cast<unsigned char>(in_head)) == in_name;
                              });
  return at == head.end() ? 0 : std::stoul(std::string(at + std::ssize(kName), head.end()));
}

}  // namespace

Peer::Peer(int fd, SSL_CTX* tls) : fd_(fd) {
  if (tls == nullptr) return;
  ssl_.reset(SSL_new(tls));
  SSL_set_fd(ssl_.get(), fd_);
}

Peer::~Peer() {
  if (ssl_) SSL_shutdown(ssl_.get());
  const std::lock_guard lock(mutex_);
  if (fd_ >= 0) close(fd_);
}

std::ptrdiff_t Peer::read_some(char* to, std::size_t size) {
  if (!ssl_) return recv(fd_, to, size, 0);
  if (!SSL_is_init_finished(ssl_.get()) && SSL_accept(ssl_.get()) != 1) return 0;
  return SSL_read(ssl_.get(), to, static_cast<int>(size));
}

std::string Peer::read_request() {
  std::array<char, 65536> buffer{};
  for (;;) {
    const std::size_t end = buffered_.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::size_t size = end + 4 + content_length(buffered_.substr(0, end + 2));
      if (buffered_.size() >= size) {
        std::string request = buffered_.substr(0, size);
        buffered_.erase(0, size);
        return request;
      }
    }
    const auto got = read_some(buffer.data(), buffer.size());
    if (got <= 0) return {};
    buffered_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void Peer::write(std::string_view bytes) {
  if (ssl_) {
    SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    return;
  }
  while (!bytes.empty()) {
    const auto sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Peer::answer(std::string_view body, std::string_view status) {
  write("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\nContent-Type: text/plain\r\n\r\n" + std::string(body));
}

void Peer::wait_for_close() {
  while (!read_request().empty()) {
  }
}

void Peer::reset() {
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  const std::lock_guard lock(mutex_);
  close(std::exchange(fd_, -1));
}

void Peer::shutdown() {
  const std::lock_guard lock(mutex_);
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  listen_on_loopback("http");
}

ScriptedServer::ScriptedServer(const std::string& certificate_file, const std::string& key_file,
                               Script script)
    : script_(std::move(script)), tls_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free) {
  require(SSL_CTX_use_certificate_file(tls_.get(), certificate_file.c_str(), SSL_FILETYPE_PEM) == 1,
          "certificate");
  require(SSL_CTX_use_PrivateKey_file(tls_.get(), key_file.c_str(), SSL_FILETYPE_PEM) == 1, "key");
  listen_on_loopback("https");
}

ScriptedServer::ScriptedServer(const std::string& unix_path, Script script)
    : script_(std::move(script)), url_("unix://" + unix_path) {
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
  require(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  require(listen(listener_, 128) == 0, "listen");
  acceptor_ = std::jthread([this] { accept_all(); });
}

void ScriptedServer::listen_on_loopback(const std::string& scheme) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  require(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  require(listen(listener_, 128) == 0, "listen");
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  url_ = scheme + "://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  acceptor_ = std::jthread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& peer : peers_) peer->shutdown();
  }
  threads_.clear();
  close(listener_);
}

void ScriptedServer::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int number = connections_++;
    ++open_;
    auto peer = std::make_shared<Peer>(fd, tls_.get());
    const std::lock_guard lock(mutex_);
    peers_.push_back(peer);
    threads_.emplace_back([this, peer = std::move(peer), number]() mutable {
      block_sigpipe_in_this_thread();
      script_(*peer, number);
      {
        const std::lock_guard forget(mutex_);
        peers_.remove(peer);
      }
      peer.reset();
      --open_;
    });
  }
}

}  // namespace resmgr
