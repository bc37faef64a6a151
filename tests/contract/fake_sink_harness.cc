#include "common/json.h"
#include "tests/contract/sink_harness.h"
#include "tests/fakes/fake_sink.h"

namespace resmgr::sinks {
namespace {

// Rows as a table has them: of each task the message with the greatest sequence number.
class FakeSinkHarness final : public SinkHarness {
 public:
  std::unique_ptr<Sink> make_sink() override {
    FakeSinkOptions options;
    options.keeps_position = true;
    options.wants = [](const EventView& event) {
      return event.task.find("\"startTime\":\"") != std::string::npos ||
             event.type == event_type::kFailed ||
             (event.type == kTaskRow && event.task.find("\"Error\"") != std::string::npos);
    };
    return std::make_unique<FakeSink>(destination_, options);
  }
  std::map<std::string, std::string> statuses() override {
    std::map<std::string, std::pair<std::int64_t, std::string>> rows;
    for (const Message& message : destination_.taken()) {
      auto& row = rows[message.task_id];
      if (message.seq < row.first) continue;
      row = {message.seq, string_or(parse_json(message.payload, "task"), "status")};
    }
    std::map<std::string, std::string> statuses;
    for (const auto& [id, row] : rows) statuses[id] = row.second;
    return statuses;
  }
  void go_away() override {
    destination_.set_answer([](const Batch&) { return Outcome::retry("it is away"); });
  }
  void come_back() override { destination_.set_answer(nullptr); }
  void lose_next_answer(bool taken) override { destination_.lose_next_answer(taken); }
  void refuse(const std::string& task_id) override {
    destination_.set_poison([task_id](const Message& m) { return m.task_id == task_id; });
  }
  void freeze() override { destination_.freeze(); }
  void thaw() override { destination_.thaw(); }

 private:
  FakeDestination destination_;
};

}  // namespace

std::unique_ptr<SinkHarness> make_sink_harness() { return std::make_unique<FakeSinkHarness>(); }

}  // namespace resmgr::sinks
