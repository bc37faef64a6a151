#include "tests/unit/api/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace resmgr::api {
namespace {

constexpr int kPatienceMs = 60'000;

int connect_unix(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un raw{};
  raw.sun_family = AF_UNIX;
  std::strncpy(raw.sun_path, path.c_str(), sizeof raw.sun_path - 1);
  if (connect(fd, reinterpret_cast<sockaddr*>(&raw), sizeof raw) != 0) {
    close(fd);
    throw std::runtime_error("connect " + path + ": " + std::strerror(errno));
  }
  return fd;
}

int connect_tcp(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &raw.sin_addr);
  if (connect(fd, reinterpret_cast<sockaddr*>(&raw), sizeof raw) != 0) {
    close(fd);
    throw std::runtime_error("connect " + address + ": " + std::strerror(errno));
  }
  return fd;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

RawAnswer parse_head(const std::string& head) {
  RawAnswer answer;
  if (head.rfind("HTTP/1.1 ", 0) != 0) throw std::runtime_error("no answer: " + head);
  answer.status = std::stoi(head.substr(9, 3));
  std::size_t at = head.find("\r\n") + 2;
  while (at < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    const std::string line = head.substr(at, end - at);
    if (line.empty()) break;
    const std::size_t colon = line.find(": ");
    if (!answer.headers.emplace(lower(line.substr(0, colon)), line.substr(colon + 2)).second) {
      throw std::runtime_error("a header stands there twice: " + line);
    }
    at = end + 2;
  }
  return answer;
}

}  // namespace

std::string RawAnswer::problem() const {
  const std::string type = string_or(json(), "type");
  return type.substr(type.rfind(':') + 1);
}

RawClient::RawClient(const std::string& address)
    : fd_(address.front() == '/' ? connect_unix(address) : connect_tcp(address)) {}

RawClient::~RawClient() { close(fd_); }

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::size_t RawClient::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

void RawClient::finish_sending() { shutdown(fd_, SHUT_WR); }

bool RawClient::fill() {
  pollfd poll_fd{fd_, POLLIN, 0};
  if (poll(&poll_fd, 1, kPatienceMs) != 1) return false;
  std::array<char, 65536> buffer{};
  const ssize_t received = recv(fd_, buffer.data(), buffer.size(), 0);
  if (received <= 0) return false;
  input_.append(buffer.data(), static_cast<std::size_t>(received));
  return true;
}

RawAnswer RawClient::read(bool head_only) {
  std::size_t end = 0;
  while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return {};
  }
  RawAnswer answer = parse_head(input_.substr(0, end + 4));
  input_.erase(0, end + 4);
  answer.whole = true;
  if (head_only || answer.status == 204 || answer.status == 100) return answer;
  if (answer.header("transfer-encoding") == "chunked") {
    while (true) {
      std::size_t line = 0;
      while ((line = input_.find("\r\n")) == std::string::npos) {
        if (!fill()) return answer.whole = false, answer;
      }
      const std::size_t size = std::stoul(input_.substr(0, line), nullptr, 16);
      while (input_.size() < line + 2 + size + 2) {
        if (!fill()) return answer.whole = false, answer;
      }
      answer.body += input_.substr(line + 2, size);
      if (input_.substr(line + 2 + size, 2) != "\r\n") throw std::runtime_error("bad chunk");
      input_.erase(0, line + 2 + size + 2);
      if (size == 0) return answer;
    }
  }
  if (!answer.headers.contains("content-length")) {
    while (fill()) continue;
    answer.body = std::exchange(input_, {});
    return answer;
  }
  const std::size_t length = std::stoul(answer.header("content-length"));
  while (input_.size() < length) {
    if (!fill()) return answer.whole = false, answer;
  }
  answer.body = input_.substr(0, length);
  input_.erase(0, length);
  return answer;
}

RawAnswer RawClient::ask(std::string_view request) {
  send(request);
  return read();
}

std::string RawClient::read_some() {
  if (input_.empty()) fill();
  return std::exchange(input_, {});
}

bool RawClient::ends() {
  if (!input_.empty()) return false;
  pollfd poll_fd{fd_, POLLIN, 0};
  if (poll(&poll_fd, 1, kPatienceMs) != 1) return false;
  char byte = 0;
  return recv(fd_, &byte, 1, 0) <= 0;
}

std::string get(std::string_view target, std::string_view headers) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) +
         "\r\n";
}

std::string post(std::string_view target, std::string_view body, std::string_view headers) {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

}  // namespace resmgr::api
