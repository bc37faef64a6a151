#include <utility>

#include "agent/sinks/seq_sink.h"
#include "tests/contract/append_harness.h"
#include "tests/contract/seq_server.h"
#include "tests/fakes/fake_clock.h"

namespace resmgr::sinks {
namespace {

using support::SeqMishap;

class SeqHarness final : public AppendHarness {
 public:
  std::unique_ptr<Sink> make_sink() override {
    SeqOptions options;
    options.destination.section = "seq";
    options.destination.url = server_.url();
    return std::make_unique<SeqSink>(options, ClefSource{"agent", "here"}, nullptr, clock_);
  }
  std::vector<std::int64_t> taken() override {
    std::vector<std::int64_t> seqs;
    for (const Json& event : server_.events()) seqs.push_back(integer_or(event, "Seq", -1));
    return seqs;
  }
  void go_away() override { server_.befall_all(SeqMishap{}); }
  void come_back() override { server_.befall_all(std::nullopt); }
  void lose_next_answer(bool taken) override {
    server_.befall({.kind = taken ? SeqMishap::Kind::take_and_cut : SeqMishap::Kind::cut});
  }
  void refuse(const std::string& task_id) override {
    server_.refuse([task_id](const Json& event) {
      return task_id.empty() || string_or(event, "TaskId") == task_id;
    });
  }
  void refuse_nothing() override { server_.refuse(nullptr); }
  void freeze() override { server_.befall_all(SeqMishap{.kind = SeqMishap::Kind::hang}); }
  void thaw() override {
    come_back();
    server_.thaw();
  }

 private:
  FakeClock clock_;
  support::SeqServer server_;
};

}  // namespace

std::unique_ptr<AppendHarness> make_append_harness() { return std::make_unique<SeqHarness>(); }

}  // namespace resmgr::sinks
