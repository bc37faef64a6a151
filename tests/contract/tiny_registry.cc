#include "tests/contract/tiny_registry.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>

#include "common/crypto.h"
#include "common/ids.h"
#include "common/json.h"

namespace resmgr::engine {
namespace {

constexpr std::size_t kBlock = 512;  // of a tar archive
constexpr std::size_t kLongestHead = std::size_t{64} * 1024;

std::string digest_of(const std::string& bytes) { return "sha256:" + sha256_hex(bytes); }

// A tar archive (POSIX ustar) of one file.
std::string archive_of(const std::string& name, const std::string& bytes) {
  std::string header(kBlock, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  char size[12];
  std::snprintf(size, sizeof size, "%011zo", bytes.size());
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, size);
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  char checksum[8];
  std::snprintf(checksum, sizeof checksum, "%06o", sum);
  put(148, std::string(checksum) + '\0');
  std::string archive = header + bytes;
  archive.append((kBlock - bytes.size() % kBlock) % kBlock, '\0');
  archive.append(2 * kBlock, '\0');
  return archive;
}

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string read_head(int socket) {
  std::string head;
  char buffer[4096];
  while (head.find("\r\n\r\n") == std::string::npos && head.size() < kLongestHead) {
    const ssize_t got = recv(socket, buffer, sizeof buffer, 0);
    if (got <= 0) return {};
    head.append(buffer, static_cast<std::size_t>(got));
    // The engine tries TLS first (its greeting begins with 22), and plain HTTP when that fails.
    if (head.front() == 22) return {};
  }
  return head;
}

std::string response(const std::string& status, const std::string& headers, const std::string& body,
                     bool with_body) {
  return "HTTP/1.1 " + status +
         "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + (with_body ? body : "");
}

}  // namespace

TinyRegistry::TinyRegistry() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || bind(listener_, generic, size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
}

TinyRegistry::~TinyRegistry() {
  acceptor_.request_stop();
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (const int socket : open_) shutdown(socket, SHUT_RDWR);
    changed_.notify_all();
  }
  connections_.clear();
  for (const int socket : open_) close(socket);
  close(listener_);
}

std::string TinyRegistry::address() const { return "127.0.0.1:" + std::to_string(port_); }

void TinyRegistry::add(const std::string& name, std::size_t layer_bytes) {
  const std::string layer = archive_of("data", random_hex(layer_bytes / 2));
  const std::string config =
      dump_json({{"architecture", "amd64"},
                 {"os", "linux"},
                 {"config", {{"Cmd", {"/data"}}}},
                 {"rootfs", {{"type", "layers"}, {"diff_ids", {digest_of(layer)}}}}});
  const std::string base = "application/vnd.docker.";
  const Json manifest = {{"schemaVersion", 2},
                         {"mediaType", base + "distribution.manifest.v2+json"},
                         {"config",
                          {{"mediaType", base + "container.image.v1+json"},
                           {"size", config.size()},
                           {"digest", digest_of(config)}}},
                         {"layers", Json::array({Json{{"mediaType", base + "image.rootfs.diff.tar"},
                                                      {"size", layer.size()},
                                                      {"digest", digest_of(layer)}}})}};
  const std::string bytes = dump_json(manifest);
  const Document document{base + "distribution.manifest.v2+json", bytes};
  const std::string root = "/v2/" + name;
  const std::lock_guard lock(mutex_);
  documents_[root + "/manifests/1"] = document;
  documents_[root + "/manifests/" + digest_of(bytes)] = document;
  documents_[root + "/blobs/" + digest_of(config)] = {"application/octet-stream", config};
  documents_[root + "/blobs/" + digest_of(layer)] = {"application/octet-stream", layer, true};
}

void TinyRegistry::require(const std::string& user, const std::string& password) {
  const std::lock_guard lock(mutex_);
  authorization_ = "Basic " + base64_encode(user + ":" + password);
}

void TinyRegistry::stall() {
  const std::lock_guard lock(mutex_);
  stalled_ = true;
}

void TinyRegistry::resume() {
  const std::lock_guard lock(mutex_);
  stalled_ = false;
  changed_.notify_all();
}

bool TinyRegistry::wait_until_stalled() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::minutes(1), [this] { return waiting_ > 0; });
}

void TinyRegistry::accept_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, 50) <= 0) continue;
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::lock_guard lock(mutex_);
    open_.push_back(socket);
    connections_.emplace_back([this, socket] { serve(socket); });
  }
}

void TinyRegistry::serve(int socket) {
  const std::string head = read_head(socket);
  const std::size_t first = head.find(' ');
  const std::size_t second = head.find(' ', first + 1);
  if (second != std::string::npos) {
    const std::string path = head.substr(first + 1, second - first - 1);
    send_all(socket, answer(head.substr(0, first), path, head));
  }
  // Closed with the registry: its number must not become another connection's meanwhile.
  shutdown(socket, SHUT_RDWR);
}

std::string TinyRegistry::answer(std::string_view method, const std::string& path,
                                 std::string_view head) {
  const bool with_body = method != "HEAD";
  std::unique_lock lock(mutex_);
  if (!authorization_.empty() && head.find(authorization_) == std::string_view::npos) {
    return response("401 Unauthorized", "WWW-Authenticate: Basic realm=\"tiny\"\r\n",
                    R"({"errors":[{"code":"UNAUTHORIZED"}]})", with_body);
  }
  if (path == "/v2/") {
    return response("200 OK", "Docker-Distribution-Api-Version: registry/2.0\r\n", "{}", with_body);
  }
  const auto found = documents_.find(path);
  if (found == documents_.end()) {
    return response("404 Not Found", "Content-Type: application/json\r\n",
                    R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown",)"
                    R"("detail":{"Tag":"1"}}]})",
                    with_body);
  }
  const Document document = found->second;
  if (document.is_layer && stalled_) {
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !stalled_ || closing_; });
    --waiting_;
  }
  return response("200 OK",
                  "Content-Type: " + document.type +
                      "\r\nDocker-Content-Digest: " + digest_of(document.bytes) + "\r\n",
                  document.bytes, with_body);
}

}  // namespace resmgr::engine
