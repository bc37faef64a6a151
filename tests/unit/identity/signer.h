// What an issuer has and the agent has not: private keys. Tests make their keys on the spot.
#ifndef RESMGR_TESTS_UNIT_IDENTITY_SIGNER_H_
#define RESMGR_TESTS_UNIT_IDENTITY_SIGNER_H_

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/json.h"

struct evp_pkey_st;

namespace resmgr::identity {

class Signer {
 public:
  static Signer secret(std::string bytes);
  static Signer rsa(int bits = 2048, unsigned exponent = 65537);
  static Signer ec(const char* curve = "P-256");
  static Signer ed25519();

  // header.payload.signature; the algorithm that signs is `algorithm`, whatever the header says.
  std::string token(std::string_view algorithm, const Json& header, std::string_view payload) const;
  // As token(), of a header's bytes as they are.
  std::string token_of(std::string_view algorithm, std::string_view header_bytes,
                       std::string_view payload) const;

  // The raw signature as JWS has it (r || s for ES256), and as OpenSSL has it (DER).
  std::string sign(std::string_view algorithm, std::string_view data) const;
  std::string sign_der(std::string_view data) const;

  std::string public_pem() const;
  std::string private_pem() const;
  // The public JWK, without `alg` or `use`; with a `kid` unless that is empty.
  Json jwk(std::string_view kid = "") const;

 private:
  explicit Signer(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::string number(const char* name, int width = 0) const;

  std::string secret_;
  std::shared_ptr<evp_pkey_st> key_;
};

// One of each kind that is made once, as making an RSA key takes long.
const Signer& rsa();
const Signer& ec();
const Signer& ed25519();

// {"keys": […]}
std::string jwks(std::initializer_list<Json> keys);

}  // namespace resmgr::identity

#endif  // RESMGR_TESTS_UNIT_IDENTITY_SIGNER_H_
