#include "common/gateway_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/thrown.h"

namespace resmgr {
namespace {

using Mode = GatewayAddress::Mode;

constexpr char kTask[] = "019aac1e-7b1c-7a00-8f00-5c2d9e4b1a01";

TEST(WebOrigin, IsWrittenAsBrowsersDo) {
  EXPECT_EQ(web_origin("https://Tasks.Example.org:443/resmgr/"), "https://tasks.example.org");
  EXPECT_EQ(web_origin("http://[::1]:8080"), "http://[::1]:8080");
  EXPECT_EQ(web_origin("http://a:80"), "http://a");
  for (const char* const none : {"", "*", "unix:///run/x", "tasks.example.org", "https://u:p@a"}) {
    EXPECT_EQ(web_origin(none), std::nullopt) << none;
  }
}

TEST(GatewayAddress, OfHostModeGivesEachTaskANameOfItsOwn) {
  const GatewayAddress gateway("https://Tasks.example.org:8443", Mode::host);
  EXPECT_EQ(gateway.origin(kTask), std::string("https://") + kTask + ".tasks.example.org:8443");
  EXPECT_EQ(gateway.base_path(kTask), "/");
  EXPECT_EQ(gateway.port(), 8443);
  EXPECT_EQ(gateway.task_of_host(std::string(kTask) + ".tasks.example.org"), kTask);
  for (const std::string& host :
       {std::string("tasks.example.org"), std::string(kTask), std::string(kTask) + ".example.org",
        "x" + std::string(kTask) + ".tasks.example.org",
        "a." + std::string(kTask) + ".tasks.example.org",
        std::string(kTask) + ".tasks.example.org.evil.org", std::string(),
        std::string("019AAC1E-7B1C-7A00-8F00-5C2D9E4B1A01.tasks.example.org")}) {
    EXPECT_EQ(gateway.task_of_host(host), std::nullopt) << host;
  }
}

TEST(GatewayAddress, OfPathModeHasOneOriginForAll) {
  const GatewayAddress gateway("https://tasks.example.org", Mode::path);
  EXPECT_EQ(gateway.origin(kTask), "https://tasks.example.org");
  EXPECT_EQ(gateway.base_path(kTask), std::string("/t/") + kTask + "/");
  EXPECT_EQ(gateway.task_of_host("tasks.example.org"), "");
  EXPECT_EQ(gateway.task_of_host("resmgr.example.org"), std::nullopt);
}

TEST(GatewayAddress, RefusesWhatCanNeverWork) {
  const auto refusal = [](const std::string& base, Mode mode) {
    return support::error_of([&] { GatewayAddress(base, mode); }).message();
  };
  EXPECT_THAT(refusal("tasks.example.org", Mode::host), testing::HasSubstr("no URL"));
  EXPECT_THAT(refusal("unix:///run/x", Mode::path), testing::HasSubstr("no URL"));
  EXPECT_THAT(refusal("https://tasks.example.org/t", Mode::path), testing::HasSubstr("no path"));
  EXPECT_THAT(refusal("https://10.0.0.1", Mode::host), testing::HasSubstr("not an address"));
  EXPECT_THAT(refusal("http://tasks.example.org", Mode::host), testing::HasSubstr("https"));
  EXPECT_THAT(refusal("https://tasks_.example.org", Mode::host), testing::HasSubstr("letters"));
  // On this host alone a browser takes them for secure.
  EXPECT_EQ(GatewayAddress("http://tasks.localhost:81", Mode::host).port(), 81);
  EXPECT_EQ(GatewayAddress("http://127.0.0.1", Mode::path).port(), 80);
}

}  // namespace
}  // namespace resmgr
