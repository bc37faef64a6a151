// Turns what a request shows into a Principal, or refuses it with a reason.
#ifndef RESMGR_AGENT_IDENTITY_AUTHENTICATOR_H_
#define RESMGR_AGENT_IDENTITY_AUTHENTICATOR_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/identity/principal.h"
#include "common/clock.h"
#include "common/http.h"

namespace resmgr::identity {

struct AuthOptions {
  std::string hmac_key_file;
  std::string public_key_file;  // PEM, SubjectPublicKeyInfo
  std::string jwks_file;
  std::string jwks_url;
  std::string jwks_ca_file;
  std::string issuer;    // empty: not checked
  std::string audience;  // empty: not checked
  std::string admin_role = "admin";
  std::vector<std::string> user_claims = {
      "sub", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"};
  std::vector<std::string> role_claims = {
      "role", "roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"};
  Millis leeway{30'000};
  bool map_subject = false;
};

// Thread-safe.
class Authenticator {
 public:
  // Reads the key files: throws Error(config) naming the file. A JWKS URL is not fetched here.
  // `agent_id` is a UUID. `jwks_client` is for tests; without one, it is made from the URL.
  Authenticator(AuthOptions options, const Clock& clock, std::string agent_id,
                std::unique_ptr<HttpClient> jwks_client = nullptr);
  ~Authenticator();

  // The value of the Authorization header. Throws Error(unauthenticated) whose message says why
  // (for WWW-Authenticate: no token, expired, wrong audience, …; never the token), or
  // Error(unavailable) when the key set can't be fetched and the key id is not known. The problem
  // is "token-missing" if there is no token at all, and "auth-not-configured" if there is no key
  // with which to check one.
  //
  // Never blocks unless `may_fetch`: where a fetch of the key set is needed first, returns empty,
  // and the caller asks again from a thread that may block.
  std::optional<Principal> authenticate(std::string_view authorization, bool may_fetch);

  // A bare token, as a WebSocket offers it.
  std::optional<Principal> authenticate_token(std::string_view token, bool may_fetch);

  // Who is at the other end of the unix socket.
  Principal socket_peer(uid_t uid) const;

  // Whether any key is configured at all.
  bool configured() const;

  // Takes these options from now on, reads their key files and empties the caches; on an error all
  // stays as it was, and it throws. What was fetched from a JWKS URL serves on until it was fetched
  // again, if the URL is the same.
  void reload(AuthOptions options);

 private:
  struct Setup;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_AUTHENTICATOR_H_
