#include "agent/tasks/drain.h"

#include "common/error.h"
#include "common/event.h"
#include "common/failpoint.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

constexpr char kNote[] = "drain";

Drain drain_from(const std::string& note) {
  const Json json = parse_json(note, "note on draining");
  return {string_or(json, "reason"), parse_rfc3339(string_or(json, "since")).value_or(Instant{})};
}

template <typename JournalView>
std::optional<Drain> find(JournalView& view) {
  const auto note = view.note(kNote);
  if (!note) return std::nullopt;
  return drain_from(*note);
}

Json audit(const Requester& by) { return {{"requestedBy", by.user_id}, {"name", by.name}}; }

}  // namespace

std::optional<Drain> current_drain(journal::Reader& reader) { return find(reader); }

Drain begin_drain(journal::Journal& journal, const std::string& reason, const Requester& by,
                  Instant now) {
  failpoint("drain.before_commit");
  Drain begun = journal.writing([&](journal::Transaction& transaction) {
    const auto known = find(transaction);
    if (known && (reason.empty() || reason == known->reason)) return *known;
    Drain drain{reason, known ? known->since : now};
    transaction.set_note(
        kNote, dump_json({{"reason", drain.reason}, {"since", format_rfc3339(drain.since)}}));
    Json details = audit(by);
    details["reason"] = reason;
    transaction.append(event_type::kAgentDrained, now, dump_json(details));
    return drain;
  });
  failpoint("drain.after_commit");
  return begun;
}

void end_drain(journal::Journal& journal, const Requester& by, Instant now) {
  journal.transact([&](journal::Transaction& transaction) {
    if (!find(transaction)) return;
    transaction.erase_note(kNote);
    transaction.append(event_type::kAgentResumed, now, dump_json(audit(by)));
  });
}

bool is_draining(journal::Transaction& transaction) { return transaction.note(kNote).has_value(); }

void check_not_draining(journal::Transaction& transaction) {
  const auto drain = find(transaction);
  if (!drain) return;
  Error error(ErrorKind::unavailable,
              "cannot start a task: the host is being drained" +
                  (drain->reason.empty() ? std::string() : ": " + drain->reason),
              "start it elsewhere, or when the operator has resumed the host");
  error.problem = "draining";
  throw error;
}

}  // namespace resmgr::tasks
