// Usage records and what became of them, as JSON text: a record and an answer stand in it byte for
// byte, so that whoever asks can hash the one and show the other as it came.
#ifndef RESMGR_AGENT_API_USAGE_JSON_H_
#define RESMGR_AGENT_API_USAGE_JSON_H_

#include <string>
#include <vector>

#include "agent/journal/cursors.h"
#include "agent/journal/journal.h"

namespace resmgr::api {

// [{sink, receivedAt, txHash, blockNumber, body}]: the last three as the destination answered,
// which may have put them into `blockchain` or `data`; a body that is no JSON becomes a string.
void append_receipts(std::string& out, const std::vector<journal::Receipt>& receipts);

struct UsageTrace {
  journal::StoredUsage usage;
  std::vector<journal::Post> posts;
  std::vector<journal::Receipt> receipts;
  std::vector<journal::DeadLetter> letters;  // of the task, whatever they hold
};

UsageTrace trace_of(journal::Reader& reader, journal::StoredUsage usage);

// {taskId, usageHash, record, posts: [{sink, madeAt, body}], receipts: […], setAside: [{sink, seq,
// reason}]}: the letters are those that hold the record.
void append_usage_trace(std::string& out, const UsageTrace& trace);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_USAGE_JSON_H_
