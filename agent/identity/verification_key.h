// Keys that verify signatures (RFC 7518, RFC 8037). The key decides which algorithms may be used
// with it; a token's header only names one of those. OpenSSL stays behind this wall.
#ifndef RESMGR_AGENT_IDENTITY_VERIFICATION_KEY_H_
#define RESMGR_AGENT_IDENTITY_VERIFICATION_KEY_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace resmgr::identity {

enum class Algorithm { hs256, rs256, ps256, es256, eddsa };

// Exact names of RFC 7518 and RFC 8037; "Ed25519" (RFC 9864) is EdDSA with that curve. Empty for
// all others, "none" in whatever spelling among them.
std::optional<Algorithm> algorithm_from(std::string_view name);

// Immutable but for restrict_to(); copies share the key; verify() is thread-safe.
class VerificationKey {
 public:
  static constexpr std::size_t kMinSecretBytes = 32;
  static constexpr int kMinRsaBits = 2048;
  static constexpr int kMaxRsaBits = 8192;

  // The factories throw Error(config) saying why the key is not taken, without its bytes.

  // HS256.
  static VerificationKey from_secret(std::string secret);
  // PEM, SubjectPublicKeyInfo (RFC 7468, section 13): RSA, P-256 or Ed25519.
  static VerificationKey from_pem(const std::string& pem);
  // Big-endian modulus and public exponent: RS256 and PS256.
  static VerificationKey from_rsa(std::string_view modulus, std::string_view exponent);
  // Affine coordinates of 32 bytes each: ES256.
  static VerificationKey from_p256(std::string_view x, std::string_view y);
  // A point of 32 bytes (RFC 8032): EdDSA.
  static VerificationKey from_ed25519(std::string_view point);

  // Whether the key's type, and the one algorithm it may be restricted to, allow this.
  bool fits(Algorithm algorithm) const;
  void restrict_to(Algorithm algorithm) { only_ = algorithm; }
  // A shared secret, with which one can sign too.
  bool symmetric() const { return type_ == Type::secret; }

  // False for a signature that is wrong in whatever way, and for an algorithm that does not fit.
  // ES256 takes r || s of 64 bytes only, never DER (RFC 7518, section 3.4).
  bool verify(Algorithm algorithm, std::string_view data, std::string_view signature) const;

 private:
  enum class Type { secret, rsa, p256, ed25519 };
  VerificationKey(Type type, std::shared_ptr<evp_pkey_st> key)
      : type_(type), key_(std::move(key)) {}
  static VerificationKey checked(std::shared_ptr<evp_pkey_st> key);

  Type type_;
  std::string secret_;
  std::shared_ptr<evp_pkey_st> key_;
  std::optional<Algorithm> only_;
};

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_VERIFICATION_KEY_H_
