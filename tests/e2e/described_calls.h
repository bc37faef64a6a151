// Calls through Prism, and which operations of the description they were.
#ifndef RESMGR_TESTS_E2E_DESCRIBED_CALLS_H_
#define RESMGR_TESTS_E2E_DESCRIBED_CALLS_H_

#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/prism.h"

namespace resmgr::e2e {

struct Operation {
  std::string method;
  std::string path;  // with {names}
  Json description;

  std::string name() const { return method + " " + path; }
  bool wants_token() const { return !description.contains("security"); }
  // A body that its description has for an example; null if it takes none.
  Json example() const {
    return description.value("/requestBody/content/application~1json/example"_json_pointer, Json());
  }
};

class DescribedCalls {
 public:
  // What is wrong about a request, for Prism to see.
  enum class Fault { none, of_request };

  // `description` is of GET /openapi.json.
  DescribedCalls(std::string prism_url, const Json& description) : url_(std::move(prism_url)) {
    for (const auto& [path, item] : description.at("paths").items()) {
      for (const auto& [name, operation] : item.items()) {
        std::string method = name;
        for (char& c : method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        operations_.push_back({method, path, operation});
      }
    }
    const auto& examples = description.at(
        "/components/responses/Problem/content/application~1problem+json/examples"_json_pointer);
    for (const auto& example : examples) {
      general_.insert(example.at("value").at("status").get<int>());
    }
  }

  const std::vector<Operation>& operations() const { return operations_; }

  // Expects this status, and an answer as the description has it; a request too, or else, if it is
  // said to be at fault, that Prism says so.
  support::Answer call(const std::string& token, HttpRequest request, int status,
                       Fault fault = Fault::none) {
    const std::string what = request.method + " " + request.target;
    const auto path = request.target.substr(0, request.target.find('?'));
    if (const auto* operation = find(request.method, path)) {
      statuses_[operation->name()].insert(status);
      EXPECT_TRUE(is_named(*operation, status)) << what << " has no answer " << status;
    }
    const auto answer = support::RestClient(url_, token).send(std::move(request));
    const auto violations = support::violations_in(answer);
    const std::string shown = what + ": " + std::to_string(answer.status) +
                              "\nof the request: " + violations.of_request.dump(2) +
                              "\nof the answer: " + violations.of_answer.dump(2) + "\n" +
                              answer.response.body;
    EXPECT_EQ(answer.status, status) << shown;
    EXPECT_TRUE(violations.of_answer.empty()) << shown;
    EXPECT_EQ(violations.of_request.empty(), fault == Fault::none) << shown;
    // The agent's own answers have one.
    EXPECT_NE(answer.response.header("X-Request-Id"), "") << shown;
    return answer;
  }

  support::Answer get(const std::string& token, const std::string& target, int status = 200,
                      Fault fault = Fault::none, HttpHeaders headers = {}) {
    HttpRequest request;
    request.target = target;
    request.headers = std::move(headers);
    return call(token, std::move(request), status, fault);
  }
  support::Answer del(const std::string& token, const std::string& target, int status = 200,
                      Fault fault = Fault::none) {
    HttpRequest request;
    request.method = "DELETE";
    request.target = target;
    return call(token, std::move(request), status, fault);
  }
  // Without a body where that is null.
  support::Answer post(const std::string& token, const std::string& target, const Json& body,
                       int status, Fault fault = Fault::none, HttpHeaders headers = {}) {
    return post_text(token, target, body.is_null() ? "" : dump_json(body), "application/json",
                     status, fault, std::move(headers));
  }
  support::Answer post_text(const std::string& token, const std::string& target, std::string body,
                            std::string type, int status, Fault fault, HttpHeaders headers = {}) {
    HttpRequest request;
    request.method = "POST";
    request.target = target;
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.content_type = std::move(type);
    return call(token, std::move(request), status, fault);
  }

  // Those that were never answered with success.
  std::vector<std::string> not_called() const {
    std::vector<std::string> names;
    for (const Operation& operation : operations_) {
      const auto seen = statuses_.find(operation.name());
      const bool called = seen != statuses_.end() && *seen->second.begin() < 300;
      if (!called) names.push_back(operation.name());
    }
    return names;
  }
  // The statuses that each gave, one operation a line.
  std::string statuses() const {
    std::string text;
    for (const auto& [name, seen] : statuses_) {
      text += name + ":";
      for (const int status : seen) text += " " + std::to_string(status);
      text += '\n';
    }
    return text;
  }

 private:
  // To Prism any status is described that has a `default`, which is for those of HTTP alone.
  bool is_named(const Operation& operation, int status) const {
    return operation.description.at("responses").contains(std::to_string(status)) ||
           general_.contains(status);
  }
  // As Prism looks for it: a path without {names} goes before one with them.
  const Operation* find(const std::string& method, const std::string& path) const {
    static const std::regex kName("\\{[^}]*\\}");
    const Operation* found = nullptr;
    for (const Operation& operation : operations_) {
      if (operation.method != method) continue;
      if (operation.path == path) return &operation;
      const std::regex pattern(std::regex_replace(operation.path, kName, "[^/]+"));
      if (std::regex_match(path, pattern)) found = &operation;
    }
    return found;
  }

  std::string url_;
  std::vector<Operation> operations_;
  std::set<int> general_;  // the statuses that any operation may answer with
  std::map<std::string, std::set<int>> statuses_;
};

}  // namespace resmgr::e2e

#endif  // RESMGR_TESTS_E2E_DESCRIBED_CALLS_H_
