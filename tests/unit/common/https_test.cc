#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "common/error.h"
#include "common/guarded.h"
#include "common/http.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/common/http_testing.h"
#include "tests/unit/common/scripted_server.h"

namespace resmgr {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class HttpsTest : public testing::Test {
 protected:
  support::TempDir dir_;
  std::string certificate_ = dir_.path() / "certificate.pem";
  std::string key_ = dir_.path() / "key.pem";
};

TEST_F(HttpsTest, TrustsTheGivenAuthority) {
  support::make_certificate({"127.0.0.1"}, {certificate_, key_});
  const ScriptedServer server(certificate_, key_, echo);
  HttpEndpoint endpoint;
  endpoint.url = server.url();
  endpoint.ca_file = certificate_;
  const auto client = make_http_client(endpoint);
  EXPECT_EQ(client->send(get("/a")).body, "GET /a HTTP/1.1");
  EXPECT_EQ(client->send(post("/b")).body, "POST /b HTTP/1.1");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpsTest, SaysWhatIsWrongWithTheCertificate) {
  support::make_certificate({"elsewhere.example"}, {certificate_, key_});
  const ScriptedServer server(certificate_, key_, echo);
  HttpEndpoint endpoint;
  endpoint.url = server.url();
  Error error = failure_of(*make_http_client(endpoint), get("/"));
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_THAT(error.message(), AllOf(HasSubstr(server.url()), HasSubstr("not trusted: self"),
                                     HasSubstr("signed certificate")));
  EXPECT_THAT(error.hint(), HasSubstr("ca_file"));

  endpoint.ca_file = certificate_;
  error = failure_of(*make_http_client(endpoint), get("/"));
  EXPECT_THAT(error.message(), HasSubstr("the certificate is not for host '127.0.0.1', but for "
                                         "elsewhere.example"));
  EXPECT_THAT(error.hint(), HasSubstr("URL"));
}

TEST_F(HttpsTest, TrustsWhatTheGivenAuthoritySigned) {
  const support::Authority authority(dir_.path() / "authority.pem");
  const support::Authority stranger(dir_.path() / "stranger.pem");
  authority.issue({"127.0.0.1"}, {certificate_, key_});
  const ScriptedServer server(certificate_, key_, echo);
  HttpEndpoint endpoint;
  endpoint.url = server.url();
  endpoint.ca_file = authority.file();
  EXPECT_EQ(make_http_client(endpoint)->send(get("/a")).body, "GET /a HTTP/1.1");

  endpoint.ca_file = stranger.file();
  const Error error = failure_of(*make_http_client(endpoint), get("/"));
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr(server.url()), HasSubstr("not trusted: certificate")));
  EXPECT_THAT(error.hint(), HasSubstr(stranger.file()));

  endpoint.ca_file.clear();  // the system's, which know no such authority
  EXPECT_THAT(failure_of(*make_http_client(endpoint), get("/")).message(),
              HasSubstr("not trusted"));
}

TEST_F(HttpsTest, TakesAnotherAuthorityFromItsFileAtOnce) {
  const support::Authority authority(dir_.path() / "authority.pem");
  const support::Authority stranger(dir_.path() / "stranger.pem");
  authority.issue({"127.0.0.1"}, {certificate_, key_});
  const ScriptedServer server(certificate_, key_, echo);
  HttpEndpoint endpoint;
  endpoint.url = server.url();
  endpoint.ca_file = dir_.path() / "ca.pem";
  // As somebody replaces such a file.
  const auto trust = [&](const std::string& file) {
    std::filesystem::copy_file(file, dir_.path() / "ca.new");
    std::filesystem::rename(dir_.path() / "ca.new", endpoint.ca_file);
  };
  trust(authority.file());
  const auto client = make_http_client(endpoint);
  EXPECT_EQ(client->send(get("/a")).body, "GET /a HTTP/1.1");
  trust(stranger.file());
  EXPECT_THAT(failure_of(*client, get("/b")).message(), HasSubstr("not trusted"));
  trust(authority.file());
  EXPECT_EQ(client->send(get("/c")).body, "GET /c HTTP/1.1");
}

TEST_F(HttpsTest, SaysWhenTheCertificateExpired) {
  const support::Authority authority(dir_.path() / "authority.pem");
  authority.issue({"127.0.0.1", std::chrono::seconds(-60)}, {certificate_, key_});
  const ScriptedServer server(certificate_, key_, echo);
  HttpEndpoint endpoint;
  endpoint.url = server.url();
  endpoint.ca_file = authority.file();
  const Error error = failure_of(*make_http_client(endpoint), get("/"));
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr(server.url()), HasSubstr("the certificate expired at 20")));
  EXPECT_THAT(error.hint(), AllOf(HasSubstr("renew it"), HasSubstr("clock")));
}

TEST_F(HttpsTest, NeedsAReadableAuthority) {
  HttpEndpoint endpoint;
  endpoint.url = "https://127.0.0.1:1";
  endpoint.ca_file = dir_.path() / "missing.pem";
  try {
    make_http_client(endpoint);
    ADD_FAILURE() << "taken";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::config);
    EXPECT_THAT(e.message(), HasSubstr(endpoint.ca_file));
  }
  support::make_certificate({"127.0.0.1"}, {certificate_, key_});
  const ScriptedServer server(certificate_, key_, echo);
  endpoint.url = server.url();
  endpoint.ca_file = dir_.write("no.pem", "no certificate");
  EXPECT_THAT(failure_of(*make_http_client(endpoint), get("/")).message(), HasSubstr("no.pem"));
}

TEST_F(HttpsTest, DoesNotRepeatWhenTlsIsClosedBeforeTheAnswer) {
  support::make_certificate({"127.0.0.1"}, {certificate_, key_});
  Seen seen;
  const ScriptedServer server(certificate_, key_, [&](Peer& peer, int) {
    if (const std::string request = peer.read_request(); !request.empty()) seen.add(request);
  });
  HttpEndpoint endpoint;
  endpoint.url = server.url();
  endpoint.ca_file = certificate_;
  EXPECT_EQ(failure_of(*make_http_client(endpoint), post("/")).kind(), ErrorKind::unavailable);
  EXPECT_EQ(seen.all().size(), 1U);
}

TEST_F(HttpsTest, SaysWhyItCannotConnect) {
  HttpEndpoint endpoint;
  {
    const ScriptedServer gone(echo);
    endpoint.url = "https" + gone.url().substr(4);
  }
  try {
    make_http_client(endpoint)->send(post("/"));
    ADD_FAILURE() << "answered";
  } catch (const NotConnected& e) {
    EXPECT_EQ(e.message(), "cannot connect to '" + endpoint.url + "': connection refused");
  }
}

TEST_F(HttpsTest, StopsAStreamAtAnyMoment) {
  support::make_certificate({"127.0.0.1"}, {certificate_, key_});
  const ScriptedServer server(certificate_, key_, [&](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.wait_for_close();
  });
  HttpEndpoint endpoint;
  endpoint.url = server.url();
  endpoint.ca_file = certificate_;
  const auto client = make_http_client(endpoint);
  for (int i = 0; i < 40; ++i) {
    std::jthread reader([&](const std::stop_token& stop) {
      client->stream(
          {}, [](std::string_view) { return true; }, std::chrono::milliseconds{0}, stop);
    });
    if (i % 2 == 1) std::this_thread::sleep_for(std::chrono::microseconds(100 * i));
    reader.request_stop();
  }
  EXPECT_TRUE(support::eventually([&] { return server.open() == 0; }));
}

TEST_F(HttpsTest, FailsWhereNoTlsIsSpoken) {
  const ScriptedServer server([](Peer& peer, int) { peer.write("HTTP/1.1 400 Bad\r\n\r\n"); });
  HttpEndpoint endpoint;
  endpoint.url = "https" + server.url().substr(4);
  const Error error = failure_of(*make_http_client(endpoint), get("/"));
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_THAT(error.message(), HasSubstr("TLS"));
}

}  // namespace
}  // namespace resmgr
