#include "cli/usage_check.h"

#include <optional>

#include "common/crypto.h"
#include "common/error.h"
#include "common/jcs.h"

namespace resmgr::cli {
namespace {

// Empty: it has no canonical form, so that no hash can be its.
std::optional<std::string> hash_of(const Json& record) {
  try {
    if (!record.is_object()) return std::nullopt;
    return sha256_hex(canonical_json(record));
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string scalar(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : dump_json(*found);
}

void check_record(UsageVerdict& verdict, const Json& record) {
  const auto hash = hash_of(record);
  if (hash != verdict.hash) {
    verdict.faults.push_back(hash ? "the record's hash is " + *hash : "the record has no hash");
  }
  if (string_or(record, "taskId") != verdict.task_id) {
    verdict.faults.emplace_back("the record is of another task");
  }
}

void check_post(UsageVerdict& verdict, const Json& post) {
  const std::string sink = string_or(post, "sink");
  const Json& body = object_at(post, "body");
  const std::string named = string_or(body, "usageHash");
  if (named != verdict.hash) {
    verdict.faults.push_back("what was posted to " + sink + " has the hash '" + named + "'");
  }
  if (hash_of(object_at(body, "record")) != verdict.hash) {
    verdict.faults.push_back("another record was posted to " + sink);
  }
}

// A service that repeats the hash must repeat this one, wherever it does.
void check_receipt(UsageVerdict& verdict, const Json& receipt) {
  const Json& body = object_at(receipt, "body");
  const Json& data = object_at(body, "data");
  for (const Json* const object :
       {&body, &object_at(body, "blockchain"), &data, &object_at(data, "blockchain")}) {
    const std::string named = string_or(*object, "usageHash", verdict.hash);
    if (named == verdict.hash) continue;
    verdict.faults.push_back("the receipt of " + string_or(receipt, "sink") + " is for the hash '" +
                             named + "'");
  }
}

}  // namespace

UsageVerdict check_usage(const Json& trace) {
  UsageVerdict verdict;
  verdict.task_id = string_or(trace, "taskId");
  verdict.hash = string_or(trace, "usageHash");
  verdict.state = "not posted";
  check_record(verdict, object_at(trace, "record"));
  for (const Json& post : array_at(trace, "posts")) {
    verdict.state = "unanswered";
    check_post(verdict, post);
  }
  for (const Json& letter : array_at(trace, "setAside")) {
    verdict.state = "set aside";
    verdict.reason = string_or(letter, "reason");
  }
  for (const Json& receipt : array_at(trace, "receipts")) {
    const std::string adopted = string_or(object_at(receipt, "body"), "adoptedUsageHash");
    verdict.state = adopted.empty() ? "posted" : "adopted";
    if (!adopted.empty()) verdict.reason = "an earlier journal's record is its bill: " + adopted;
    verdict.tx_hash = scalar(receipt, "txHash");
    verdict.block_number = scalar(receipt, "blockNumber");
    check_receipt(verdict, receipt);
  }
  return verdict;
}

}  // namespace resmgr::cli
