// What answers at a task's port is its user's to write: nothing of it may hold or fill the agent.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "agent/tasks/jupyter_probe.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const Instant kHostileNow = *parse_rfc3339("2026-11-22T12:00:00Z");

// Serves one connection after the other until it is destroyed.
class Server {
 public:
  // Told the request's head; sends what it likes; over when it returns or send() says no.
  using Send = std::function<bool(std::string_view)>;
  using Serve = std::function<void(const std::string& head, const Send& send)>;

  explicit Server(Serve serve) : serve_(std::move(serve)), listener_(listen_on_loopback()) {
    socklen_t size = sizeof address_;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Server() {
    thread_.request_stop();
    thread_.join();
    close(listener_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return ntohs(address_.sin_port); }

 private:
  static int listen_on_loopback() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0 || listen(fd, 8) != 0) {
      throw std::runtime_error("cannot listen on loopback");
    }
    return fd;
  }

  static bool readable(int fd, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{fd, POLLIN, 0};
      if (poll(&waiting, 1, 20) == 1) return true;
    }
    return false;
  }

  void run(const std::stop_token& stop) {
    while (readable(listener_, stop)) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      std::string head;
      char byte = 0;
      while (!head.ends_with("\r\n\r\n") && readable(fd, stop) && recv(fd, &byte, 1, 0) == 1) {
        head += byte;
      }
      serve_(head, [&](std::string_view bytes) {
        while (!bytes.empty()) {
          const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
          if (sent <= 0 || stop.stop_requested()) return false;
          bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return !stop.stop_requested();
      });
      close(fd);
    }
  }

  Serve serve_;
  int listener_;
  sockaddr_in address_{};
  std::jthread thread_;
};

JupyterLook look_at(const Server& server, Millis limit) {
  JupyterAccess access;
  access.token = "s3cret";
  access.limit = limit;
  return look_at_jupyter(*make_probe_client("0.0.0.0", server.port()), access, kHostileNow);
}

std::string answer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

TEST(HostileJupyter, AnHonestOneAnswersOverARealConnection) {
  const Server server([](const std::string& head, const Server::Send& send) {
    if (head.find("Authorization: token s3cret\r\n") == std::string::npos) {
      send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    } else if (head.starts_with("GET /api/status?")) {
      send(answer(R"({"last_activity": "2026-11-22T11:30:00.5Z", "connections": 1})"));
    } else if (head.starts_with("GET /api/kernels?")) {
      send(answer(R"([{"execution_state": "busy"}])"));
    } else {
      send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
  });
  const JupyterLook look = look_at(server, 60s);
  EXPECT_TRUE(look.answered) << look.failure;
  EXPECT_EQ(look.busy_kernels, 1);
  EXPECT_EQ(look.last_activity, kHostileNow - 30min + 500ms);
}

TEST(HostileJupyter, ADrippingHeadIsCutAtTheLimit) {
  const Server server([](const std::string&, const Server::Send& send) {
    if (!send("HTTP/1.1 200 OK\r\nX-Drip: ")) return;
    while (send("x")) std::this_thread::sleep_for(5ms);
  });
  EXPECT_EQ(look_at(server, 300ms).failure, "it did not answer within 300ms");
}

TEST(HostileJupyter, ADrippingBodyIsCutAtTheLimit) {
  const Server server([](const std::string&, const Server::Send& send) {
    if (!send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")) return;
    while (send(" ")) std::this_thread::sleep_for(5ms);
  });
  EXPECT_EQ(look_at(server, 300ms).failure, "it did not answer within 300ms");
}

TEST(HostileJupyter, SilenceIsCutAtTheLimit) {
  const Server server([](const std::string&, const Server::Send& send) {
    while (send("")) std::this_thread::sleep_for(5ms);
  });
  EXPECT_EQ(look_at(server, 300ms).failure, "it did not answer within 300ms");
}

TEST(HostileJupyter, AnEndlessBodyIsNotKept) {
  const Server server([](const std::string&, const Server::Send& send) {
    const std::string much(1 << 16, '[');
    if (!send("HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")) return;
    while (send(much)) {
    }
  });
  EXPECT_EQ(look_at(server, 60s).failure, "its answer to /api/status is over 1 MiB");
}

TEST(HostileJupyter, AnEndlessErrorIsNotKeptEither) {
  std::atomic<std::size_t> sent{0};
  const Server server([&](const std::string&, const Server::Send& send) {
    const std::string much(1 << 16, 'x');
    if (!send("HTTP/1.1 500 Oh\r\nContent-Length: 100000000000\r\n\r\n")) return;
    while (send(much)) sent += much.size();
  });
  const JupyterLook look = look_at(server, 60s);
  EXPECT_FALSE(look.answered);
  EXPECT_THAT(look.failure, HasSubstr("it is over 1 MiB"));
  EXPECT_LT(sent, std::size_t{32} << 20);
}

TEST(HostileJupyter, OneThatHangsUpIsNoAnswer) {
  const Server server([](const std::string&, const Server::Send&) {});
  const JupyterLook look = look_at(server, 60s);
  EXPECT_FALSE(look.answered);
  EXPECT_THAT(look.failure, HasSubstr("cannot get answer to GET"));
}

TEST(HostileJupyter, ALookEndsWhenItIsToldTo) {
  const Server server([](const std::string&, const Server::Send& send) {
    while (send("")) std::this_thread::sleep_for(5ms);
  });
  JupyterAccess access;
  access.limit = 600s;
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  const auto client = make_probe_client("127.0.0.1", server.port());
  EXPECT_FALSE(look_at_jupyter(*client, access, kHostileNow, stop.get_token()).answered);
}

}  // namespace
}  // namespace resmgr::tasks
