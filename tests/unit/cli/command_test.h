// Runs whole command lines against an agent in memory.
#ifndef RESMGR_TESTS_UNIT_CLI_COMMAND_TEST_H_
#define RESMGR_TESTS_UNIT_CLI_COMMAND_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/app.h"
#include "cli/exit_code.h"
#include "tests/fakes/fake_clock.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/cli/fake_agent.h"

namespace resmgr::cli {

class TextInMemory final : public TextStream {
 public:
  void write(std::string_view more) override {
    if (before_write) before_write();
    text += more;
  }
  void flush() override {}
  bool is_terminal() const override { return terminal; }
  int width() const override { return columns; }

  std::string text;
  bool terminal = false;
  int columns = 120;
  std::function<void()> before_write;  // may throw, as a full disk does
};

// Time passes only while something waits.
class FakeInterrupts final : public Interrupts {
 public:
  FakeInterrupts(FakeClock& clock, const std::function<bool(Millis waited)>& on_wait,
                 std::vector<std::string>& last_words)
      : clock_(clock), on_wait_(on_wait), last_words_(last_words) {}

  bool wait_for(Millis timeout) override {
    if (interrupted_) return true;
    clock_.advance(timeout);
    waited_ += timeout;
    interrupted_ = on_wait_ && on_wait_(waited_);
    return interrupted_;
  }
  void set_last_words(std::string text) override { last_words_.push_back(std::move(text)); }

 private:
  FakeClock& clock_;
  std::function<bool(Millis)> on_wait_;
  std::vector<std::string>& last_words_;
  bool interrupted_ = false;
  Millis waited_{0};
};

class CommandTest : public ::testing::Test {
 public:
  // Runs `resmgr ARGUMENTS…`; what it prints is in out.text and err.text.
  int run(std::vector<std::string> arguments) {
    out.text.clear();
    err.text.clear();
    return cli::run(std::move(arguments), surroundings());
  }

  Surroundings surroundings() {
    return Surroundings{
        out,
        err,
        clock,
        1000,
        [] { return std::string("alice"); },
        [this](const std::string& name) -> std::optional<std::string> {
          const auto found = variables.find(name);
          return found == variables.end() ? std::nullopt : std::optional(found->second);
        },
        [this] { return input; },
        [this](const std::string& path) {
          const auto found = paths.find(path);
          return found == paths.end() ? PathState::missing : found->second;
        },
        [this](const HttpEndpoint& endpoint) {
          endpoints.push_back(endpoint);
          return client_of(agent);
        },
        [this]() -> std::unique_ptr<Interrupts> {
          return std::make_unique<FakeInterrupts>(clock, on_wait, last_words);
        },
        [this](Millis time) {
          clock.advance(time);
          if (on_sleep) on_sleep();
        },
        [this](const std::string& path) {
          programs.push_back(path);
          return program_code;
        },
        [](Millis, const std::function<void()>& work) {
          work();
          return true;
        },
    };
  }

  FakeAgent agent;
  FakeClock clock;
  TextInMemory out;
  TextInMemory err;
  std::string input;
  std::map<std::string, PathState> paths = {{"/run/resmgr/agent.sock", PathState::socket}};
  std::vector<HttpEndpoint> endpoints;  // that were connected to
  // Called after each wait of a start with the time waited in all; true: Ctrl-C.
  std::function<bool(Millis waited)> on_wait;
  std::vector<std::string> last_words;
  std::function<void()> on_sleep;
  std::vector<std::string> programs;  // that were run
  int program_code = 0;               // with which they end
  support::TempDir dir;
  // No test reads the machine's own configuration.
  std::map<std::string, std::string> variables = {
      {"RESMGR_CONFIG", (dir.path() / "none.toml").string()}, {"TERM", "xterm"}};
};

}  // namespace resmgr::cli

#endif  // RESMGR_TESTS_UNIT_CLI_COMMAND_TEST_H_
