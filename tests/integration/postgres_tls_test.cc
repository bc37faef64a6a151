// What is said where PostgreSQL's certificate is not as it should be, by a server that speaks TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "agent/sinks/postgres_sink.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

namespace resmgr::sinks {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Nobody listens on it at the moment.
std::string free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool found = bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  close(fd);
  if (!found) throw std::runtime_error("no free port");
  return std::to_string(ntohs(address.sin_port));
}

class PostgresTlsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<support::TempDir>();
    // The server must get at its files.
    std::filesystem::permissions(folder_->path(), std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
    authority_ = std::make_unique<support::Authority>(folder_->path() / "authority.pem");
    issue("localhost");
    port_ = free_port();
    server_ = std::make_unique<support::PostgresServer>(
        std::vector<std::string>{"listen_addresses=127.0.0.1", "port=" + port_, "ssl=on",
                                 "ssl_cert_file=" + (folder_->path() / "server.pem").string(),
                                 "ssl_key_file=" + (folder_->path() / "server.key").string()});
  }
  static void TearDownTestSuite() {
    server_.reset();
    authority_.reset();
    folder_.reset();
  }

  static void issue(const std::string& name,
                    std::chrono::seconds valid_for = std::chrono::hours(1)) {
    const support::CertificateFiles files{folder_->path() / "server.pem",
                                          folder_->path() / "server.key"};
    std::filesystem::remove(files.certificate);
    std::filesystem::remove(files.key);
    authority_->issue({name, valid_for}, files);
    support::PostgresServer::give(files.certificate);
    support::PostgresServer::give(files.key);
    if (server_) server_->query("SELECT pg_reload_conf()");
  }

  static Outcome check(const std::string& ca_file, const std::string& more = "") {
    PostgresOptions options;
    options.url = "postgresql://postgres@localhost:" + port_ + "/postgres" + more;
    options.ca_file = ca_file;
    options.agent_id = "77777777-7777-4777-8777-777777777777";
    return PostgresSink(options).check();
  }
  // The server takes a new certificate when it gets round to it.
  static Outcome eventual_failure(const std::string& words) {
    Outcome outcome;
    support::eventually([&] {
      outcome = check(authority_->file());
      return outcome.reason.find(words) != std::string::npos;
    });
    return outcome;
  }

  inline static std::unique_ptr<support::TempDir> folder_;
  inline static std::unique_ptr<support::Authority> authority_;
  inline static std::unique_ptr<support::PostgresServer> server_;
  inline static std::string port_;
};

TEST_F(PostgresTlsTest, TrustsTheGivenAuthority) {
  Outcome outcome;
  EXPECT_TRUE(support::eventually([&] {
    outcome = check(authority_->file(), "?sslmode=verify-full");
    return outcome.kind == Outcome::Kind::delivered;
  })) << outcome.reason;
  outcome = check(authority_->file());
  EXPECT_EQ(outcome.kind, Outcome::Kind::delivered) << outcome.reason;
}

TEST_F(PostgresTlsTest, LooksAtTheCertificateWhereAnAuthorityIsGiven) {
  const support::Authority stranger(folder_->path() / "stranger.pem");
  // libpq's default would look at nothing.
  const Outcome outcome = check(stranger.file());
  EXPECT_EQ(outcome.kind, Outcome::Kind::retry);
  EXPECT_THAT(outcome.reason, AllOf(HasSubstr("localhost"), HasSubstr("SSL error")));
  EXPECT_THAT(outcome.hint, HasSubstr("ca_file"));
  EXPECT_EQ(check(stranger.file(), "?sslmode=require").kind, Outcome::Kind::retry);
}

TEST_F(PostgresTlsTest, NamesAMissingAuthority) {
  const Outcome outcome = check("/nowhere/ca.pem");
  EXPECT_THAT(outcome.reason, HasSubstr("/nowhere/ca.pem"));
  EXPECT_THAT(outcome.hint, HasSubstr("ca_file"));
}

TEST_F(PostgresTlsTest, SaysThatTheCertificateIsForAnotherHost) {
  issue("elsewhere.example");
  const Outcome outcome = eventual_failure("does not match host name");
  EXPECT_THAT(outcome.reason, AllOf(HasSubstr("elsewhere.example"), HasSubstr("localhost"),
                                    HasSubstr("does not match host name")));
  EXPECT_THAT(outcome.hint, HasSubstr("[postgres] url"));
  issue("localhost");
}

TEST_F(PostgresTlsTest, SaysThatTheCertificateMayHaveExpired) {
  issue("localhost", std::chrono::seconds(-60));
  const Outcome outcome = eventual_failure("certificate verify failed");
  EXPECT_THAT(outcome.reason, HasSubstr("certificate verify failed"));
  EXPECT_THAT(outcome.hint, HasSubstr("expired"));
  issue("localhost");
}

}  // namespace
}  // namespace resmgr::sinks
