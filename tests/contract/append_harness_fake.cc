#include "tests/contract/append_harness.h"
#include "tests/fakes/fake_sink.h"

namespace resmgr::sinks {
namespace {

class FakeAppendHarness final : public AppendHarness {
 public:
  std::unique_ptr<Sink> make_sink() override { return std::make_unique<FakeSink>(destination_); }
  std::vector<std::int64_t> taken() override { return destination_.taken_seqs(); }
  void go_away() override {
    destination_.set_answer([](const Batch&) { return Outcome::retry("it is away"); });
  }
  void come_back() override { destination_.set_answer(nullptr); }
  void lose_next_answer(bool taken) override { destination_.lose_next_answer(taken); }
  void refuse(const std::string& task_id) override {
    destination_.set_poison([task_id](const Message& message) {
      return task_id.empty() || message.task_id == task_id;
    });
  }
  void refuse_nothing() override { destination_.set_poison(nullptr); }
  void freeze() override { destination_.freeze(); }
  void thaw() override { destination_.thaw(); }

 private:
  FakeDestination destination_;
};

}  // namespace

std::unique_ptr<AppendHarness> make_append_harness() {
  return std::make_unique<FakeAppendHarness>();
}

}  // namespace resmgr::sinks
