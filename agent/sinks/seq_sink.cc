#include "agent/sinks/seq_sink.h"

#include <algorithm>
#include <utility>

namespace resmgr::sinks {
namespace {

// While Seq wants less than everything, and nothing is sent to it: whether that is still so.
constexpr Millis kLevelInterval = std::chrono::minutes(2);
// What is logged within such a time goes together.
constexpr Millis kLogInterval{1'000};

constexpr std::size_t kMostLogLines = 1'000;
constexpr std::size_t kMostLogBytes = std::size_t{4} << 20;
// As a pump has it: from then on it is Seq that is to blame, and not a line.
constexpr int kLogRejectsInARow = 20;

constexpr char kLogGap[] =
    "{Count} entries of the agent's log were dropped: there were too many, or they could not be "
    "kept on the disk";

}  // namespace

SeqSink::SeqSink(const SeqOptions& options, ClefSource source, Spool* spool, const Clock& clock,
                 identity::UserProfiles* profiles)
    : least_(options.least),
      source_(std::move(source)),
      spool_(spool),
      clock_(clock),
      profiles_(profiles),
      client_(options.destination, options.timeout, clock),
      log_limit_(kMostLogLines) {}

bool SeqSink::is_wanted(log::Level level) const {
  return level >= std::max(least_, client_.minimum_level().value_or(least_));
}

bool SeqSink::wants(const EventView& event) const { return is_wanted(clef_level(event)); }

void SeqSink::write(const EventView& event, std::string& payload) {
  const bool knows = profiles_ != nullptr && !event.user_id.empty();
  payload = clef_line(event, source_,
                      knows ? profiles_->known(std::string(event.user_id)) : std::nullopt);
}

Outcome SeqSink::deliver(const Batch& batch) {
  if (batch.messages.empty()) return Outcome::delivered();
  std::string lines;
  for (const Message& message : batch.messages) {
    if (!lines.empty()) lines += '\n';
    lines += message.payload;
  }
  return client_.post(std::move(lines));
}

std::optional<Millis> SeqSink::idle() {
  if (spool_ != nullptr && ship_log()) return Millis{0};
  auto wait = until_level_is_due();
  if (wait == Millis{0}) {
    if (Outcome outcome = client_.post({}); outcome.kind != Outcome::Kind::delivered) {
      throw SinkFailure(std::move(outcome));
    }
    wait = until_level_is_due();
  }
  if (spool_ == nullptr) return wait;
  return std::min(kLogInterval, wait.value_or(kLogInterval));
}

std::optional<Millis> SeqSink::until_level_is_due() const {
  if (!client_.minimum_level() || !client_.asked_at()) return std::nullopt;
  const Millis since = clock_.since_boot() - *client_.asked_at();
  return std::max(Millis{0}, kLevelInterval - since);
}

// Whether there was something to ship, so that there may be more.
bool SeqSink::ship_log() {
  const Spool::Chunk chunk = spool_->read(log_limit_, kMostLogBytes);
  if (chunk.empty()) return false;
  std::size_t sent = 0;
  Outcome outcome = post_log(chunk, sent);
  switch (outcome.kind) {
    case Outcome::Kind::delivered:
      spool_->release(chunk);
      log_limit_ = std::min(kMostLogLines, 2 * log_limit_);
      if (sent > 0) log_rejects_in_a_row_ = 0;
      return true;
    case Outcome::Kind::rejected:
      if (chunk.lines.size() > 1) {
        log_limit_ = chunk.lines.size() / 2;
      } else {
        give_up(chunk, outcome);
      }
      return true;
    case Outcome::Kind::retry:
    case Outcome::Kind::refused:
    case Outcome::Kind::held:  // which the client never answers
      break;
  }
  throw SinkFailure(std::move(outcome));
}

// Less what is not wanted; `sent` is how many are.
Outcome SeqSink::post_log(const Spool::Chunk& chunk, std::size_t& sent) {
  std::string lines;
  const auto add = [&](const std::string& line) {
    if (!is_wanted(clef_level(line))) return;
    if (++sent > 1) lines += '\n';
    lines += line;
  };
  if (chunk.missing > 0) {
    const ClefEntry gap{clock_.now(),
                        log::Level::warning,
                        kLogGap,
                        Json{{"Count", chunk.missing},
                             {"AgentId", source_.agent_id},
                             {"Host", source_.host},
                             {"Application", "resmgr-agent"}},
                        {}};
    add(clef_line(gap));
  }
  for (const std::string& line : chunk.lines) add(line);
  return sent == 0 ? Outcome::delivered() : client_.post(std::move(lines));
}

void SeqSink::give_up(const Spool::Chunk& chunk, const Outcome& outcome) {
  if (++log_rejects_in_a_row_ >= kLogRejectsInARow)
    throw SinkFailure(Outcome::refused(outcome.reason));
  std::string file;
  for (const std::string& line : chunk.lines) file = spool_->set_aside(line);
  spool_->release(chunk);
  // Said once, for this line may be one that is not taken either.
  if (std::exchange(told_of_rejects_, true)) return;
  log::warning("Seq does not take some entries of the log, which are in {File}: {Reason}",
               {{"File", file}, {"Reason", outcome.reason}});
}

}  // namespace resmgr::sinks
