// GET /api/tasks and GET /api/tasks/{id}.
#include <algorithm>
#include <array>
#include <utility>

#include "agent/api/query.h"
#include "agent/api/routes.h"
#include "agent/api/task_json.h"
#include "agent/identity/user_directory.h"
#include "agent/tasks/start_progress.h"
#include "common/crypto.h"
#include "common/http.h"
#include "common/ids.h"
#include "common/wire.h"

namespace resmgr::api {
namespace {

constexpr std::int64_t kLargestPage = 500;
constexpr std::int64_t kUsualPage = 100;

// The id of the last task of a page, in a form that nobody is tempted to make up.
constexpr std::string_view kCursorVersion = "1:";

std::string cursor_after(std::string_view task_id) {
  return base64url_encode(std::string(kCursorVersion) + std::string(task_id));
}

std::optional<std::string> task_before(const std::string& cursor) {
  const auto text = base64url_decode(cursor);
  if (!text || !std::string_view(*text).starts_with(kCursorVersion)) return std::nullopt;
  return parse_uuid(std::string_view(*text).substr(kCursorVersion.size()));
}

struct Page {
  journal::TaskFilter filter;
  int limit = kUsualPage;
  std::string before;
};

std::vector<TaskStatus> read_statuses(Query& query) {
  std::vector<TaskStatus> statuses;
  const auto text = query.text("status");
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  while (text) {
    const std::size_t comma = rest.find(',');
    const auto status = task_status_from(rest.substr(0, comma));
    if (!status) {
      query.fault("status",
                  "must be Starting, Running, Stopping, Stopped or Error, or several "
                  "of them with commas");
      break;
    }
    statuses.push_back(*status);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return statuses;
}

std::string read_id_part(Query& query) {
  std::string part = query.text("id").value_or("");
  const bool is_hex = part.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
  if (query.text("id") && (part.size() < 4 || part.size() > 36 || !is_hex)) {
    query.fault("id", "must be the beginning or the end of a task id, 4 digits or more");
  }
  return part;
}

Page read_page(const Request& request) {
  Query query(request, {"status", "serviceType", "userId", "from", "to", "limit", "cursor", "id"});
  Page page;
  page.filter.statuses = read_statuses(query);
  page.filter.service_type = query.text("serviceType").value_or("");
  page.filter.from = query.time("from");
  page.filter.to = query.time("to");
  if (page.filter.from && page.filter.to && *page.filter.from > *page.filter.to) {
    query.fault("from", "must not be later than to");
  }
  page.filter.id_part = read_id_part(query);
  page.limit = static_cast<int>(query.integer("limit", 1, kLargestPage).value_or(kUsualPage));
  if (const auto cursor = query.text("cursor")) {
    const auto before = task_before(*cursor);
    if (!before) query.fault("cursor", "must come from a Link of an earlier answer");
    page.before = before.value_or("");
  }
  page.filter.user_id = user_asked_for(query, *request.caller, "tasks");
  query.check();
  return page;
}

std::string next_link(const RouteContext& context, const Request& request,
                      std::string_view last_id) {
  std::string link = "<" + link_to(context, wire::kTasks) + "?";
  for (const auto& [name, value] : request.query) {
    if (name != "cursor") link += name + "=" + url_encode(value) + "&";
  }
  return link + "cursor=" + cursor_after(last_id) + ">; rel=\"next\"";
}

// For admins, and never waited for: who is not known yet is so at a later call.
std::optional<identity::UserProfile> user_of(const RouteContext& context, const Request& request,
                                             const Task& task) {
  if (context.parts.users == nullptr || !request.caller->admin) return std::nullopt;
  return context.parts.users->known(task.user_id);
}

// Whether it is read off an index, and short: handing it to another thread would take as long.
bool is_quick(const Page& page) {
  return page.limit <= kUsualPage && page.filter.statuses.empty() && page.filter.id_part.empty();
}

Response list_tasks(const RouteContext& context, const Request& request, const Page& page) {
  const std::int64_t head = context.parts.journal.head();
  // One more than asked for tells whether there is another page.
  auto rows = context.parts.journal.reading([&](journal::Reader& reader) {
    return reader.tasks(page.filter, page.limit + 1, page.before);
  });
  const bool has_more = rows.size() > static_cast<std::size_t>(page.limit);
  if (has_more) rows.pop_back();
  constexpr std::size_t kUsualTask = 640;
  std::string body;
  body.reserve(rows.size() * kUsualTask + 2);
  body += '[';
  for (const auto& row : rows) {
    if (&row != rows.data()) body += ',';
    const auto user = user_of(context, request, row.task);
    append_task(body, row.task, user ? &*user : nullptr);
  }
  body += ']';
  Response response = json_response(200, std::move(body));
  if (has_more) response.set("Link", next_link(context, request, rows.back().task.task_id));
  set_journal_position(context, head, response);
  return response;
}

std::optional<Response> get_tasks(RouteContext& context, const Responder& responder) {
  const Request& request = responder.request();
  Page page = read_page(request);
  if (is_quick(page)) return list_tasks(context, request, page);
  answer_on_worker(context, responder, [&context, &request, page = std::move(page)] {
    return list_tasks(context, request, page);
  });
  return std::nullopt;
}

// All that the journal knows of one task.
struct WholeTask {
  std::int64_t head = 0;  // events after that bring it up to date
  Task task;
  journal::Activity activity;
  std::vector<Event> events;
  std::vector<journal::Receipt> receipts;
  std::optional<identity::UserProfile> user;
  std::optional<tasks::StartProgress> progress;
};

WholeTask read_whole_task(const RouteContext& context, const Request& request) {
  WholeTask whole;
  whole.head = context.parts.journal.head();
  context.parts.journal.read([&](journal::Reader& reader) {
    whole.task = visible_task(reader, request).task;
    whole.activity = reader.activity(whole.task.task_id);
    whole.events = reader.history_of(whole.task.task_id);
    whole.receipts = reader.cursors().receipts_of(whole.task.task_id);
  });
  whole.user = user_of(context, request, whole.task);
  if (whole.task.status == TaskStatus::starting) {
    whole.progress = context.parts.tasks.starts().find(whole.task.task_id);
  }
  return whole;
}

Response task_response(const RouteContext& context, const WholeTask& whole, std::string_view url) {
  constexpr std::size_t kUsualSize = 2048;
  std::string body;
  body.reserve(kUsualSize);
  append_task(body, whole.task, url, whole.activity, whole.events, whole.receipts,
              whole.user ? &*whole.user : nullptr, whole.progress ? &*whole.progress : nullptr);
  Response response = json_response(200, std::move(body));
  set_journal_position(context, whole.head, response);
  return response;
}

std::optional<Response> get_task(RouteContext& context, const Responder& responder) {
  const Request& request = responder.request();
  Query(request, {}).check();
  WholeTask whole = read_whole_task(context, request);
  if (const auto url = iframe_url(context, request, whole.task, false)) {
    return task_response(context, whole, *url);
  }
  answer_on_worker(context, responder, [&context, &request, whole = std::move(whole)] {
    const auto url = iframe_url(context, request, whole.task, true);
    return task_response(context, whole, url.value_or(""));
  });
  return std::nullopt;
}

}  // namespace

Response single_task(const RouteContext& context, const Request& request) {
  const WholeTask whole = read_whole_task(context, request);
  return task_response(context, whole, iframe_url(context, request, whole.task, true).value_or(""));
}

void add_task_routes(Router& router, const Context& context) {
  router.add({.method = Method::get,
              .pattern = wire::kTasks,
              .handler = [raw = context.get()](const Responder& responder) {
                return get_tasks(*raw, responder);
              }});
  router.add({.method = Method::get,
              .pattern = "/api/tasks/{id}",
              .handler = [raw = context.get()](const Responder& responder) {
                return get_task(*raw, responder);
              }});
}

}  // namespace resmgr::api
