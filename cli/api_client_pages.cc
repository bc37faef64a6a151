// Lists of the agent that are read to their end.
#include <utility>

#include "cli/api_client.h"
#include "cli/query.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

constexpr char kPageLimit[] = "500";

}  // namespace

void ApiClient::each_of(const std::string& path, std::string query, std::string_view action,
                        const std::function<void(const Json&)>& each) {
  while (!query.empty()) {
    const HttpResponse response = exchange(make_request("GET", path + query), action);
    const Json page = json_of(response, action);
    if (!page.is_array()) refuse_answer(action, "is no list");
    for (const Json& one : page) each(one);
    std::string following = next_page(response);
    // A link back to the same page would never end.
    if (page.empty() || following == query) break;
    query = std::move(following);
  }
}

Json ApiClient::dead_letters(const std::string& sink) {
  Json all = Json::array();
  each_of(std::string(wire::kSinks) + "/" + url_encode(sink) + "/dead-letters",
          Query().add("limit", kPageLimit).text(), "show dead letters of '" + sink + "'",
          [&](const Json& letter) { all.push_back(letter); });
  return all;
}

Json ApiClient::usage(const UsageQuery& query) {
  constexpr char kAction[] = "sum up usage";
  const auto time = [](const std::optional<Instant>& at) { return at ? format_rfc3339(*at) : ""; };
  const std::string target = wire::kUsage + Query()
                                                .add("groupBy", query.groups)
                                                .add("userId", query.user_id)
                                                .add("from", time(query.from))
                                                .add("to", time(query.to))
                                                .text();
  Json sums = json_of(exchange(make_request("GET", target), kAction), kAction);
  if (!sums.is_array()) refuse_answer(kAction, "is no list");
  return sums;
}

Json ApiClient::usage_record(const std::string& task_id) {
  const std::string action = "show usage record of task '" + task_id + "'";
  return json_of(exchange(make_request("GET", wire::usage_record_path(task_id)), action), action);
}

void ApiClient::usage_records(const std::function<void(const Json&)>& each) {
  each_of(wire::kUsageRecords, Query().add("limit", kPageLimit).text(), "list usage records", each);
}

}  // namespace resmgr::cli
