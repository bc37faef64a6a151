// GET /openapi.json: that it says what the server does, neither less nor more.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "agent/api/openapi.h"
#include "agent/api/router.h"
#include "common/ids.h"
#include "common/version.h"
#include "tests/unit/api/routes_world.h"
#include "tests/unit/api/schema_check.h"

namespace resmgr::api {
namespace {

using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// "GET /api/tasks"
std::string name_of(const Route& route) {
  return std::string(to_string(route.method)) + " " + route.pattern;
}

class OpenApiTest : public RoutesTest {
 protected:
  OpenApiTest() : check_(parse_json(openapi().text, "openapi.json", DuplicateKeys::refuse)) {}

  const Json& document() const { return check_.document(); }
  const Json& operation(const Route& route) const {
    return document().at("paths").at(route.pattern).at(lower(to_string(route.method)));
  }
  // Names of the operation's parameters that stand there ("query", "path", "header").
  std::set<std::string> parameters(const Json& operation, std::string_view place) const {
    std::set<std::string> names;
    for (const Json& entry : operation.value("parameters", Json::array())) {
      const Json& parameter = check_.resolve(entry);
      if (parameter.at("in") == place) names.insert(parameter.at("name"));
    }
    return names;
  }
  template <typename OnOperation>
  void each_operation(const OnOperation& on_operation) const {
    for (const auto& [path, methods] : document().at("paths").items()) {
      for (const auto& [method, operation] : methods.items()) on_operation(path, method, operation);
    }
  }
  // Calls `on_node` with every object and where it stands.
  template <typename OnNode>
  static void walk(const Json& node, const std::string& where, const OnNode& on_node) {
    if (node.is_object()) on_node(node, where);
    if (!node.is_structured()) return;
    for (const auto& [name, member] : node.items()) walk(member, where + "/" + name, on_node);
  }
  std::vector<const Route*> routes() const { return server_->routes(); }
  // A path of the route, as it might be asked for.
  static std::string path_of(const Route& route, const std::string& segment) {
    const std::size_t begin = route.pattern.find('{');
    if (begin == std::string::npos) return route.pattern;
    return route.pattern.substr(0, begin) + segment +
           route.pattern.substr(route.pattern.find('}') + 1);
  }
  RawAnswer ask_route(const Route& route, const std::string& target,
                      const std::string& headers = admin()) const {
    return ask(std::string(to_string(route.method)) + " " + target +
               " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + headers + "\r\n");
  }

  SchemaCheck check_;
};

TEST_F(OpenApiTest, IsServedToEverybody) {
  const RawAnswer answer = ask_get("/openapi.json", "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "application/json");
  EXPECT_EQ(answer.header("cache-control"), "no-cache");
  EXPECT_EQ(answer.body, openapi().text);
  const std::string tag = answer.header("etag");
  EXPECT_THAT(tag, StartsWith("\""));
  RawClient client(address_);
  client.send(get("/openapi.json", "If-None-Match: " + tag + "\r\n"));
  EXPECT_EQ(client.read(true).status, 304);
  EXPECT_EQ(ask(post("/openapi.json", "{}")).status, 405);
  EXPECT_EQ(document().at("openapi"), "3.1.0");
  EXPECT_EQ(document().at("info").at("version"), kVersion);
}

TEST_F(OpenApiTest, HasEveryRouteAndNoOther) {
  std::set<std::string> served;
  for (const Route* const route : routes()) served.insert(name_of(*route));
  std::set<std::string> described;
  each_operation([&](const std::string& path, std::string method, const Json&) {
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    described.insert(method + " " + path);
  });
  EXPECT_EQ(described, served);
}

TEST_F(OpenApiTest, SaysWhoMayCallAndWhatIsSent) {
  for (const Route* const route : routes()) {
    const Json& described = operation(*route);
    const bool is_open = described.value("security", Json()) == Json::array();
    EXPECT_EQ(is_open, route->access == Access::open) << name_of(*route);
    EXPECT_EQ(described.contains("requestBody"), route->takes_body) << name_of(*route);
    std::set<std::string> captures;
    const std::size_t begin = route->pattern.find('{');
    if (begin != std::string::npos) {
      captures.insert(route->pattern.substr(begin + 1, route->pattern.find('}') - begin - 1));
    }
    EXPECT_EQ(parameters(described, "path"), captures) << name_of(*route);
  }
}

// A parameter that the route does not know is refused, with those that it knows.
TEST_F(OpenApiTest, HasTheParametersThatTheRoutesKnow) {
  for (const Route* const route : routes()) {
    std::set<std::string> described = parameters(operation(*route), "query");
    // Those who need no token pass over what they don't know, where they know none.
    if (route->access == Access::open && described.empty()) continue;
    const RawAnswer answer = ask_route(*route, path_of(*route, new_uuid_v4()) + "?nobody=1");
    ASSERT_EQ(answer.status, 400) << name_of(*route) << answer.body;
    const Json fault = answer.json().at("errors").at(0);
    EXPECT_EQ(fault.at("pointer"), "?nobody");
    std::string known = fault.at("detail");
    const std::string begin = "is not known here; ";
    ASSERT_THAT(known, StartsWith(begin)) << name_of(*route);
    known.erase(0, begin.size());
    std::set<std::string> names;
    if (known != "none is") {
      ASSERT_THAT(known, StartsWith("known are "));
      known.erase(0, std::string("known are ").size());
      for (std::size_t at = 0; at != std::string::npos;) {
        const std::size_t comma = known.find(", ", at);
        names.insert(known.substr(at, comma - at));
        at = comma == std::string::npos ? comma : comma + 2;
      }
    }
    EXPECT_EQ(described, names) << name_of(*route);
  }
}

TEST_F(OpenApiTest, TheExamplesOfParametersAreAccepted) {
  const std::string id = started();
  for (const Route* const route : routes()) {
    std::string target = path_of(*route, id);
    char separator = '?';
    for (const Json& entry : operation(*route).value("parameters", Json::array())) {
      const Json& parameter = check_.resolve(entry);
      if (parameter.at("in") != "query" || !parameter.contains("example")) continue;
      Json example = parameter["example"];
      std::string text;
      if (!example.is_array()) example = Json::array({example});
      for (const Json& one : example) {
        text += (text.empty() ? "" : ",") + (one.is_string() ? one.get<std::string>() : one.dump());
      }
      target += separator + parameter.at("name").get<std::string>() + "=" + text;
      separator = '&';
    }
    if (separator == '?') continue;
    EXPECT_NE(ask_route(*route, target).status, 400) << name_of(*route) << " " << target;
  }
}

TEST_F(OpenApiTest, EveryReferenceLeadsSomewhere) {
  std::set<std::string> used;
  walk(document(), "", [&](const Json& node, const std::string& where) {
    const auto reference = node.find("$ref");
    if (reference == node.end() || !reference->is_string()) return;
    EXPECT_NO_THROW(check_.resolve(node)) << where;
    used.insert(*reference);
  });
  // … and nothing is described that no route has.
  for (const auto& [kind, components] : document().at("components").items()) {
    if (kind == "securitySchemes") continue;
    for (const auto& [name, component] : components.items()) {
      EXPECT_EQ(used.count("#/components/" + kind + "/" + name), 1U) << kind << " " << name;
    }
  }
}

TEST_F(OpenApiTest, EveryOperationHasANameAndAnExample) {
  std::set<std::string> ids;
  each_operation([&](const std::string& path, const std::string& method, const Json& operation) {
    const std::string where = method + " " + path;
    EXPECT_TRUE(ids.insert(operation.at("operationId")).second) << where;
    EXPECT_FALSE(operation.at("summary").get<std::string>().empty()) << where;
    bool succeeds = false;
    for (const auto& [status, entry] : operation.at("responses").items()) {
      const Json& response = check_.resolve(entry);
      EXPECT_TRUE(response.contains("description")) << where;
      EXPECT_TRUE(response.at("headers").contains("X-Request-Id")) << where << " " << status;
      if (status[0] == '2' || status == "101" || status == "303") succeeds = true;
      const Json content = response.value("content", Json::object());
      for (const auto& [kind, media] : content.items()) {
        EXPECT_TRUE(media.contains("example") || media.contains("examples")) << where << status;
      }
      const bool bare = status == "101" || status == "204" || status == "303" || status == "304";
      EXPECT_EQ(response.contains("content"), !bare) << where << " " << status;
    }
    EXPECT_TRUE(succeeds) << where;
  });
}

TEST_F(OpenApiTest, EveryOperationHasTheErrorsThatItCanEndIn) {
  for (const Route* const route : routes()) {
    const Json& responses = operation(*route).at("responses");
    std::set<std::string> wanted = {"default"};
    if (route->access != Access::open) wanted.insert({"400", "401", "403", "503"});
    if (route->takes_body) wanted.insert("415");
    if (route->pattern.find('{') != std::string::npos) wanted.insert("404");
    for (const std::string& status : wanted) {
      EXPECT_TRUE(responses.contains(status)) << name_of(*route) << " " << status;
    }
  }
}

TEST_F(OpenApiTest, ExamplesAreAsTheirSchemasSay) {
  int examples = 0;
  const auto hold = [&](const Json& example, const Json& schema, const std::string& where) {
    EXPECT_THAT(check_.faults(example, schema), IsEmpty()) << where;
    ++examples;
  };
  walk(document(), "", [&](const Json& node, const std::string& where) {
    if (node.contains("x-message-schema")) {
      hold(node.at("x-message-example"), node.at("x-message-schema"), where);
    }
    if (node.contains("x-line-schema")) {
      const std::string line = node.at("example");
      hold(parse_json(line, "line"), node.at("x-line-schema"), where);
    }
    if (!node.contains("schema")) return;
    if (node.contains("example")) hold(node["example"], node["schema"], where);
    if (!node.contains("examples")) return;
    for (const auto& [name, example] : node["examples"].items()) {
      hold(example.at("value"), node["schema"], where + " " + name);
      EXPECT_EQ(example.at("value").at("type"), "urn:resmgr:problem:" + name) << where;
    }
  });
  EXPECT_GT(examples, 100);
}

// A checker that finds nothing wrong would hold nothing.
TEST(SchemaCheckTest, FindsWhatIsWrong) {
  const SchemaCheck check(Json::parse(R"({"s": {"A": {"type": "object", "required": ["a"],
      "properties": {"a": {"type": ["string", "null"], "enum": ["x", null]}}}}})"));
  const Json schema = Json::parse(R"({"allOf": [{"$ref": "#/s/A"},
      {"properties": {"b": {"type": "array", "items": {"type": "integer"}}}}]})");
  EXPECT_THAT(check.faults(Json::parse(R"({"a": null, "b": [1]})"), schema), IsEmpty());
  for (const char* const wrong :
       {R"({})", R"({"a": "y"})", R"({"a": 1})", R"({"a": "x", "b": [1, "2"]})",
        R"({"a": "x", "c": 1})", R"([])"}) {
    EXPECT_EQ(check.faults(Json::parse(wrong), schema).size(), 1U) << wrong;
  }
  EXPECT_EQ(check.faults(1, Json{{"multipleOf", 2}}).size(), 1U);
  EXPECT_EQ(check.faults("x", Json{{"format", "uuid"}}).size(), 1U);
  EXPECT_EQ(check.faults(1, Json{{"anyOf", {{{"type", "null"}}, {{"const", 2}}}}}).size(), 1U);
}

}  // namespace
}  // namespace resmgr::api
