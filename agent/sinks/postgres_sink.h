// PostgreSQL: the last state of each task as a row of `tasks`, whose journal may be one of many.
//
// The cursor lies in the same database and moves in the transaction of the rows, so that each batch
// is there once in effect, however its commit ended.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_SINK_H_
#define RESMGR_AGENT_SINKS_POSTGRES_SINK_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/sinks/postgres_address.h"
#include "agent/sinks/sink.h"

namespace resmgr::sinks {

class PostgresSink final : public Sink {
 public:
  // Throws Error(config) for an URL that can't be read. Connects when it is first asked.
  explicit PostgresSink(const PostgresOptions& options);
  ~PostgresSink() override;

  std::string_view name() const override { return "postgres"; }
  Limits limits() const override { return {.messages = 5'000, .bytes = std::size_t{8} << 20}; }
  bool wants(const EventView& event) const override;
  void write(const EventView& event, std::string& payload) override { payload = event.task; }
  bool begins(const EventView& event) const override;
  Outcome deliver(const Batch& batch) override;
  bool keeps_position() const override { return true; }
  std::optional<Position> position(std::string_view journal_id) override;
  void interrupt() noexcept override;

  // Connects, and sees whether the tables are there or could be made; changes nothing.
  Outcome check();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_SINK_H_
