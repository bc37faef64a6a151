// GET / and /dashboard/{file}: what a browser loads before anybody has signed in.
#include <gmock/gmock.h>

#include "agent/api/dashboard.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class DashboardRoutesTest : public RoutesTest {
 protected:
  RawAnswer open(const std::string& target, const std::string& headers = "") const {
    return ask_get(target, headers);
  }
  // The answer without its body, if it has any: 304 has none, nor a length.
  RawAnswer open_known(const std::string& tag) const {
    RawClient client(address_);
    client.send(get("/dashboard/app.js", "If-None-Match: " + tag + "\r\n"));
    return client.read(true);
  }
};

TEST_F(DashboardRoutesTest, ThePageNeedsNoTokenAndLetsNothingInFromElsewhere) {
  const RawAnswer page = open("/");
  ASSERT_EQ(page.status, 200) << page.body;
  EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("<title>resmgr</title>"));
  EXPECT_EQ(page.header("cache-control"), "no-cache");
  EXPECT_EQ(page.header("x-content-type-options"), "nosniff");
  EXPECT_EQ(page.header("referrer-policy"), "no-referrer");
  EXPECT_THAT(page.header("content-security-policy"),
              AllOf(StartsWith("default-src 'none'; script-src 'self'; style-src 'self';"),
                    HasSubstr("frame-ancestors 'none'"), HasSubstr("base-uri 'none'"),
                    Not(HasSubstr("unsafe"))));
}

TEST_F(DashboardRoutesTest, EveryFileIsServedAsWhatItIs) {
  const std::map<std::string, std::string> kinds = {{"html", "text/html; charset=utf-8"},
                                                    {"js", "text/javascript; charset=utf-8"},
                                                    {"css", "text/css; charset=utf-8"},
                                                    {"svg", "image/svg+xml"}};
  for (const Asset& asset : assets()) {
    const RawAnswer answer = open("/dashboard/" + std::string(asset.name));
    EXPECT_EQ(answer.status, 200) << asset.name;
    EXPECT_EQ(answer.body, asset.text) << asset.name;
    const auto kind = kinds.find(std::string(asset.name.substr(asset.name.rfind('.') + 1)));
    ASSERT_NE(kind, kinds.end()) << asset.name;
    EXPECT_EQ(answer.header("content-type"), kind->second);
    EXPECT_NE(answer.header("content-security-policy"), "");
  }
  EXPECT_THAT(open("/dashboard/chart.js").body, HasSubstr("Chart.js v"));
}

// What the policy would not let run must not be there in the first place.
TEST_F(DashboardRoutesTest, NothingIsInlineOrFromElsewhere) {
  const std::string page = open("/").body;
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<style")), Not(HasSubstr("style=")),
                          Not(HasSubstr("onclick=")), Not(HasSubstr("//"))));
  for (std::size_t at = page.find("<script"); at != std::string::npos;
       at = page.find("<script", at + 1)) {
    EXPECT_THAT(page.substr(at, page.find("</script>", at) - at), HasSubstr("src=\"dashboard/"));
  }
  for (const Asset& asset : assets()) {
    if (asset.name == "chart.js") continue;
    EXPECT_THAT(std::string(asset.text), Not(HasSubstr("innerHTML"))) << asset.name;
  }
}

TEST_F(DashboardRoutesTest, WhoHasTheFileIsNotSentItAgain) {
  const std::string tag = open("/dashboard/app.js").header("etag");
  ASSERT_THAT(tag, AllOf(StartsWith("\""), HasSubstr("\"")));
  EXPECT_NE(tag, open("/dashboard/style.css").header("etag"));
  for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const RawAnswer answer = open_known(known);
    EXPECT_EQ(answer.status, 304) << known;
    EXPECT_EQ(answer.header("content-length"), "");
    EXPECT_EQ(answer.header("etag"), tag);
    EXPECT_EQ(answer.header("cache-control"), "no-cache");
  }
  for (const std::string& known : {std::string("\"other\""), tag.substr(1, tag.size() - 2)}) {
    EXPECT_EQ(open_known(known).status, 200) << known;
  }
}

TEST_F(DashboardRoutesTest, HeadHasTheHeadersAlone) {
  RawClient client(address_);
  ASSERT_TRUE(client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const RawAnswer head = client.read(true);
  const RawAnswer page = open("/");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"), std::to_string(page.body.size()));
  EXPECT_EQ(head.header("etag"), page.header("etag"));
  EXPECT_EQ(head.header("content-type"), page.header("content-type"));
}

TEST_F(DashboardRoutesTest, OtherNamesAndMethodsAreRefused) {
  for (const char* const target :
       {"/dashboard/none.js", "/dashboard/", "/dashboard/..%2Fapp.js", "/dashboard/embedded.cc"}) {
    const RawAnswer answer = open(target);
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_EQ(answer.problem(), "not-found") << target;
  }
  EXPECT_EQ(open("/dashboard").status, 404);
  for (const char* const target : {"/", "/dashboard/app.js"}) {
    const RawAnswer answer = ask(post(target, "{}"));
    EXPECT_EQ(answer.status, 405) << target;
    EXPECT_EQ(answer.header("allow"), "GET, HEAD, OPTIONS");
  }
}

}  // namespace
}  // namespace resmgr::api
