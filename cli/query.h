// The queries of requests, and of the links that answers bear.
#ifndef RESMGR_CLI_QUERY_H_
#define RESMGR_CLI_QUERY_H_

#include <string>
#include <string_view>

#include "common/http.h"

namespace resmgr::cli {

// "?a=b&c=d", of what is not empty.
class Query {
 public:
  Query& add(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    text_ += text_.empty() ? '?' : '&';
    text_.append(name).append("=").append(url_encode(value));
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// The query of the link to the next page (RFC 8288); empty: this was the last page. Only the query
// is taken: behind a proxy the agent can't know its own path, and no answer may name another host.
std::string next_page(const HttpResponse& response);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_QUERY_H_
