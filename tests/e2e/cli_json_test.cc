// What `resmgr … --output json` prints is as agent/api/openapi.json has it, by the names that
// resmgr(1) gives.

#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/unit/api/schema_check.h"

namespace resmgr::e2e {
namespace {

using support::Finished;
using ::testing::IsEmpty;

class JsonTest : public WithAgent {
 protected:
  // Lines "COMMAND<tab>SCHEMA" of the page's table; a schema in brackets is of each element.
  static std::set<std::string> table_of_the_page() {
    const std::string page = support::read_file(RESMGR_SOURCE_DIR "/man/resmgr.1");
    const std::size_t begin = page.find(".SS JSON");
    const std::string section = page.substr(begin, page.find("\n.SH", begin) - begin);
    std::set<std::string> rows;
    const std::regex row(R"(\n\.TP\n\.BR? ([^\n]+)\n([^\n]+))");
    for (std::sregex_iterator at(section.begin(), section.end(), row), end; at != end; ++at) {
      const std::string command = std::regex_replace((*at)[1].str(), std::regex(R"([\\"])"), "");
      rows.insert(command + "\t" + (*at)[2].str());
    }
    return rows;
  }
  static const api::SchemaCheck& check() {
    static const api::SchemaCheck the_one(
        Json::parse(support::read_file(RESMGR_SOURCE_DIR "/agent/api/openapi.json")));
    return the_one;
  }

  // Runs it, and holds what it prints against the schema that the page names.
  Json hold(const std::string& command, const std::string& schema,
            const std::vector<std::string>& arguments, int code = 0) {
    EXPECT_EQ(rows_.erase(command + "\t" + schema), 1u) << command << " is not in the page's table";
    std::vector<std::string> line = arguments;
    line.insert(line.end(), {"--output", "json"});
    const Finished done = agent().cli(line);
    EXPECT_EQ(done.code, code) << command << '\n' << done.out << done.err;
    const bool is_list = schema.starts_with('[');
    const std::string name = is_list ? schema.substr(1, schema.size() - 2) : schema;
    const Json reference = {{"$ref", "#/components/schemas/" + name}};
    const Json json = Json::parse(done.out, nullptr, false);
    if (!is_list) {
      EXPECT_THAT(check().faults(json, reference), IsEmpty()) << command << done.out;
      return json;
    }
    EXPECT_TRUE(json.is_array() && !json.empty()) << command << done.out;
    for (const Json& element : json) {
      EXPECT_THAT(check().faults(element, reference), IsEmpty()) << command << element;
    }
    return json;
  }

  std::set<std::string> rows_ = table_of_the_page();
};

TEST_F(JsonTest, EachCommandPrintsWhatThePageSays) {
  const std::string id = string_or(hold("start", "TaskDetail", {"start", "hello"}), "taskId");
  hold("list", "[ListedTask]", {"list"});
  hold("show", "TaskDetail", {"show", id});
  hold("why", "Why", {"why", id});
  hold("services", "[Service]", {"services"});
  hold("status", "Host", {"status"});
  hold("doctor", "[Check]", {"doctor"});
  hold("images", "[Image]", {"images"});
  hold("usage", "[UsageSum]", {"usage", "--by", "user"});
  hold("reconcile", "Reconciliation", {"reconcile", "--dry-run"});
  hold("resume", "Resumed", {"resume"});
  EXPECT_THAT(rows_, IsEmpty()) << "not tried";
}

TEST_F(JsonTest, EventsAreALineEach) {
  EXPECT_EQ(agent().cli({"start", "hello"}).code, 0);
  const Finished all = agent().cli({"events", "--output", "json"});
  EXPECT_EQ(all.code, 0) << all.err;
  std::istringstream lines(all.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_THAT(check().faults(Json::parse(line), {{"$ref", "#/components/schemas/EventLine"}}),
                IsEmpty())
        << line;
  }
  EXPECT_GT(count, 3);
}

}  // namespace
}  // namespace resmgr::e2e
