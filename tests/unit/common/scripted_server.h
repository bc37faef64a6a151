// A server on loopback that does to its peers exactly what a test says, wrong things above all.
#ifndef RESMGR_TESTS_UNIT_COMMON_SCRIPTED_SERVER_H_
#define RESMGR_TESTS_UNIT_COMMON_SCRIPTED_SERVER_H_

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace resmgr {

// One accepted connection.
class Peer {
 public:
  Peer(int fd, SSL_CTX* tls);  // plain if `tls` is null
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // The next request, head and body; empty once the client has gone.
  std::string read_request();
  void write(std::string_view bytes);
  void answer(std::string_view body, std::string_view status = "200 OK");
  // Blocks until the client has closed.
  void wait_for_close();
  void reset();     // closes with RST
  void shutdown();  // thread-safe: wakes whoever reads

 private:
  std::ptrdiff_t read_some(char* to, std::size_t size);

  std::mutex mutex_;
  int fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, &SSL_free};
  std::string buffered_;
};

class ScriptedServer {
 public:
  // Runs on a thread of its own for each connection, numbered from 0; the connection is closed when
  // it returns.
  using Script = std::function<void(Peer& peer, int connection)>;

  explicit ScriptedServer(Script script);  // 127.0.0.1, a free port
  ScriptedServer(const std::string& unix_path, Script script);
  // The certificate and its key, in PEM.
  ScriptedServer(const std::string& certificate_file, const std::string& key_file, Script script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  const std::string& url() const { return url_; }
  int connections() const { return connections_; }  // accepted so far
  int open() const { return open_; }                // whose script has not ended

 private:
  void listen_on_loopback(const std::string& scheme);
  void accept_all();

  Script script_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls_{nullptr, &SSL_CTX_free};
  int listener_ = -1;
  std::string url_;
  std::atomic<int> connections_{0};
  std::atomic<int> open_{0};
  std::mutex mutex_;
  std::list<std::shared_ptr<Peer>> peers_;
  std::list<std::jthread> threads_;
  std::jthread acceptor_;
};

}  // namespace resmgr

#endif  // RESMGR_TESTS_UNIT_COMMON_SCRIPTED_SERVER_H_
