// Fetches a key set from a real server, by the client that the agent uses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>

#include "agent/identity/authenticator.h"
#include "common/error.h"
#include "tests/support/certificates.h"
#include "tests/unit/common/scripted_server.h"
#include "tests/unit/identity/authenticator_fixture.h"

namespace resmgr::identity {
namespace {

using testing::StartsWith;

class RemoteKeySetHttpTest : public AuthenticatorTest {
 protected:
  // Serves the key set to whoever asks for /realm/keys.
  void serve(Peer& peer) {
    for (std::string request = peer.read_request(); !request.empty();
         request = peer.read_request()) {
      const bool known = request.starts_with("GET /realm/keys?v=1 HTTP/1.1\r\n");
      peer.answer(known ? jwks({signer_.jwk("key")}) : "", known ? "200 OK" : "404 Not Found");
    }
  }
  std::string say_of(const std::string& url, const std::string& ca_file = "") {
    AuthOptions options;
    options.jwks_url = url;
    options.jwks_ca_file = ca_file;
    Authenticator authenticator(options, clock_, kAgentId);
    return say(authenticator, es256(signer_, "key"));
  }

  const Signer signer_ = Signer::ec();
};

TEST_F(RemoteKeySetHttpTest, IsFetchedFromItsPath) {
  ScriptedServer server([this](Peer& peer, int) { serve(peer); });
  EXPECT_EQ(say_of(server.url() + "/realm/keys?v=1"), kUser);
  EXPECT_THAT(say_of(server.url() + "/elsewhere"), StartsWith("unavailable"));
}

TEST_F(RemoteKeySetHttpTest, TlsIsVerified) {
  const std::string certificate = folder_.write("certificate.pem", "");
  const std::string key = folder_.write("key.pem", "");
  support::make_certificate({"127.0.0.1"}, {certificate, key});
  ScriptedServer server(certificate, key, [this](Peer& peer, int) { serve(peer); });
  ASSERT_THAT(server.url(), StartsWith("https://"));
  EXPECT_THAT(say_of(server.url() + "/realm/keys?v=1"), StartsWith("unavailable"));
  EXPECT_EQ(say_of(server.url() + "/realm/keys?v=1", certificate), kUser);
}

TEST_F(RemoteKeySetHttpTest, RedirectsAreNotFollowed) {
  ScriptedServer other([this](Peer& peer, int) { serve(peer); });
  ScriptedServer server([&](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 302 Found\r\nLocation: " + other.url() +
               "/realm/keys?v=1\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_close();
  });
  EXPECT_THAT(say_of(server.url() + "/realm/keys?v=1"), StartsWith("unavailable"));
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(RemoteKeySetHttpTest, AServerThatEndsEarlyOrSendsTooMuchIsAsGoodAsAway) {
  ScriptedServer cut([this](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + jwks({signer_.jwk("key")}));
  });
  EXPECT_THAT(say_of(cut.url() + "/"), StartsWith("unavailable"));
  ScriptedServer endless([](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    // More than the limit and what the sockets hold; the client has left long before.
    for (int i = 0; i < 64; ++i) peer.write(std::string(1 << 20, ' '));
  });
  EXPECT_THAT(say_of(endless.url() + "/"), StartsWith("unavailable"));
}

}  // namespace
}  // namespace resmgr::identity
