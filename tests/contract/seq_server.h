// A stand-in for Seq, as strict as its contract: one bad line and the whole batch is refused.
#ifndef RESMGR_TESTS_CONTRACT_SEQ_SERVER_H_
#define RESMGR_TESTS_CONTRACT_SEQ_SERVER_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/json.h"
#include "tests/unit/common/scripted_server.h"

namespace resmgr::support {

// What it does with a request in the place of what it should.
struct SeqMishap {
  enum class Kind {
    refuse,        // answers `status` and takes nothing
    hang,          // takes nothing, and answers when the client has gone or thaw() is called
    cut,           // takes nothing, and cuts the connection
    take_and_cut,  // takes it, and cuts the connection
  };
  Kind kind = Kind::refuse;
  int status = 503;
  std::string headers;  // of the answer, each with its line end
  std::string body = "{\"Error\":\"it was told to refuse\"}";
};

class SeqServer {
 public:
  struct Seen {
    std::string head;  // request line and headers
    std::size_t lines = 0;
    std::size_t bytes = 0;
    int status = 0;  // 0: there was no answer
  };

  SeqServer();
  // With TLS.
  SeqServer(const std::string& certificate_file, const std::string& key_file);
  ~SeqServer();

  const std::string& url() const { return server_->url(); }
  int connections() const { return server_->connections(); }

  // Each befalls one of the requests to come, in order.
  void befall(SeqMishap mishap);
  // Befalls every request until it is taken away by an empty one.
  void befall_all(std::optional<SeqMishap> mishap);
  void require_key(const std::string& key);
  // "" = null: all is wanted.
  void set_minimum_level(const std::string& level);
  // Lines of which it holds are bad.
  void refuse(std::function<bool(const Json& event)> is_bad);
  void thaw();

  // What it has taken, in order, each as often as it came.
  std::vector<Json> events() const;
  std::vector<Seen> seen() const;
  // Requests without a line that were answered 201.
  std::size_t empty_posts() const;
  // Why it answered 400 last.
  std::string last_fault() const;

 private:
  struct Verdict {
    int status = 201;
    std::string fault;
    std::vector<Json> events;
  };

  void serve(Peer& peer);
  // False: the connection is to be cut.
  bool answer(Peer& peer, const std::string& request);
  std::optional<SeqMishap> next_mishap();
  Verdict judge(const std::string& head, const std::string& body) const;
  void take(Verdict verdict, Seen seen);
  void wait_until_thawed();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SeqMishap> mishaps_;
  std::optional<SeqMishap> standing_mishap_;
  std::string key_;
  std::string minimum_level_;
  std::function<bool(const Json&)> is_bad_;
  std::vector<Json> events_;
  std::vector<Seen> seen_;
  std::string last_fault_;
  bool ended_ = false;
  int thaws_ = 0;
  std::unique_ptr<ScriptedServer> server_;  // ends first
};

// A header's value, whose name is case-insensitive; empty if it is not there.
std::string header_in(const std::string& head, const std::string& name);

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_CONTRACT_SEQ_SERVER_H_
