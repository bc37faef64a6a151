// Changes of tasks as they happen: the agent's events, followed on a thread of its own; where they
// can't be had, a reminder now and then to look again.
#ifndef RESMGR_CLI_CHANGE_FEED_H_
#define RESMGR_CLI_CHANGE_FEED_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include "cli/api_client.h"
#include "common/json.h"

namespace resmgr::cli {

class ChangeFeed {
 public:
  // Changes after `since`; empty: from some moment after this on, at which a reread is due. `api`
  // must outlive the object.
  ChangeFeed(ApiClient& api, std::optional<JournalPosition> since);
  ~ChangeFeed();  // ends within a second or so
  ChangeFeed(const ChangeFeed&) = delete;
  ChangeFeed& operator=(const ChangeFeed&) = delete;

  struct News {
    // What was read before may be out of date in more than `tasks` says: something was missed, or
    // the events can't be had at all.
    bool reread = false;
    std::vector<Json> tasks;  // task objects, each as it was after one change, in order
    bool any() const { return reread || !tasks.empty(); }
  };
  // Waits until there is something, or for `timeout`.
  News wait(Millis timeout);

 private:
  void follow(const std::stop_token& stop);
  void on_open();
  bool take_line(std::string_view line);
  void ask_for_reread();

  ApiClient& api_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  News news_;

  // Of the following thread alone.
  std::optional<JournalPosition> position_;
  bool failed_ = false;

  std::jthread thread_;  // the last member: it ends before the others do
};

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_CHANGE_FEED_H_
