// One I/O thread and its connections. Nothing of a connection is touched on another thread.
#ifndef RESMGR_AGENT_API_SHARD_H_
#define RESMGR_AGENT_API_SHARD_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/api/server_context.h"

namespace resmgr::api {

class Connection;

class Shard {
 public:
  explicit Shard(ServerContext& context);
  ~Shard();  // as close_all()
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Before run(): accepts from a listening socket, which becomes the shard's. `place` puts what was
  // accepted into a shard.
  void accept_from(int listening_fd, std::function<void(Accepted)> place);
  void run();

  // From any thread.
  void adopt(Accepted accepted);
  // Runs it on the shard's thread, when that gets to it.
  void post(std::function<void()> task);
  // No more connections or requests; what waits for a request is closed.
  void drain();
  bool is_empty() const;
  // Ends every connection and the thread. Idempotent.
  void close_all();

  // For its connections, on its thread.
  ServerContext& context();
  bool draining() const;
  std::string next_request_id();
  std::string_view date();
  char* scratch();  // kScratchBytes for what is thrown away
  void remove(Connection& connection);
  // Gives up a connection that has been at a large head for long, so that `other` gets its memory.
  // Whether there was one.
  bool free_buffers(const Connection& other);

  static constexpr std::size_t kScratchBytes = 16 * 1024;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_SHARD_H_
