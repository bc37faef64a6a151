#include "cli/query.h"

namespace resmgr::cli {

std::string next_page(const HttpResponse& response) {
  std::string_view links = response.header("Link");
  while (!links.empty()) {
    const std::size_t open = links.find('<');
    const std::size_t close = links.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) return {};
    const std::string_view target = links.substr(open + 1, close - open - 1);
    links.remove_prefix(close + 1);
    const std::string_view parameters = links.substr(0, links.find('<'));
    if (parameters.find("rel=\"next\"") == std::string_view::npos &&
        parameters.find("rel=next") == std::string_view::npos) {
      continue;
    }
    const std::size_t query = target.find('?');
    return query == std::string_view::npos ? std::string() : std::string(target.substr(query));
  }
  return {};
}

}  // namespace resmgr::cli
