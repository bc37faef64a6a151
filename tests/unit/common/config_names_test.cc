#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "common/config.h"

namespace resmgr {
namespace {

TEST(EnvironmentName, IsSectionAndKeyInCapitals) {
  EXPECT_EQ(environment_name({"server", "cors_origins", ConfigType::text_list, "", ""}),
            "RESMGR_SERVER_CORS_ORIGINS");
}

TEST(ProcessEnvironment, TellsEmptyFromMissing) {
  setenv("RESMGR_TEST_VARIABLE", "", 1);
  EXPECT_EQ(process_environment("RESMGR_TEST_VARIABLE"), "");
  unsetenv("RESMGR_TEST_VARIABLE");
  EXPECT_EQ(process_environment("RESMGR_TEST_VARIABLE"), std::nullopt);
}

TEST(NearestName, IsAtMostThreeEditsAway) {
  const std::vector<std::string> known = {"listen", "socket_group", "public_url"};
  EXPECT_EQ(nearest_name("listen", known), "listen");
  EXPECT_EQ(nearest_name("litsen", known), "listen");
  EXPECT_EQ(nearest_name("listeners", known), "listen");
  EXPECT_EQ(nearest_name("publicurl", known), "public_url");
  EXPECT_EQ(nearest_name("listenerss", known), "");
  EXPECT_EQ(nearest_name("x", known), "");
  EXPECT_EQ(nearest_name("", known), "");
  EXPECT_EQ(nearest_name("a", std::vector<std::string>{"b"}), "");
  EXPECT_EQ(nearest_name("ab", std::vector<std::string>{"ac"}), "ac");
}

}  // namespace
}  // namespace resmgr
