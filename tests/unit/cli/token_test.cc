// `resmgr token`.

#include "cli/dev_token.h"
#include "common/crypto.h"
#include "common/ids.h"
#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kKey[] = "a key of the tests, at least 32 bytes long";

struct Parts {
  Json header;
  Json payload;
  bool genuine = false;
};

Parts taken_apart(const std::string& token, std::string_view key) {
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  const auto json = [](const std::string& part) {
    return parse_json(base64url_decode(part).value_or(""), "token");
  };
  return {json(token.substr(0, first)), json(token.substr(first + 1, second - first - 1)),
          base64url_decode(token.substr(second + 1)) == hmac_sha256(key, token.substr(0, second))};
}

class TokenTest : public CommandTest {
 protected:
  TokenTest() {
    config_ = dir.write("resmgr.toml", "[server]\nlisten = []\n[auth]\nhmac_key_file = '" +
                                           dir.write("key", std::string(kKey) + "\n") + "'\n");
  }
  Parts mint(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "token");
    EXPECT_EQ(run(arguments), kDone) << err.text;
    EXPECT_EQ(out.text.back(), '\n');
    return taken_apart(out.text.substr(0, out.text.size() - 1), kKey);
  }

  std::string config_;
};

TEST_F(TokenTest, IsSignedWithTheAgentsKey) {
  const Parts token = mint({"--agent-config", config_, "--user", kAlice});
  EXPECT_TRUE(token.genuine);
  EXPECT_EQ(token.header, (Json{{"alg", "HS256"}, {"typ", "JWT"}}));
  EXPECT_EQ(token.payload["sub"], kAlice);
  EXPECT_EQ(token.payload["iat"], 1'795'367'045);
  EXPECT_EQ(token.payload["exp"], 1'795'367'045 + 3600);
  EXPECT_FALSE(token.payload.contains("role"));
  EXPECT_FALSE(token.payload.contains("iss"));
  EXPECT_FALSE(token.payload.contains("aud"));
}

TEST_F(TokenTest, StandardErrorSaysWhatItIs) {
  mint({"--agent-config", config_, "--user", kAlice, "--admin"});
  EXPECT_EQ(err.text, std::string("resmgr: a token for development, valid for 1h 00m 00s: user ") +
                          kAlice + ", role admin\n");
  EXPECT_THAT(err.text, Not(HasSubstr("ey")));
}

TEST_F(TokenTest, HasWhatTheConfigurationWants) {
  const std::string config =
      dir.write("other.toml", "[auth]\nhmac_key_file = '" + (dir.path() / "key").string() +
                                  "'\nissuer = 'https://id.example.org'\naudience = 'resmgr'\n"
                                  "admin_role = 'operator'\nuser_claims = ['uid', 'sub']\n"
                                  "role_claims = ['groups']\nleeway_seconds = 5\n");
  const Parts token =
      mint({"--agent-config", config, "--user", kAlice, "--admin", "--role", "teacher"});
  EXPECT_TRUE(token.genuine);
  EXPECT_EQ(token.payload["iss"], "https://id.example.org");
  EXPECT_EQ(token.payload["aud"], "resmgr");
  EXPECT_EQ(token.payload["uid"], kAlice);
  EXPECT_EQ(token.payload["groups"], (Json{"teacher", "operator"}));
}

TEST_F(TokenTest, ExpiresAndRoles) {
  const Parts token =
      mint({"--agent-config", config_, "--expires", "8h", "--role", "a", "--role", "b"});
  EXPECT_EQ(token.payload["exp"], 1'795'367'045 + 8 * 3600);
  EXPECT_EQ(token.payload["role"], (Json{"a", "b"}));
  EXPECT_EQ(run({"token", "--agent-config", config_, "--expires", "8"}), kUsage);
  EXPECT_EQ(run({"token", "--agent-config", config_, "--user", "alice"}), kUsage);
}

TEST_F(TokenTest, TheUsualUserIsTheSameEachTime) {
  const std::string user = string_or(mint({"--agent-config", config_}).payload, "sub");
  EXPECT_EQ(parse_uuid(user), user);
  EXPECT_EQ(string_or(mint({"--agent-config", config_}).payload, "sub"), user);
}

TEST_F(TokenTest, TheConfigurationMayBeNamedByTheEnvironment) {
  variables["RESMGR_CONFIG"] = config_;
  EXPECT_TRUE(mint({}).genuine);
  variables["RESMGR_AUTH_AUDIENCE"] = "from-the-environment";
  EXPECT_EQ(mint({}).payload["aud"], "from-the-environment");
}

TEST_F(TokenTest, AKeyFileMayBeGiven) {
  const std::string other = dir.write("other", "base64:" + base64_encode(std::string(32, '\x01')));
  EXPECT_EQ(run({"token", "--key-file", other}), kDone);
  EXPECT_TRUE(
      taken_apart(out.text.substr(0, out.text.size() - 1), std::string(32, '\x01')).genuine);
}

TEST_F(TokenTest, WithoutAKeyThereIsNone) {
  EXPECT_EQ(run({"token"}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("names no [auth] hmac_key_file"));
  EXPECT_EQ(run({"token", "--key-file", dir.write("short", "too short")}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("has 9 bytes"));
  EXPECT_EQ(run({"token", "--key-file", (dir.path() / "none").string()}), kFailed);
  EXPECT_EQ(run({"token", "--agent-config", (dir.path() / "none").string()}), kFailed);
  EXPECT_EQ(out.text, "");
}

}  // namespace
}  // namespace resmgr::cli
