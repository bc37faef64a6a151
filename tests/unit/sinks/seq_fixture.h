// A pump from a journal to a stand-in for Seq.
#ifndef RESMGR_TESTS_UNIT_SINKS_SEQ_FIXTURE_H_
#define RESMGR_TESTS_UNIT_SINKS_SEQ_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/sinks/seq_sink.h"
#include "common/json.h"
#include "common/log.h"
#include "tests/contract/seq_server.h"
#include "tests/unit/sinks/world.h"

namespace resmgr::sinks {

using support::SeqMishap;

class SeqTest : public PumpTest {
 protected:
  SeqTest() {
    seq_options_.destination.section = "seq";
    seq_options_.destination.url = server_.url();
    spool_options_.folder = dir_.path() / "spool";
  }

  void make_seq_pump(bool with_log = true) {
    pump_.reset();
    spool_.reset();
    if (with_log) spool_ = std::make_unique<Spool>(spool_options_);
    pump_ = std::make_unique<Pump>(
        pump_options_, *journal_,
        std::make_unique<SeqSink>(seq_options_, ClefSource{"agent", "here"}, spool_.get(), clock_),
        clock_);
  }
  // The next process.
  void restart_seq() {
    pump_.reset();
    journal_.reset();
    open();
    make_seq_pump();
  }
  void log_lines(int from, int to, log::Level level = log::Level::information,
                 const std::string& filler = "") {
    for (int i = from; i < to; ++i) {
      const ClefEntry entry{
          clock_.now(), level, "Line {Number}", Json{{"Number", i}, {"Filler", filler}}, {}};
      spool_->append(clef_line(entry));
    }
    spool_->flush();
  }
  // What one property of all that was taken is.
  std::vector<Json> taken(const char* property) const {
    std::vector<Json> values;
    for (const Json& event : server_.events()) {
      if (event.contains(property)) values.push_back(event[property]);
    }
    return values;
  }
  std::vector<Json> seqs() const { return taken("Seq"); }
  std::vector<Json> numbers() const { return taken("Number"); }
  SeqMishap answer(int status, const std::string& headers = "") const {
    return {.kind = SeqMishap::Kind::refuse, .status = status, .headers = headers};
  }

  support::SeqServer server_;
  SeqOptions seq_options_;
  SpoolOptions spool_options_;
  std::unique_ptr<Spool> spool_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_TESTS_UNIT_SINKS_SEQ_FIXTURE_H_
