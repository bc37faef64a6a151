#include <sstream>

#include "agent/sinks/postgres_sink.h"
#include "common/ids.h"
#include "tests/contract/sink_harness.h"
#include "tests/support/postgres_proxy.h"
#include "tests/support/postgres_server.h"

namespace resmgr::sinks {
namespace {

support::PostgresServer& server() {
  static support::PostgresServer instance;
  return instance;
}

// A database of its own, through a proxy.
class PostgresSinkHarness final : public SinkHarness {
 public:
  PostgresSinkHarness() : proxy_(server().directory()) {
    static int count = 0;
    database_ = "contract" + std::to_string(++count);
    server().query("CREATE DATABASE " + database_);
    options_.agent_id = new_uuid_v4();
    options_.host = "here";
  }
  std::unique_ptr<Sink> make_sink() override {
    PostgresOptions options = options_;
    // The first one is the pump's; others must not wait until the proxy is free.
    const bool first = !std::exchange(made_, true);
    options.url = first ? proxy_.url(database_) : server().url("postgres", database_);
    return std::make_unique<PostgresSink>(options);
  }
  std::map<std::string, std::string> statuses() override {
    std::map<std::string, std::string> statuses;
    std::istringstream lines(query("SELECT Id || ' ' || Phase FROM tasks"));
    for (std::string id, status; lines >> id >> status;) statuses[id] = status;
    return statuses;
  }
  void go_away() override {
    server().query("ALTER DATABASE " + database_ + " ALLOW_CONNECTIONS false");
    server().cut_agents();
  }
  void come_back() override {
    server().query("ALTER DATABASE " + database_ + " ALLOW_CONNECTIONS true");
  }
  void lose_next_answer(bool taken) override {
    proxy_.cut(taken ? support::Cut::after : support::Cut::before);
  }
  void refuse(const std::string& task_id) override {
    query("ALTER TABLE tasks ADD CONSTRAINT mine CHECK (Id <> '" + task_id + "')");
  }
  void freeze() override { server().freeze(); }
  void thaw() override { server().thaw(); }

 private:
  std::string query(const std::string& sql) const { return server().query(sql, database_); }

  support::PostgresProxy proxy_;
  std::string database_;
  PostgresOptions options_;
  bool made_ = false;
};

}  // namespace

std::unique_ptr<SinkHarness> make_sink_harness() { return std::make_unique<PostgresSinkHarness>(); }

}  // namespace resmgr::sinks
