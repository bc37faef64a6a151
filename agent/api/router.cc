#include "agent/api/router.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace resmgr::api {
namespace {

bool is_capture(std::string_view segment) { return !segment.empty() && segment.front() == '{'; }

}  // namespace

void Router::add(Route route) {
  Entry entry{std::move(route), {}};
  std::string_view rest = std::string_view(entry.route.pattern).substr(1);
  while (true) {
    const std::size_t slash = rest.find('/');
    entry.segments.emplace_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  entries_.push_back(std::move(entry));
}

bool Router::fits(const Entry& entry, const Request& request) {
  return std::equal(entry.segments.begin(), entry.segments.end(), request.segments.begin(),
                    request.segments.end(), [](const std::string& wanted, std::string_view given) {
                      return is_capture(wanted) || wanted == given;
                    });
}

Router::Match Router::match(Request& request) const {
  const Method wanted = request.method == Method::head ? Method::get : request.method;
  Match match;
  for (const Entry& entry : entries_) {
    if (!fits(entry, request)) continue;
    match.path_is_known = true;
    if (entry.route.method != wanted) continue;
    match.route = &entry.route;
    request.captures.clear();
    for (std::size_t i = 0; i < entry.segments.size(); ++i) {
      if (is_capture(entry.segments[i])) request.captures.push_back(request.segments[i]);
    }
    return match;
  }
  return match;
}

std::string Router::allowed_methods(const Request& request) const {
  const bool any = request.path == "*";
  std::string list;
  for (const Method method :
       {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::del}) {
    const Method served_as = method == Method::head ? Method::get : method;
    if (std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
          return entry.route.method == served_as && (any || fits(entry, request));
        })) {
      list += to_string(method);
      list += ", ";
    }
  }
  if (!list.empty()) list += "OPTIONS";
  return list;
}

std::vector<const Route*> Router::routes() const {
  std::vector<const Route*> routes;
  for (const Entry& entry : entries_) routes.push_back(&entry.route);
  return routes;
}

}  // namespace resmgr::api
