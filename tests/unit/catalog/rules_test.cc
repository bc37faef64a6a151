#include "agent/catalog/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resmgr::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Check = Objection (*)(const std::string&);

void expect(Check check, std::initializer_list<std::string> good,
            std::initializer_list<std::string> bad) {
  for (const std::string& text : good) EXPECT_EQ(check(text), std::nullopt) << text;
  for (const std::string& text : bad) EXPECT_NE(check(text), std::nullopt) << text;
}

TEST(Rules, ServiceNames) {
  expect(check_service_name, {"a", "0", "jupyter", "r-studio", "a-", std::string(63, 'a')},
         {"", "-a", "A", "a_b", "a.b", "a b", "é", "a/b", "../a", std::string(64, 'a')});
}

TEST(Rules, TextsForPeople) {
  expect(check_title, {"Jupyter notebook", "日本語"}, {"", "two\nlines", std::string(101, 'x')});
  expect(check_description, {"", "two\nlines"}, {"bell\a", std::string(1001, 'x')});
}

TEST(Rules, IconsRunNothing) {
  expect(check_icon, {"https://example.org/i.png", "/icons/i.svg", "data:image/png;base64,AAAA"},
         {"", "javascript:alert(1)", "data:text/html,<b>", "//evil.example/i.png", "icon.png",
          "https://example.org/\"onload=", "https://example.org/ i", "file:///etc/passwd"});
}

TEST(Rules, ImageReferences) {
  expect(check_image,
         {"hello", "resmgr/hello:latest", "quay.io/jupyter/minimal-notebook:latest",
          "registry:5000/a/b_c:1.0", "a@sha256:0123abcd"},
         {"", "-v", "a b", "a:", "/a", "a/", "a//b", "--privileged", "a;b", "a\nb", "{userId}"});
}

TEST(Rules, CommandsHoldNoToken) {
  expect(check_command_word, {"", "serve", "--id={taskId}", "{userId}", "a {", "{}", "{ token }"},
         {"{token}", "--token={token}", "{tokens}", "{host}", "{port}", "${HOME}"});
  EXPECT_THAT(*check_command_word("{token}"), HasSubstr("command lines"));
  EXPECT_THAT(*check_command_word("{host}"), HasSubstr("{taskId}, {userId}"));
}

TEST(Rules, Paths) {
  expect(check_url_path, {"/", "/lab?token={token}", "/{userId}/{taskId}/{host}/{port}#x"},
         {"", "lab", "http://example.org/", "/a b", "/a\tb", "/ü", "/{name}", "/{Token}"});
  expect(check_build, {"/usr/share/resmgr/images/hello/build"},
         {"", "build", "./build", "/a\nb", "/" + std::string(4'096, 'x')});
  expect(check_probe_path, {"/", "/api?x=1"}, {"", "api", "/{token}", "/a b"});
}

TEST(Rules, WhatIsForTheGateway) {
  expect(check_gateway_path, {"/", "/lab?user={userId}", "/{taskId}/{host}:{port}"},
         {"", "lab", "/a b", "/lab?token={token}", "/{basePath}"});
  expect(check_authorization,
         {"token {token}", "Basic YTpi", "{token}", "Bearer {userId}.{taskId}"},
         {"", " token", "token ", "a\r\nb", "ü", "{password}", std::string(3000, 'a')});
}

TEST(Rules, Environment) {
  expect(check_env_name, {"A", "_a", "JUPYTER_TOKEN", "A1"}, {"", "1A", "A-B", "A=B", "A B", "é"});
  expect(check_env_value,
         {"", "{token}", "{userId}", "{basePath}x", "{\"json\": [1]}", "a\nb", "$HOME"},
         {"{password}", "{host}", std::string("a\0b", 3)});
}

TEST(Rules, Users) {
  expect(check_user, {"1000", "1000:100", "jovyan", "jovyan:users", "a.b_c-d"},
         {"", ":", "1000:", ":100", "a:b:c", "a b", "-u", "a/b"});
}

TEST(Rules, FrameAncestors) {
  expect(check_frame_ancestor,
         {"'self'", "'none'", "*", "https://portal.example", "https:", "https://*.example:8443"},
         {"", "'unsafe-inline'", "a; script-src *", "a b", "a,b", "https://a\n"});
}

TEST(Rules, VolumeNames) {
  expect(check_volume_name, {"ab", "jupyter-{userId}", "{taskId}", "{userId}.{taskId}", "a_b.c-d"},
         {"", "a", "-a", ".a", "/etc", "a/b", "a:b", "a b", "{token}", "{user", "a}", "a{}b",
          "a{b c}", std::string(121, 'a')});
}

TEST(Rules, VolumePaths) {
  expect(check_volume_path, {"/data", "/home/jovyan/work", "/a..b", "/.config"},
         {"", "/", "data", "./data", "/data/", "//data", "/a//b", "/a/../b", "/..", "/a/.", "/a:ro",
          "/a\nb"});
}

TEST(Rules, Capabilities) {
  expect(check_capability, {"CHOWN", "chown", "CAP_CHOWN", "cap_net_bind_service", "SYSLOG"},
         {"", "CAP_", "CAP_CAP_CHOWN", "ROOT", "ALL", "CAP_ALL", "CHOWN "});
  EXPECT_THAT(*check_capability("NET_ADMN"), HasSubstr("NET_ADMIN"));
  EXPECT_EQ(canonical_capability("cap_net_raw"), "NET_RAW");
  EXPECT_TRUE(breaks_isolation("SYS_ADMIN"));
  EXPECT_FALSE(breaks_isolation("CHOWN"));
}

TEST(Rules, PlaceholdersAreNamesInBraces) {
  EXPECT_THAT(placeholders("/{a}/{b_1}?{C}"), ElementsAre("a", "b_1", "C"));
  EXPECT_THAT(placeholders("{{token}}"), ElementsAre("token"));
  EXPECT_THAT(placeholders("{a{token}"), ElementsAre("token"));
  EXPECT_THAT(placeholders("{} { a } {1} {a-b} {\"a\":1} {a"), IsEmpty());
}

}  // namespace
}  // namespace resmgr::catalog
