// What many subscribers of GET /api/live cost: memory each, when an event is with the last of them,
// and how long other requests take meanwhile, as ratios of one run.
//
// Usage: live_bench [--subscribers N] [--json FILE]   (10,000 unless said otherwise)

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/figures.h"
#include "tests/support/agent_process.h"
#include "tests/support/tokens.h"

namespace resmgr::bench {
namespace {

constexpr int kEvents = 20;
constexpr int kRequests = 20'000;
constexpr std::chrono::seconds kPatience{60};

[[noreturn]] void give_up(const std::string& why) { throw std::runtime_error(why); }

// RFC 6455: frames of a server, of which only whole text frames count.
class Frames {
 public:
  // How many messages became whole by these bytes.
  int add(const char* data, std::size_t size) {
    bytes_.append(data, size);
    int messages = 0;
    while (const std::size_t length = first()) {
      messages += (static_cast<unsigned char>(bytes_[0]) & 0x0fU) == 1U ? 1 : 0;
      bytes_.erase(0, length);
    }
    if (bytes_.empty()) bytes_.shrink_to_fit();
    return messages;
  }

 private:
  // Bytes of the first frame with its head; 0: it is not whole yet.
  std::size_t first() const {
    if (bytes_.size() < 2) return 0;
    std::size_t length = static_cast<unsigned char>(bytes_[1]) & 0x7fU;
    std::size_t head = 2;
    if (length >= 126) {
      head = length == 126 ? 4 : 10;
      if (bytes_.size() < head) return 0;
      length = 0;
      for (std::size_t i = 2; i < head; ++i) {
        length = length << 8U | static_cast<unsigned char>(bytes_[i]);
      }
    }
    return bytes_.size() >= head + length ? head + length : 0;
  }

  std::string bytes_;
};

// All of them, read by one thread.
class Subscribers {
 public:
  Subscribers(std::uint16_t port, std::string token) : port_(port), token_(std::move(token)) {}
  ~Subscribers() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    for (const One& one : all_) close(one.socket);
    if (epoll_ >= 0) close(epoll_);
  }
  Subscribers(const Subscribers&) = delete;
  Subscribers& operator=(const Subscribers&) = delete;

  void connect(int count) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    all_.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) connect_one();
    thread_ = std::thread([this] { read_all(); });
  }
  // When the last of them had that many messages, beginning with the first that came to any.
  SteadyClock::time_point wait_for(std::int64_t messages_each) const {
    const auto wanted = messages_each * static_cast<std::int64_t>(all_.size());
    const auto begin = SteadyClock::now();
    while (messages_ < wanted) {
      if (lost_ > 0) give_up(std::to_string(lost_) + " subscribers were cut");
      if (SteadyClock::now() - begin > kPatience) {
        give_up("only " + std::to_string(messages_) + " of " + std::to_string(wanted) +
                " messages came");
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    return SteadyClock::time_point(SteadyClock::duration(last_message_.load()));
  }

 private:
  struct One {
    int socket = -1;
    Frames frames;
  };

  void connect_one() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket < 0 ||
        ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      give_up("connection " + std::to_string(all_.size()) + " was refused");
    }
    const std::string request =
        "GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Authorization: Bearer " +
        token_ + "\r\n\r\n";
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      give_up("a handshake could not be sent");
    }
    One& one = all_.emplace_back();
    one.socket = socket;
    read_head(one);
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.u64 = all_.size() - 1;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &interest);
  }

  void read_head(One& one) {
    std::string head;
    std::array<char, 4'096> buffer{};
    std::size_t end = 0;
    while ((end = head.find("\r\n\r\n")) == std::string::npos) {
      const ssize_t got = ::recv(one.socket, buffer.data(), buffer.size(), 0);
      if (got <= 0) give_up("a handshake was cut off");
      head.append(buffer.data(), static_cast<std::size_t>(got));
    }
    if (!head.starts_with("HTTP/1.1 101 ")) give_up("it was answered " + head);
    messages_ += one.frames.add(head.data() + end + 4, head.size() - end - 4);
  }

  void read_all() {
    std::array<epoll_event, 512> ready{};
    std::array<char, 65'536> buffer{};
    while (!stop_) {
      const int count = epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), 50);
      for (int i = 0; i < count; ++i) {
        One& one = all_[ready.at(static_cast<std::size_t>(i)).data.u64];
        const ssize_t got = ::recv(one.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got <= 0) {
          epoll_ctl(epoll_, EPOLL_CTL_DEL, one.socket, nullptr);
          ++lost_;
          continue;
        }
        const int messages = one.frames.add(buffer.data(), static_cast<std::size_t>(got));
        if (messages == 0) continue;
        last_message_ = SteadyClock::now().time_since_epoch().count();
        messages_ += messages;
      }
    }
  }

  const std::uint16_t port_;
  const std::string token_;
  int epoll_ = -1;
  std::vector<One> all_;
  std::atomic<std::int64_t> messages_{0};
  std::atomic<SteadyClock::rep> last_message_{0};
  std::atomic<int> lost_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

double anonymous_kib(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; in >> word;) {
    double kib = 0;
    if (word == "RssAnon:" && in >> kib) return kib;
  }
  return 0;
}

// The agent's children inherit it.
void raise_file_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

double p99_of_requests(const support::RestClient& client, int count) {
  std::vector<double> taken;
  for (int i = 0; i < count; ++i) {
    const auto begin = SteadyClock::now();
    if (client.get("/api/tasks").status != 200) give_up("a request failed");
    taken.push_back(millis_since(begin));
  }
  return quantile(taken, 0.99);
}

// One event: the host is drained and resumed in turns.
void make_event(const support::RestClient& admin, int number) {
  HttpRequest request;
  request.method = "POST";
  request.target = number % 2 == 0 ? "/api/host/drain" : "/api/host/resume";
  const auto answer = admin.send(request);
  if (answer.status != 200) give_up("an event was answered " + answer.response.body);
}

// One event each; when the last subscriber had it, in milliseconds from before the request on.
std::vector<double> measure_events(const support::RestClient& admin,
                                   const Subscribers& subscribers) {
  std::vector<double> taken;
  for (int i = 0; i < kEvents; ++i) {
    const auto begin = SteadyClock::now();
    make_event(admin, i);
    const auto last = subscribers.wait_for(i + 1);
    taken.push_back(std::chrono::duration<double, std::milli>(last - begin).count());
  }
  return taken;
}

void run(int argc, char** argv) {
  const Options given(argc, argv, {"--subscribers", "--json"});
  Figures figures(given.text("--json", ""));
  const int count = given.integer("--subscribers", 10'000);
  raise_file_limit();
  support::AgentOptions options;
  // An eighth of them is kept for other requests.
  options.config = std::string(support::kAuthWithTestKey) +
                   "[server]\nmax_connections = " + std::to_string(count + count / 4) + "\n";
  support::AgentProcess agent(options);
  const std::string token = support::admin_token();
  const support::RestClient admin = agent.as(token);
  const double idle = p99_of_requests(admin, kRequests);
  const double before = anonymous_kib(agent.pid());

  Subscribers subscribers(
      static_cast<std::uint16_t>(std::stoi(agent.url().substr(agent.url().rfind(':') + 1))), token);
  subscribers.connect(count);
  const double with_all = anonymous_kib(agent.pid());
  const std::vector<double> events = measure_events(admin, subscribers);
  const double after = anonymous_kib(agent.pid());

  // Requests while events go out, one after the other.
  std::atomic<bool> stop{false};
  std::atomic<int> sent{0};
  std::thread busy([&] {
    const support::RestClient other = agent.as(token);
    while (!stop) {
      make_event(other, sent);
      subscribers.wait_for(kEvents + ++sent);
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  });
  const double loaded = p99_of_requests(admin, kRequests);
  stop = true;
  busy.join();

  const Json labels = {{"subscribers", count}};
  figures.add("live.memory_at_rest", "KiB", labels, (with_all - before) / count);
  figures.add("live.memory", "KiB", labels, (after - before) / count);
  figures.add("live.to_the_last", "ms", labels, {events});
  figures.add("live.request_p99_alone", "ms", labels, idle);
  figures.add("live.request_p99_meanwhile", "ms", labels, loaded);
}

}  // namespace
}  // namespace resmgr::bench

int main(int argc, char** argv) {
  return resmgr::bench::run_bench("live_bench", [&] { resmgr::bench::run(argc, argv); });
}
