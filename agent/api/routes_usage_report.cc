// GET /api/usage: what was used, summed up.
#include <algorithm>
#include <array>
#include <cstdio>

#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "agent/tasks/usage_report.h"
#include "common/csv.h"
#include "common/json.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

using tasks::UsageGroup;
using tasks::UsageGrouping;
using tasks::UsageSum;

// A way to tell sums apart: its name in the query, the member that says it, and where it is kept.
struct Dimension {
  std::string_view name;
  std::string_view member;
  bool UsageGrouping::*wanted;
  std::string UsageGroup::*value;
};

constexpr std::array kDimensions = {
    Dimension{"user", "userId", &UsageGrouping::user, &UsageGroup::user_id},
    Dimension{"service", "serviceType", &UsageGrouping::service, &UsageGroup::service_type},
    Dimension{"day", "day", &UsageGrouping::day, &UsageGroup::day},
    Dimension{"host", "host", &UsageGrouping::host, &UsageGroup::host}};

UsageGrouping read_grouping(Query& query) {
  UsageGrouping grouping;
  const auto text = query.text("groupBy");
  if (!text || text->empty()) return grouping;
  std::string_view rest = *text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const auto* const found = std::find_if(
        kDimensions.begin(), kDimensions.end(),
        [&](const Dimension& dimension) { return dimension.name == rest.substr(0, comma); });
    if (found == kDimensions.end()) {
      query.fault("groupBy", "must be user, service, day or host, or several of them with commas");
      return grouping;
    }
    grouping.*(found->wanted) = true;
    if (comma == std::string_view::npos) return grouping;
    rest.remove_prefix(comma + 1);
  }
}

struct Wanted {
  UsageGrouping grouping;
  journal::UsageRange filter;
};

Wanted read_wanted(const Request& request) {
  Query query(request, {"groupBy", "from", "to", "userId"});
  Wanted wanted;
  wanted.grouping = read_grouping(query);
  wanted.filter.from = query.time("from");
  wanted.filter.to = query.time("to");
  if (wanted.filter.from && wanted.filter.to && *wanted.filter.from > *wanted.filter.to) {
    query.fault("from", "must not be later than to");
  }
  wanted.filter.user_id = user_asked_for(query, *request.caller, "usage");
  query.check();
  return wanted;
}

double seconds(Millis time) { return static_cast<double>(time.count()) / 1'000.0; }

Json to_json(const UsageGrouping& grouping, const UsageGroup& group, const UsageSum& sum) {
  Json json = Json::object();
  for (const Dimension& dimension : kDimensions) {
    if (grouping.*(dimension.wanted)) json[dimension.member] = group.*(dimension.value);
  }
  json["tasks"] = sum.tasks;
  json["seconds"] = seconds(sum.time);
  json["cpuSeconds"] = seconds(sum.cpu_time);
  json["peakMemoryBytes"] = sum.peak_memory_bytes;
  return json;
}

// With all three decimals, so that sums of it are exact, too.
std::string seconds_text(Millis time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%lld.%03d", static_cast<long long>(time.count() / 1'000),
                static_cast<int>(time.count() % 1'000));
  return text.data();
}

std::string csv_of(const UsageGrouping& grouping, const tasks::UsageReport& report) {
  std::vector<std::string> values;
  for (const Dimension& dimension : kDimensions) {
    if (grouping.*(dimension.wanted)) values.emplace_back(dimension.member);
  }
  for (const char* const name : {"tasks", "seconds", "cpuSeconds", "peakMemoryBytes"}) {
    values.emplace_back(name);
  }
  std::string text = csv_line(values);
  for (const auto& [group, sum] : report.sums()) {
    values.clear();
    for (const Dimension& dimension : kDimensions) {
      if (grouping.*(dimension.wanted)) values.push_back(group.*(dimension.value));
    }
    values.push_back(std::to_string(sum.tasks));
    values.push_back(seconds_text(sum.time));
    values.push_back(seconds_text(sum.cpu_time));
    values.push_back(std::to_string(sum.peak_memory_bytes));
    text += csv_line(values);
  }
  return text;
}

Response usage_report(const RouteContext& context, const Request& request) {
  const Wanted wanted = read_wanted(request);
  tasks::UsageReport report(wanted.grouping, wanted.filter.from, wanted.filter.to,
                            context.parts.clock.now());
  context.parts.journal.read([&](journal::Reader& reader) {
    reader.usage(wanted.filter, [&](const journal::UsageRow& row) { report.add(row); });
  });
  if (list_has_token(request.header("Accept"), "text/csv")) {
    Response response;
    response.content_type = kCsv;
    response.body = csv_of(wanted.grouping, report);
    return response;
  }
  Json list = Json::array();
  for (const auto& [group, sum] : report.sums()) {
    list.push_back(to_json(wanted.grouping, group, sum));
  }
  return json_response(200, dump_json(list));
}

}  // namespace

void add_usage_report_route(Router& router, const Context& context) {
  router.add({.method = Method::get,
              .pattern = wire::kUsage,
              .runs = Runs::on_worker,
              .handler = [raw = context.get()](const Responder& responder) {
                return usage_report(*raw, responder.request());
              }});
}

}  // namespace resmgr::api
