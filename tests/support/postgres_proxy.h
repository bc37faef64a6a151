// Stands between a client and a PostgreSQL server, and cuts the connection at a chosen moment.
#ifndef RESMGR_TESTS_SUPPORT_POSTGRES_PROXY_H_
#define RESMGR_TESTS_SUPPORT_POSTGRES_PROXY_H_

#include <atomic>
#include <string>
#include <thread>

#include "tests/support/temp_dir.h"

namespace resmgr::support {

// When the next time comes that the client sends a text: cuts before the server sees it, or once
// the server has done it and before the client hears of that.
enum class Cut { never, before, after };

class PostgresProxy {
 public:
  explicit PostgresProxy(const std::string& server_directory);
  ~PostgresProxy();
  PostgresProxy(const PostgresProxy&) = delete;
  PostgresProxy& operator=(const PostgresProxy&) = delete;

  std::string url(const std::string& database) const;
  // `text` is a statement's beginning, as it goes over the wire. Once.
  void cut(Cut when, const std::string& text = "COMMIT");
  bool has_cut() const { return cut_ == Cut::never; }

 private:
  void serve(const std::stop_token& stop);
  void forward(int client, const std::stop_token& stop);

  TempDir dir_;
  std::string server_socket_;
  int listener_ = -1;
  std::string text_;
  std::atomic<Cut> cut_{Cut::never};
  std::jthread thread_;
};

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_POSTGRES_PROXY_H_
