#include "agent/journal/journal.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>

#include "agent/journal/group_commit.h"
#include "agent/journal/head.h"
#include "agent/journal/reader_pool.h"
#include "agent/journal/writer.h"
#include "common/error.h"
#include "common/ids.h"

namespace resmgr::journal {
namespace {

// For so long what the last commit showed of the disk is believed.
constexpr std::chrono::seconds kGoodNews{5};
constexpr std::chrono::seconds kBadNews{1};

std::int64_t steady_now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
}

}  // namespace

struct Journal::State {
  explicit State(const JournalOptions& options)
      : writer(options.file, options.busy_timeout),
        readers(options.file, options.busy_timeout),
        head(writer.last_seq()),
        ids{writer.meta_text("journal_id")},
        id(&ids.front()),
        pruned_to(writer.meta_integer("pruned_to")),
        group([this](auto requests) { commit(requests); }, [this] { after_commit(); }) {}

  void commit(std::span<GroupCommit::Request* const> requests);
  void after_commit();
  void note(bool good);

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
  std::atomic<std::int64_t> last_tried{0};  // steady milliseconds; 0 = never
  bool appended = false;                    // the leader's own
  GroupCommit group;
};

void Journal::State::commit(std::span<GroupCommit::Request* const> requests) {
  const Writer::Outcome outcome = writer.commit(requests);
  appended = outcome.last_event > 0;
  if (!outcome.committed) {
    note(false);
  } else if (outcome.written > 0) {
    note(true);
    commits.fetch_add(1, std::memory_order_relaxed);
    transactions.fetch_add(outcome.written, std::memory_order_relaxed);
  }
  if (appended) head.advance(outcome.last_event);
}

void Journal::State::after_commit() {
  if (appended) head.announce();
  writer.tend_log();
}

void Journal::State::note(bool good) {
  last_went_well = good;
  last_tried = steady_now();
}

Journal::Journal(const JournalOptions& options) try : state_(std::make_unique<State>(options)) {
} catch (const DatabaseError& e) {
  throw Error(e.kind(), "cannot open journal '" + options.file + "': " + e.cause(), e.hint());
} catch (const Error& e) {
  throw Error(e.kind(), "cannot open journal '" + options.file + "': " + e.message(), e.hint());
}

Journal::~Journal() = default;

void Journal::transact(const std::function<void(Transaction&)>& body) { state_->group.run(body); }

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

JournalStatistics Journal::statistics() const {
  return {.commits = state_->commits, .transactions = state_->transactions};
}

}  // namespace resmgr::journal
