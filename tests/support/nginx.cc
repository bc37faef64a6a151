#include "tests/support/nginx.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <stdexcept>

#include "tests/support/certificates.h"
#include "tests/support/eventually.h"

namespace resmgr::support {
namespace {

constexpr char kShipped[] = RESMGR_SOURCE_DIR "/packaging/nginx/resmgr.conf";

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool succeeds(int port, int (*act)(int, const sockaddr*, socklen_t)) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool good = act(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return good;
}

// Throws where the shipped file has no such text: the test would be one of another configuration.
void replace_all(std::string& text, const std::string& from, const std::string& to) {
  std::size_t at = text.find(from);
  if (at == std::string::npos) {
    throw std::runtime_error(std::string(kShipped) + " has no '" + from + "'");
  }
  for (; at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

// Below those that the kernel gives to whoever asks for any.
int quiet_port() {
  std::random_device random;
  for (int tries = 0; tries < 200; ++tries) {
    const int port = std::uniform_int_distribution(15'000, 31'000)(random);
    if (succeeds(port, bind)) return port;
  }
  throw std::runtime_error("there is no free port on 127.0.0.1");
}

Nginx::Nginx(int port, const std::string& agent_url) {
  const std::string dir = dir_.path();
  for (const std::string host : {kTasksHost, kDashboardHost}) {
    make_certificate({.name = host}, {dir + "/" + host + ".pem", dir + "/" + host + ".key"});
  }
  std::string shipped = read_file(kShipped);
  replace_all(shipped, "    listen [::]:443 ssl;\n", "");
  replace_all(shipped, "listen 443 ssl;", "listen 127.0.0.1:" + std::to_string(port) + " ssl;");
  replace_all(shipped, "/etc/ssl/private/", dir + "/");
  replace_all(shipped, "/etc/ssl/", dir + "/");
  replace_all(shipped, "tasks.example.org", kTasksHost);
  replace_all(shipped, "resmgr.example.org", kDashboardHost);
  replace_all(shipped, "127.0.0.1:7070", agent_url.substr(agent_url.find("//") + 2));
  const std::string own = dir_.write("resmgr.conf", shipped);
  std::string main = "daemon off;\nmaster_process off;\npid " + dir + "/pid;\nerror_log stderr;\n" +
                     "events {}\nhttp {\n  access_log off;\n";
  for (const std::string kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    main += "  " + kind + "_temp_path " + dir + "/" + kind + ";\n";
  }
  main += "  include " + own + ";\n}\n";
  process_ = std::make_unique<Subprocess>(std::vector<std::string>{
      "/usr/sbin/nginx", "-p", dir, "-e", "stderr", "-c", dir_.write("nginx.conf", main)});
  if (!eventually([&] { return !process_->running() || succeeds(port, connect); }) ||
      !process_->running()) {
    throw std::runtime_error("nginx does not listen: " + process_->err());
  }
}

}  // namespace resmgr::support
