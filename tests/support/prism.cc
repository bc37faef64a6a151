#include "tests/support/prism.h"

#include <stdexcept>

namespace resmgr::support {

const char kDescription[] = RESMGR_SOURCE_DIR "/agent/api/openapi.json";

Violations violations_in(const Answer& answer) {
  Violations violations;
  const std::string header(answer.response.header("sl-violations"));
  if (header.empty()) return violations;
  const Json all = Json::parse(header, nullptr, false);
  if (!all.is_array()) {  // too many for a header, which Prism then cuts off
    violations.of_answer.push_back(header);
    return violations;
  }
  for (const Json& one : all) {
    const Json& location = array_at(one, "location");
    // A path or method that the description lacks has no location but this.
    const bool of_request = !location.empty() && location[0] == "request";
    (of_request ? violations.of_request : violations.of_answer).push_back(one);
  }
  return violations;
}

void require_described(const HttpRequest& request, const Answer& answer) {
  const Json violations = violations_in(answer).of_answer;
  if (violations.empty()) return;
  throw std::runtime_error("the answer " + std::to_string(answer.status) + " to " + request.method +
                           " " + request.target + " is not as the description has it: " +
                           dump_json(violations) + "\n" + answer.response.body);
}

}  // namespace resmgr::support
