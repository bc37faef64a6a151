#include "agent/journal/journal.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <mutex>
#include <string_view>
#include <vector>

#include "agent/journal/ballast.h"
#include "agent/journal/group_commit.h"
#include "agent/journal/head.h"
#include "agent/journal/install.h"
#include "agent/journal/reader_pool.h"
#include "agent/journal/task_table.h"
#include "agent/journal/writer.h"
#include "common/error.h"
#include "common/ids.h"
#include "common/log.h"

namespace resmgr::journal {
namespace {

// For so long what the last commit showed of the disk is believed.
constexpr std::chrono::seconds kGoodNews{5};
constexpr std::chrono::seconds kBadNews{1};

std::int64_t steady_now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
}

// On a full disk there may be no room for what opening writes.
Writer open_writer(const JournalOptions& options, Ballast& ballast) {
  refuse_half_installed(options.file);
  while (true) {
    try {
      return {options.file, options.busy_timeout};
    } catch (const DatabaseError& e) {
      if (!e.may_lack_space() || !ballast.give()) throw;
    }
  }
}

}  // namespace

struct Journal::State {
  explicit State(const JournalOptions& options)
      : ballast(options.file + "-ballast", options.ballast_bytes),
        writer(open_writer(options, ballast)),
        readers(options.file, options.busy_timeout),
        head(writer.last_seq()),
        ids{writer.meta_text(kMetaJournalId)},
        id(&ids.front()),
        pruned_to(writer.meta_integer(kMetaPrunedTo)),
        group([this](auto requests) { commit(requests); }, [this] { after_commit(); }) {}

  using Requests = std::span<GroupCommit::Request* const>;
  void commit(Requests requests);
  Writer::Outcome commit_with_reserve(Requests requests);
  Requests only_endings(Requests requests);
  void after_commit();
  void note(bool good, std::string_view why);

  Ballast ballast;
  Writer writer;
  ReaderPool readers;
  Head head;
  // Every one that it has had since it was opened: who was given a reference may keep it.
  std::mutex id_mutex;
  std::deque<std::string> ids;
  std::atomic<const std::string*> id;
  std::atomic<std::int64_t> pruned_to;
  std::atomic<std::int64_t> commits{0};
  std::atomic<std::int64_t> transactions{0};
  std::atomic<bool> last_went_well{false};
  std::atomic<bool> out_of_space{!ballast.whole()};
  std::atomic<std::int64_t> last_tried{0};  // steady milliseconds; 0 = never
  // The leader's own.
  bool appended = false;
  bool told_bad = false;
  std::vector<GroupCommit::Request*> endings;
  GroupCommit group;
};

// Those that may use the kept space. The others are refused.
Journal::State::Requests Journal::State::only_endings(Requests requests) {
  endings.clear();
  for (GroupCommit::Request* const request : requests) {
    if (request->purpose == Purpose::ending) {
      request->error = nullptr;
      endings.push_back(request);
    } else {
      request->error = std::make_exception_ptr(DatabaseError::full().of_writing());
    }
  }
  return endings;
}

Writer::Outcome Journal::State::commit_with_reserve(Requests requests) {
  if (!ballast.refill()) requests = only_endings(requests);
  while (!requests.empty()) {
    Writer::Outcome outcome = writer.commit(requests);
    if (outcome.committed || !outcome.failure->may_lack_space()) return outcome;
    const bool has_ending = std::any_of(requests.begin(), requests.end(), [](const auto* request) {
      return request->purpose == Purpose::ending;
    });
    if (!has_ending || !ballast.give()) return outcome;
    const Requests kept = only_endings(requests);
    requests = kept;
  }
  Writer::Outcome refused;
  refused.failure = DatabaseError::full();
  return refused;
}

void Journal::State::commit(Requests requests) {
  const Writer::Outcome outcome = commit_with_reserve(requests);
  out_of_space = !ballast.whole();
  appended = outcome.last_event > 0;
  if (!outcome.committed) {
    note(false, outcome.failure->cause());
  } else if (outcome.written > 0) {
    note(!out_of_space, DatabaseError::full().cause());
    commits.fetch_add(1, std::memory_order_relaxed);
    transactions.fetch_add(outcome.written, std::memory_order_relaxed);
  }
  if (outcome.pruned_to > 0) pruned_to = outcome.pruned_to;
  if (appended) head.advance(outcome.last_event);
}

void Journal::State::after_commit() {
  if (appended) head.announce();
  writer.tend_log();
}

// One line on the way down and one on the way up, however many were refused in between.
void Journal::State::note(bool good, std::string_view why) {
  last_went_well = good;
  last_tried = steady_now();
  if (good != told_bad) return;
  told_bad = !good;
  if (good) {
    log::info("The journal can be written again, and starts are accepted");
  } else {
    log::error("The journal can't be written, and no start is accepted: {Reason}",
               {{"Reason", why}});
  }
}

Journal::Journal(const JournalOptions& options) try : state_(std::make_unique<State>(options)) {
} catch (const DatabaseError& e) {
  throw Error(e.kind(), "cannot open journal '" + options.file + "': " + e.cause(), e.hint());
} catch (const Error& e) {
  throw Error(e.kind(), "cannot open journal '" + options.file + "': " + e.message(), e.hint());
}

Journal::~Journal() = default;

void Journal::transact(Purpose purpose, const std::function<void(Transaction&)>& body) {
  state_->group.run(body, purpose);
}

void Journal::read(const std::function<void(Reader&)>& body) const { state_->readers.read(body); }

const std::string& Journal::id() const { return *state_->id.load(); }

void Journal::renew_id() {
  const std::string renewed = new_uuid_v4();
  state_->group.run([&](Transaction&) { state_->writer.set_meta_text("journal_id", renewed); });
  const std::lock_guard lock(state_->id_mutex);
  state_->id = &state_->ids.emplace_back(renewed);
}

std::int64_t Journal::head() const { return state_->head.value(); }

std::int64_t Journal::pruned_to() const { return state_->pruned_to; }

bool Journal::wait_beyond(std::int64_t seq, Millis timeout) const {
  return state_->head.wait_beyond(seq, timeout);
}

int Journal::subscribe(std::function<void(std::int64_t head)> listener) {
  return state_->head.subscribe(std::move(listener));
}

void Journal::unsubscribe(int subscription) { state_->head.unsubscribe(subscription); }

bool Journal::writable() {
  const bool good = state_->last_went_well;
  const auto believed = std::chrono::milliseconds(good ? kGoodNews : kBadNews).count();
  const std::int64_t tried = state_->last_tried;
  if (tried != 0 && steady_now() - tried < believed) return good;
  try {
    state_->group.run([this](Transaction&) { state_->writer.probe(); });
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool Journal::out_of_space() const { return state_->out_of_space; }

JournalStatistics Journal::statistics() const {
  return {.commits = state_->commits, .transactions = state_->transactions};
}

}  // namespace resmgr::journal
