// What the gateway makes of paths, cookies and codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/api/gateway_pass.h"
#include "agent/api/gateway_request.h"
#include "common/error.h"

namespace resmgr::api {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kTask = "019aac1e-7b1c-7a00-8f00-5c2d9e4b1a01";
const std::string kOther = "019aac1e-7b1c-7a00-8f00-5c2d9e4b1a02";
const std::string kUser = "11111111-1111-4111-8111-111111111111";
const Instant kNow = instant_from_millis(1'790'000'000'123);

const GatewayAddress kHosts("https://tasks.example.org", GatewayAddress::Mode::host);
const GatewayAddress kPaths("https://tasks.example.org", GatewayAddress::Mode::path);
const GatewayPasses kPasses(std::string(64, 'k'));

TEST(GatewayPath, TakesWhatServicesUse) {
  for (const char* const path : {"/",
                                 "/lab",
                                 "/lab/",
                                 "//",
                                 "/a//b",
                                 "/static/app.js",
                                 "/.well-known/x",
                                 "/..hidden",
                                 "/...",
                                 "/a..b",
                                 "/a.",
                                 "/api/contents/100%25.ipynb",
                                 "/a%2Fb",
                                 "/%E2%82%AC.ipynb",
                                 "/%e9",
                                 "/a;v=1/b",
                                 "/a%20b",
                                 "/@x/~y/!z'()*+,=:&$",
                                 "/a%252Fb",
                                 "/%"
                                 "25252525"}) {
    EXPECT_TRUE(is_plain_path(path)) << path;
  }
}

TEST(GatewayPath, RefusesWhatClimbsHoweverItIsWritten) {
  for (const std::string trick : {"..",
                                  ".",
                                  "%2e%2e",
                                  "%2E%2e",
                                  ".%2e",
                                  "%2e.",
                                  "%2e",
                                  "..;",
                                  "..;a=b",
                                  ".%3b",
                                  "..%3b",
                                  "%2e%2e;x",
                                  "..%20",
                                  "%20..",
                                  "%252e%252e",
                                  "%25252e%25252e",
                                  "..%5c",
                                  "%5c..",
                                  "..%2f",
                                  "%2f..",
                                  "..%252f",
                                  "x%2f..%2fy",
                                  "x%5c..%5cy",
                                  "x%255c..%255cy",
                                  "x%2f.",
                                  "%c0%ae%c0%ae",
                                  "x%c0%afy",
                                  "%e0%80%ae",
                                  "%f0%80%80%ae",
                                  "..%00",
                                  "%00",
                                  "%0d%0ax",
                                  "%7f",
                                  "a%2500",
                                  "..%09",
                                  "%u002e%u002e",
                                  "%",
                                  "%2",
                                  "%g0",
                                  "a\\b",
                                  "..\\",
                                  "a b",
                                  "a#b",
                                  "\x80",
                                  "a\tb",
                                  "%2525252525252e"}) {
    EXPECT_FALSE(is_plain_path("/" + trick)) << trick;
    EXPECT_FALSE(is_plain_path("/a/" + trick + "/b")) << trick;
    EXPECT_FALSE(is_plain_path("/a/" + trick)) << trick;
  }
  for (const std::string& wrong : {std::string(), std::string("lab"), std::string("?x"),
                                   std::string("http://a/"), "/" + std::string(9000, 'a')}) {
    EXPECT_FALSE(is_plain_path(wrong)) << wrong;
  }
}

std::string path_at(const GatewayAddress& gateway, const std::string& host,
                    const std::string& uri) {
  const auto target = gateway_target(gateway, host, uri);
  return target ? target->task_id + " " + target->path : "";
}

TEST(GatewayTarget, IsNamedByTheHost) {
  const std::string host = kTask + ".tasks.example.org";
  EXPECT_EQ(path_at(kHosts, host, "/lab?next=/../x"), kTask + " /lab");
  EXPECT_EQ(path_at(kHosts, host + ":8443", "/t/" + kOther + "/"), kTask + " /t/" + kOther + "/");
  EXPECT_EQ(path_at(kHosts, "tasks.example.org", "/t/" + kTask + "/"), "");
  EXPECT_EQ(path_at(kHosts, host, "/x/../y"), "");
  EXPECT_EQ(path_at(kHosts, "", "/"), "");
}

TEST(GatewayTarget, IsNamedByThePath) {
  const std::string host = "tasks.example.org";
  const std::string mine = "/t/" + kTask;
  EXPECT_EQ(path_at(kPaths, host, mine + "/lab?a=1"), kTask + " /lab");
  EXPECT_EQ(path_at(kPaths, host + ":443", mine + "/"), kTask + " /");
  EXPECT_EQ(path_at(kPaths, "resmgr.example.org", mine + "/"), "");
  const std::vector<std::string> others = {mine,
                                           mine + "x/",
                                           "/",
                                           std::string("/t/"),
                                           "/T/" + kTask + "/",
                                           "//t/" + kTask + "/",
                                           "/%74/" + kTask + "/",
                                           "/t%2f" + kTask + "/",
                                           "/t/%30" + kTask.substr(1) + "/",
                                           mine + "%2f",
                                           "/t/" + kTask.substr(0, 35) + "/",
                                           mine + "/../" + kOther + "/",
                                           mine + "/%2e%2e/" + kOther + "/",
                                           mine + "/..%2f" + kOther + "/",
                                           mine + "/..;/" + kOther + "/",
                                           "/t/019AAC1E-7B1C-7A00-8F00-5C2D9E4B1A01/",
                                           "/t/{" + kTask + "}/",
                                           "*",
                                           "http://" + host + mine + "/"};
  for (const std::string& uri : others) EXPECT_EQ(path_at(kPaths, host, uri), "") << uri;
}

TEST(GatewayCookies, OfOursGoNoFurther) {
  EXPECT_EQ(without_own_cookies("a=1; __Host-resmgr-task=x; b=2;c ; resmgr_session=y;"
                                "__Secure-resmgr-" +
                                kTask + "=z; __HOST-Resmgr-task=q; d=resmgr"),
            "a=1; b=2; c; d=resmgr");
  EXPECT_EQ(without_own_cookies("__Host-resmgr-task=x"), "");
  EXPECT_THAT(cookie_values("a=1; b=2; a=3=4; A=5; aa=6; a", "a"), ElementsAre("1", "3=4", ""));
  EXPECT_THAT(cookie_values("", "a"), IsEmpty());
}

TEST(GatewayCode, IsForOneTaskAndAMinute) {
  const std::string code = kPasses.code(kTask, kUser, kNow);
  EXPECT_EQ(code.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_."),
            std::string::npos);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(kPasses.read_code(kTask, code, kNow + seconds(59))->user_id, kUser);
  }
  EXPECT_FALSE(kPasses.read_code(kTask, code, kNow + seconds(62)));
  EXPECT_FALSE(kPasses.read_code(kTask, code, kNow - minutes(2)));
  EXPECT_FALSE(kPasses.read_code(kOther, code, kNow));
  EXPECT_FALSE(GatewayPasses(std::string(64, 'x')).read_code(kTask, code, kNow));
}

TEST(GatewayCode, CantBeChanged) {
  const std::string code = kPasses.code(kTask, kUser, kNow);
  for (std::size_t i = 0; i < code.size(); ++i) {
    std::string changed = code;
    changed[i] = changed[i] == '1' ? '2' : '1';
    EXPECT_FALSE(kPasses.read_code(kTask, changed, kNow)) << changed;
    EXPECT_FALSE(kPasses.read_code(kTask, code.substr(0, i), kNow)) << i;
  }
  for (const std::string& wrong :
       {code + "=", code + "A", "0" + code, "+" + code, " " + code, std::string("."),
        std::string(".."), std::string(500, '.'), "9223372036854775807." + kUser + ".x"}) {
    EXPECT_FALSE(kPasses.read_code(kTask, wrong, kNow)) << wrong;
  }
}

// The value in "name=value; …".
std::string cookie_in(const std::string& set_cookie) {
  return set_cookie.substr(0, set_cookie.find(';'));
}

TEST(GatewayCookie, IsTheTasksAlone) {
  EXPECT_THAT(kPasses.set_cookie(kHosts, kTask, kUser, kNow), StartsWith("__Host-resmgr-task="));
  EXPECT_THAT(kPasses.set_cookie(kHosts, kTask, kUser, kNow),
              HasSubstr("; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=None; Partitioned"));
  EXPECT_THAT(kPasses.set_cookie(kPaths, kTask, kUser, kNow),
              StartsWith("__Secure-resmgr-" + kTask + "="));
  EXPECT_THAT(kPasses.set_cookie(kPaths, kTask, kUser, kNow),
              HasSubstr("; Path=/t/" + kTask + "/; "));

  const std::string cookie = cookie_in(kPasses.set_cookie(kHosts, kTask, kUser, kNow));
  EXPECT_EQ(kPasses.read_cookie(kHosts, kTask, "a=b; " + cookie, kNow + hours(11))->user_id, kUser);
  EXPECT_FALSE(kPasses.read_cookie(kHosts, kTask, cookie, kNow + hours(13)));
  EXPECT_FALSE(kPasses.read_cookie(kHosts, kOther, cookie, kNow));
  EXPECT_FALSE(kPasses.read_cookie(kPaths, kTask, cookie, kNow));
}

TEST(GatewayCookie, IsNoCodeAndTheOtherWayRound) {
  const std::string cookie = cookie_in(kPasses.set_cookie(kHosts, kTask, kUser, kNow));
  EXPECT_FALSE(kPasses.read_code(kTask, cookie.substr(cookie.find('=') + 1), kNow));
  EXPECT_FALSE(kPasses.read_cookie(kHosts, kTask,
                                   "__Host-resmgr-task=" + kPasses.code(kTask, kUser, kNow), kNow));
}

TEST(GatewayCookie, CountsWhateverStandsBesideIt) {
  const std::string earlier = cookie_in(kPasses.set_cookie(kHosts, kTask, kUser, kNow));
  const std::string later = cookie_in(kPasses.set_cookie(kHosts, kTask, kUser, kNow + hours(1)));
  const std::string header = "__Host-resmgr-task=forged; " + later + "; " + earlier;
  EXPECT_GT(kPasses.read_cookie(kHosts, kTask, header, kNow + hours(2))->issued,
            kNow + minutes(59));
}

TEST(GatewayPasses, NeedAKey) {
  EXPECT_THROW(GatewayPasses(""), Error);
  EXPECT_THROW(GatewayPasses("short"), Error);
}

}  // namespace
}  // namespace resmgr::api
