#include "common/destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/error.h"
#include "tests/support/temp_dir.h"

namespace resmgr {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr ConfigKey kSeqKeys[] = {
    {"seq", "url", ConfigType::text, "", ""},
    {"seq", "ca_file", ConfigType::text, "", ""},
    {"seq", "api_key_file", ConfigType::text, "", ""},
    {"seq", "api_key", ConfigType::text, "", "", true, true},
};

class DestinationTest : public testing::Test {
 protected:
  Config load(const std::string& toml) {
    const auto environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional(found->second);
    };
    return Config::load(kSeqKeys, dir_.write("resmgr.toml", "[seq]\n" + toml), true, environment,
                        {});
  }
  std::optional<Destination> read(const std::string& toml) {
    return destination_from(load(toml), "seq", "api_key");
  }
  std::string refusal(const std::string& toml) {
    try {
      read(toml);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
      return error.message() + " | " + error.hint();
    }
    return "taken";
  }
  std::string logged(const std::string& toml) {
    testing::internal::CaptureStderr();
    read(toml);
    return testing::internal::GetCapturedStderr();
  }
  std::string key_file(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::string path = dir_.write(name, text);
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  support::TempDir dir_;
  std::map<std::string, std::string> environment_;
};

TEST_F(DestinationTest, IsOffWithoutAnUrl) { EXPECT_FALSE(read("api_key_file = \"/nowhere\"\n")); }

TEST_F(DestinationTest, TakesItsSecretFromAFile) {
  const std::string path = key_file("key", "hunter2\n");
  const auto seq = read("url = \"https://seq.example/\"\napi_key_file = \"" + path + "\"\n");
  ASSERT_TRUE(seq);
  EXPECT_EQ(seq->url, "https://seq.example/");
  EXPECT_TRUE(seq->secret.given());
  EXPECT_EQ(seq->secret.read(), "hunter2");
  // Exchanged while the agent runs.
  key_file("key", "hunter3\n");
  EXPECT_EQ(seq->secret.read(), "hunter3");
}

TEST_F(DestinationTest, TakesItsSecretFromTheEnvironment) {
  environment_["RESMGR_SEQ_API_KEY"] = "hunter2";
  const std::string toml = "url = \"https://seq.example\"\n";
  EXPECT_EQ(read(toml)->secret.read(), "hunter2");
  for (const auto& shown : load(toml).show()) EXPECT_THAT(shown.value, Not(HasSubstr("hunter2")));
}

TEST_F(DestinationTest, TakesNoSecretFromTheFileOfSettings) {
  EXPECT_THAT(refusal("url = \"https://seq.example\"\napi_key = \"hunter2\"\n"),
              AllOf(HasSubstr("resmgr.toml:3:1"), HasSubstr("api_key_file"),
                    HasSubstr("RESMGR_SEQ_API_KEY"), Not(HasSubstr("hunter2"))));
}

TEST_F(DestinationTest, RefusesWhatCannotWork) {
  const std::string url = "url = \"https://seq.example\"\n";
  EXPECT_THAT(refusal("url = \"ftp://seq.example\"\n"),
              AllOf(HasSubstr("seq.url"), HasSubstr("resmgr.toml:2"), HasSubstr("scheme")));
  EXPECT_THAT(refusal("url = \"https://admin:hunter2@seq.example\"\n"),
              AllOf(HasSubstr("seq.url"), HasSubstr("credentials"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(refusal(url + "api_key_file = \"/nowhere/key\"\n"),
              AllOf(HasSubstr("/nowhere/key"), HasSubstr("No such file")));
  EXPECT_THAT(refusal(url + "ca_file = \"/nowhere/ca\"\n"),
              AllOf(HasSubstr("seq.ca_file"), HasSubstr("/nowhere/ca")));
  const std::string two_lines = key_file("two", "hunter2\nX-Other: 1\n");
  EXPECT_THAT(refusal(url + "api_key_file = \"" + two_lines + "\"\n"),
              AllOf(HasSubstr(two_lines), HasSubstr("one line"), Not(HasSubstr("hunter2"))));
}

TEST_F(DestinationTest, WarnsWhereOthersMayReadTheSecret) {
  const std::string open = key_file("open", "hunter2", 0644);
  EXPECT_THAT(logged("url = \"https://seq.example\"\napi_key_file = \"" + open + "\"\n"),
              AllOf(HasSubstr(open), HasSubstr("chmod o-rwx"), Not(HasSubstr("hunter2"))));
  const std::string shut = key_file("shut", "hunter2");
  const std::string key = "api_key_file = \"" + shut + "\"\n";
  EXPECT_THAT(logged("url = \"http://seq.example\"\n" + key),
              AllOf(HasSubstr("without TLS"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(logged("url = \"http://127.0.0.1:5341\"\n" + key), IsEmpty());
  EXPECT_THAT(logged("url = \"https://seq.example\"\n" + key), IsEmpty());
}

TEST(SplitUrlTest, PartsTheServerFromWhatIsAskedOfIt) {
  EXPECT_EQ(split_url("https://h:1/a/b?c=d#e").origin, "https://h:1");
  EXPECT_EQ(split_url("https://h:1/a/b?c=d#e").target, "/a/b?c=d");
  EXPECT_EQ(split_url("http://h").target, "/");
  EXPECT_EQ(split_url("http://h?x=y").target, "/?x=y");
  EXPECT_THROW(split_url("unix:///run/x"), Error);
}

TEST(SplitUrlTest, KnowsThisHost) {
  EXPECT_TRUE(is_on_loopback("http://127.0.0.1:80/x"));
  EXPECT_TRUE(is_on_loopback("http://localhost"));
  EXPECT_TRUE(is_on_loopback("https://[::1]:80"));
  EXPECT_FALSE(is_on_loopback("http://localhost.example"));
}

}  // namespace
}  // namespace resmgr
