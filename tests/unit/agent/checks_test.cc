#include "agent/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "agent/config_commands.h"
#include "common/error.h"
#include "common/json.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/common/scripted_server.h"

namespace resmgr {
namespace {

using State = CheckResult::State;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Check check_of(const std::string& name, std::function<std::string(const std::stop_token&)> run) {
  return {name, "https://" + name + ".example", std::move(run)};
}

TEST(RunChecksTest, TellsOfEachInTheirOrder) {
  const auto results = run_checks(
      {check_of("good", [](const std::stop_token&) { return std::string("answers"); }),
       check_of("off", nullptr),
       check_of("bad",
                [](const std::stop_token&) -> std::string {
                  throw Error(ErrorKind::unavailable, "cannot connect to 'x': refused", "again");
                }),
       check_of("worse",
                [](const std::stop_token&) -> std::string { throw std::runtime_error("broken"); })},
      std::chrono::minutes(5));
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(render_checks(results, ConfigOutput::tsv),
            "ok\tgood\thttps://good.example\tanswers\t\n"
            "off\toff\thttps://off.example\t\t\n"
            "failed\tbad\thttps://bad.example\tcannot connect to 'x': refused\tagain\n"
            "failed\tworse\thttps://worse.example\tbroken\t\n");
  EXPECT_EQ(render_checks(results, ConfigOutput::table),
            "ok      good   https://good.example: answers\n"
            "off     off    https://off.example\n"
            "failed  bad    cannot connect to 'x': refused\n"
            "               Try: again\n"
            "failed  worse  broken\n");
  const Json json = Json::parse(render_checks(results, ConfigOutput::json));
  EXPECT_EQ(json[2], Json({{"name", "bad"},
                           {"state", "failed"},
                           {"destination", "https://bad.example"},
                           {"text", "cannot connect to 'x': refused"},
                           {"hint", "again"}}));
  EXPECT_TRUE(json[1]["text"].is_null());
}

// One after the other they would never end.
TEST(RunChecksTest, RunsThemAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable met;
  int there = 0;
  const auto meet = [&](const std::stop_token&) {
    std::unique_lock lock(mutex);
    ++there;
    met.notify_all();
    met.wait(lock, [&] { return there == 2; });
    return std::string("met");
  };
  const auto results =
      run_checks({check_of("a", meet), check_of("b", meet)}, std::chrono::minutes(5));
  EXPECT_EQ(results[0].text + results[1].text, "metmet");
}

TEST(RunChecksTest, AsksThoseToStopThatTakeTooLong) {
  const auto results =
      run_checks({check_of("slow",
                           [](const std::stop_token& stop) -> std::string {
                             std::mutex mutex;
                             std::condition_variable_any never;
                             std::unique_lock lock(mutex);
                             never.wait(lock, stop, [] { return false; });
                             throw Error(ErrorKind::unavailable, "none came in time");
                           })},
                 Millis{10});
  EXPECT_EQ(results[0].state, State::failed);
}

TEST(RenderChecksTest, NothingThatADestinationSaysIsObeyed) {
  const std::vector<CheckResult> results = {
      {"seq", "https://seq", State::failed, "said \x1b[2J\tand\n more", ""}};
  EXPECT_EQ(render_checks(results, ConfigOutput::tsv),
            "failed\tseq\thttps://seq\tsaid  [2J and  more\t\n");
  EXPECT_EQ(render_checks(results, ConfigOutput::table), "failed  seq  said  [2J and  more\n");
}

class DestinationChecksTest : public testing::Test {
 protected:
  // Answers each request with that; remembers the last one.
  ScriptedServer::Script answering(const std::string& status, const std::string& body = "{}") {
    return [this, status, body](Peer& peer, int) {
      for (std::string request; !(request = peer.read_request()).empty();) {
        {
          const std::lock_guard lock(mutex_);
          seen_ = request;
        }
        peer.answer(request.starts_with("HEAD") ? "" : body, status);
      }
    };
  }
  Destination to(const std::string& section, const std::string& url) {
    return {section, url, "", Secret::in_file(folder_.write("secret", "hunter2"))};
  }
  static CheckResult run(const Check& check) {
    return run_checks({check}, std::chrono::minutes(1)).front();
  }
  std::string seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  support::TempDir folder_;
  std::mutex mutex_;
  std::string seen_;
};

TEST_F(DestinationChecksTest, WhatIsNotConfiguredIsOff) {
  for (const auto& check : {key_set_check({}), postgres_check({}), seq_check({}),
                            blockchain_check({}), identity_check({})}) {
    EXPECT_EQ(run(check).state, State::off) << check.name;
  }
}

TEST_F(DestinationChecksTest, SeqGetsAnEmptyBatch) {
  const ScriptedServer seq(answering("201 Created", R"({"MinimumLevelAccepted": "Warning"})"));
  const CheckResult result = run(seq_check(to("seq", seq.url() + "/prefix")));
  EXPECT_EQ(result.state, State::good) << result.text;
  EXPECT_THAT(result.text, HasSubstr("Warning"));
  EXPECT_THAT(seen(), AllOf(StartsWith("POST /prefix/ingest/clef HTTP/1.1\r\n"),
                            HasSubstr("X-Seq-ApiKey: hunter2\r\n"),
                            HasSubstr("Content-Length: 0\r\n"), testing::EndsWith("\r\n\r\n")));
}

TEST_F(DestinationChecksTest, SaysWhatSeqRefuses) {
  const ScriptedServer seq(answering("401 Unauthorized"));
  const CheckResult result = run(seq_check(to("seq", seq.url())));
  EXPECT_EQ(result.state, State::failed);
  EXPECT_EQ(result.text, "cannot use Seq '" + seq.url() + "': it answered 401");
  EXPECT_THAT(result.hint, HasSubstr("api_key_file"));
  EXPECT_THAT(result.text + result.hint, Not(HasSubstr("hunter2")));
  const ScriptedServer other(answering("404 Not Found"));
  EXPECT_THAT(run(seq_check(to("seq", other.url()))).hint, HasSubstr("[seq] url"));
}

TEST_F(DestinationChecksTest, ABlockchainGetsNoRecord) {
  const ScriptedServer service(answering("404 Not Found"));
  const CheckResult result =
      run(blockchain_check(to("blockchain", service.url() + "/api/records?chain=1")));
  EXPECT_EQ(result.state, State::good) << result.text;
  EXPECT_THAT(seen(), AllOf(StartsWith("HEAD /api/records?chain=1 HTTP/1.1\r\n"),
                            HasSubstr("Authorization: Bearer hunter2\r\n")));
  const ScriptedServer refusing(answering("403 Forbidden"));
  EXPECT_EQ(run(blockchain_check(to("blockchain", refusing.url()))).state, State::failed);
  const ScriptedServer failing(answering("503 Service Unavailable"));
  EXPECT_EQ(run(blockchain_check(to("blockchain", failing.url()))).state, State::failed);
}

TEST_F(DestinationChecksTest, AnIdentityServiceIsAskedForNobody) {
  const ScriptedServer service(answering("404 Not Found"));
  EXPECT_EQ(run(identity_check(to("identity", service.url()))).state, State::good);
  EXPECT_THAT(seen(), StartsWith("GET /api/users/00000000-"));
  const ScriptedServer refusing(answering("401 Unauthorized"));
  const CheckResult result = run(identity_check(to("identity", refusing.url())));
  EXPECT_EQ(result.state, State::failed);
  EXPECT_THAT(result.text, AllOf(HasSubstr(refusing.url()), HasSubstr("401")));
  EXPECT_THAT(result.hint, HasSubstr("token_file"));
}

TEST_F(DestinationChecksTest, AKeySetMustHoldKeys) {
  identity::AuthOptions auth;
  const ScriptedServer empty(answering("200 OK", R"({"keys": []})"));
  auth.jwks_url = empty.url() + "/jwks";
  EXPECT_EQ(run(key_set_check(auth)).state, State::failed);
  const ScriptedServer good(answering("200 OK", R"({"keys": [{"kty": "OKP", "crv": "Ed25519",
      "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})"));
  auth.jwks_url = good.url() + "/jwks";
  const CheckResult result = run(key_set_check(auth));
  EXPECT_EQ(result.state, State::good) << result.text;
  EXPECT_EQ(result.text, "1 key");
}

TEST_F(DestinationChecksTest, SaysWhatIsWrongWithACertificate) {
  const std::string certificate = folder_.path() / "certificate.pem";
  const std::string key = folder_.path() / "key.pem";
  support::make_certificate({"elsewhere.example"}, {certificate, key});
  const ScriptedServer server(certificate, key, answering("201 Created"));
  for (const auto& make : {seq_check, blockchain_check, identity_check}) {
    Destination destination = to("any", server.url());
    CheckResult result = run(make(destination));
    EXPECT_EQ(result.state, State::failed);
    EXPECT_THAT(result.text, AllOf(HasSubstr(server.url()), HasSubstr("not trusted")));
    EXPECT_THAT(result.hint, HasSubstr("ca_file"));
    destination.ca_file = certificate;
    result = run(make(destination));
    EXPECT_THAT(result.text, AllOf(HasSubstr(server.url()), HasSubstr("elsewhere.example")));
  }
}

TEST_F(DestinationChecksTest, APostgresThatIsAwayIsNamedWithoutItsPassword) {
  sinks::PostgresOptions options;
  options.url = "postgresql://me:hunter2@127.0.0.1:1/db";
  const CheckResult result = run(postgres_check(options));
  EXPECT_EQ(result.state, State::failed);
  EXPECT_THAT(result.text, AllOf(HasSubstr("me@127.0.0.1:1/db"), Not(HasSubstr("hunter2"))));
}

class ConfigCheckTest : public testing::Test {
 protected:
  int check(const std::string& toml) {
    const std::string file = folder_.write("resmgr.toml", toml);
    const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
    const std::filesystem::path services = folder_.path() / "services.d";
    std::filesystem::create_directories(services);
    const Config::Overrides flags = {{"agent.services_dirs", services}};
    testing::internal::CaptureStdout();
    const int code =
        check_config([&] { return Config::load(agent_keys(), file, true, nothing, flags); }, file,
                     ConfigOutput::json);
    printed_ = Json::parse(testing::internal::GetCapturedStdout());
    return code;
  }
  support::TempDir folder_;
  Json printed_;
};

TEST_F(ConfigCheckTest, AnEmptyFileIsGood) {
  EXPECT_EQ(check(""), 0);
  EXPECT_EQ(printed_[0]["state"], "ok");
  EXPECT_EQ(printed_[1]["name"], "catalog");
  for (std::size_t i = 2; i < printed_.size(); ++i) EXPECT_EQ(printed_[i]["state"], "off");
}

TEST_F(ConfigCheckTest, OneFaultIsEnoughToFail) {
  const std::string secret = folder_.write("token", "hunter2");
  EXPECT_EQ(check("[identity]\nurl = \"http://127.0.0.1:1\"\ntoken_file = \"" + secret + "\"\n"),
            1);
  EXPECT_THAT(dump_json(printed_),
              AllOf(HasSubstr("connection refused"), Not(HasSubstr("hunter2"))));
}

TEST_F(ConfigCheckTest, SettingsThatCannotBeReadAreAFaultToo) {
  EXPECT_EQ(check("[identity]\nurl = \"http://127.0.0.1:1\"\ntoken_file = \"/nowhere\"\n"), 1);
  EXPECT_EQ(printed_[0]["state"], "failed");
  EXPECT_THAT(printed_[0]["text"].get<std::string>(), HasSubstr("/nowhere"));
  EXPECT_EQ(check("[identity]\ntokn_file = \"/nowhere\"\n"), 1);
  EXPECT_THAT(printed_[0]["text"].get<std::string>(), HasSubstr("token_file"));
}

}  // namespace
}  // namespace resmgr
