#include "agent/api/usage_json.h"

#include <string_view>
#include <utility>

#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::api {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view json) {
  if (out.back() != '{') out += ',';
  out.append("\"").append(name).append("\":").append(json);
}

void append_text(std::string& out, std::string_view name, const std::string& text) {
  append_member(out, name, dump_json(Json(text)));
}

// Where services put it: {txHash}, {blockchain: {txHash}}, {data: {txHash}}, {data: {blockchain:
// …}}.
Json find_member(const Json& body, const char* name) {
  const Json& data = object_at(body, "data");
  for (const Json* const object :
       {&body, &object_at(body, "blockchain"), &data, &object_at(data, "blockchain")}) {
    if (!object->is_object()) continue;
    const auto found = object->find(name);
    if (found != object->end() && found->is_primitive()) return *found;
  }
  return {};
}

void append_raw(std::string& out, std::string_view name, const std::string& text) {
  append_member(out, name, Json::accept(text) ? text : dump_json(Json(text)));
}

template <typename List, typename AppendOne>
void append_list(std::string& out, const List& list, const AppendOne& append_one) {
  out += '[';
  for (const auto& one : list) {
    if (&one != list.data()) out += ',';
    out += '{';
    append_one(one);
    out += '}';
  }
  out += ']';
}

}  // namespace

void append_receipts(std::string& out, const std::vector<journal::Receipt>& receipts) {
  append_list(out, receipts, [&](const journal::Receipt& receipt) {
    const Json body = Json::parse(receipt.body, nullptr, false);
    append_text(out, "sink", receipt.sink);
    append_text(out, "receivedAt", format_rfc3339(receipt.received_at));
    append_member(out, "txHash", dump_json(find_member(body, "txHash")));
    append_member(out, "blockNumber", dump_json(find_member(body, "blockNumber")));
    append_raw(out, "body", receipt.body);
  });
}

UsageTrace trace_of(journal::Reader& reader, journal::StoredUsage usage) {
  UsageTrace trace;
  auto& cursors = reader.cursors();
  trace.posts = cursors.posts_of(usage.task_id);
  trace.receipts = cursors.receipts_of(usage.task_id);
  // Others hold what happened to the task.
  const std::string begin = R"({"usageHash":")" + usage.hash + '"';
  for (auto& letter : cursors.letters_of(usage.task_id)) {
    if (letter.payload.starts_with(begin)) trace.letters.push_back(std::move(letter));
  }
  trace.usage = std::move(usage);
  return trace;
}

void append_usage_trace(std::string& out, const UsageTrace& trace) {
  out += '{';
  append_text(out, "taskId", trace.usage.task_id);
  append_text(out, "usageHash", trace.usage.hash);
  append_raw(out, "record", trace.usage.record);
  out += ",\"posts\":";
  append_list(out, trace.posts, [&](const journal::Post& post) {
    append_text(out, "sink", post.sink);
    append_text(out, "madeAt", format_rfc3339(post.made_at));
    append_raw(out, "body", post.body);
  });
  out += ",\"receipts\":";
  append_receipts(out, trace.receipts);
  out += ",\"setAside\":";
  append_list(out, trace.letters, [&](const journal::DeadLetter& letter) {
    append_text(out, "sink", letter.sink);
    append_member(out, "seq", std::to_string(letter.seq));
    append_text(out, "reason", letter.reason);
  });
  out += '}';
}

}  // namespace resmgr::api
