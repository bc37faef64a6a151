// Prism, a proxy before an agent that holds each request and each answer against the description of
// the API.
#ifndef RESMGR_TESTS_SUPPORT_PRISM_H_
#define RESMGR_TESTS_SUPPORT_PRISM_H_

#include <string>

#include "tests/support/node_script.h"
#include "tests/support/rest_client.h"

namespace resmgr::support {

// agent/api/openapi.json, which is what the agent gives for /openapi.json.
extern const char kDescription[];

class Prism {
 public:
  // `description` is a file. Throws as NodeScript.
  Prism(const std::string& description, const std::string& agent_url)
      : script_("prism.mjs", {description, agent_url}) {}

  const std::string& url() const { return script_.url(); }

 private:
  NodeScript script_;
};

// Arrays of what is not as the description has it: {location, severity, code?, message}.
struct Violations {
  Json of_request = Json::array();
  Json of_answer = Json::array();
};
Violations violations_in(const Answer& answer);

// A RestClient::Judge: throws std::runtime_error if the answer is not as the description has it.
// What is asked may be wrong.
void require_described(const HttpRequest& request, const Answer& answer);

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_PRISM_H_
