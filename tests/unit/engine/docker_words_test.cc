#include "agent/engine/docker_words.h"

#include <gtest/gtest.h>

#include "common/json.h"

namespace resmgr::engine {
namespace {

TEST(DockerWords, ErrorsAreTheDaemonsWordsOnOneLine) {
  EXPECT_EQ(read_error_message(R"({"message":"No such image: x"})"), "No such image: x");
  EXPECT_EQ(read_error_message("{\"message\":\"two\\nlines.\\n\"}"), "two lines");
  EXPECT_EQ(read_error_message("502 Bad Gateway\r\n"), "502 Bad Gateway");
  EXPECT_EQ(read_error_message(""), "no reason given");
  EXPECT_EQ(read_error_message("{}"), "no reason given");
  EXPECT_EQ(read_error_message("{\"message\":\"\\u001b[31mred\\u007f\"}"), " [31mred");
}

TEST(DockerWords, LongErrorsAreCutBetweenCharacters) {
  std::string words = "x";
  while (words.size() < 3'000) words += "\xC3\xA9";  // é
  const std::string message = read_error_message(R"({"message":")" + words + R"("})");
  EXPECT_LE(message.size(), 1'000U);
  EXPECT_NO_THROW((void)Json(message).dump());
}

TEST(DockerWords, TakenPortsAreRecognized) {
  EXPECT_TRUE(says_port_in_use(
      "driver failed programming external connectivity on endpoint x: Error starting userland "
      "proxy: listen tcp4 127.0.0.1:8080: bind: address already in use"));
  EXPECT_TRUE(says_port_in_use("Bind for 127.0.0.1:8080 failed: port is already allocated"));
  EXPECT_TRUE(says_port_in_use("Ports: ports are not available: exposing port TCP"));
  EXPECT_FALSE(says_port_in_use("OCI runtime create failed: executable file not found"));
}

TEST(DockerWords, WhatIsMissingIsRecognized) {
  EXPECT_TRUE(says_network_missing("network resmgr-0f9d not found"));
  EXPECT_FALSE(says_network_missing("No such container: x"));
  EXPECT_TRUE(says_image_missing("manifest for a:1 not found: manifest unknown"));
  EXPECT_TRUE(says_image_missing("pull access denied for a, repository does not exist"));
  EXPECT_FALSE(says_image_missing("dial tcp 127.0.0.1:1: connect: connection refused"));
}

}  // namespace
}  // namespace resmgr::engine
