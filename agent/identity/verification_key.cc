#include "agent/identity/verification_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <utility>

#include "agent/identity/roca.h"
#include "common/crypto.h"
#include "common/error.h"

namespace resmgr::identity {
namespace {

constexpr std::size_t kCoordinateBytes = 32;
constexpr std::size_t kEd25519Bytes = 32;
constexpr int kSha256Bytes = 32;
// FIPS 186-5, section 5.4: odd, above 2^16. OpenSSL takes up to 64 bits for large moduli.
constexpr int kMinExponentBits = 17;
constexpr int kMaxExponentBits = 64;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

using Bio = Owned<BIO, BIO_free_all>;
using BigNumber = Owned<BIGNUM, BN_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using EcdsaSignature = Owned<ECDSA_SIG, ECDSA_SIG_free>;
using ParamBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;

// OpenSSL's error queue is per thread and would otherwise keep what a refused token left in it.
struct ErrorQueueGuard {
  ErrorQueueGuard() = default;
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
  ~ErrorQueueGuard() { ERR_clear_error(); }
};

[[noreturn]] void refuse_key(std::string why, std::string hint = {}) {
  throw Error(ErrorKind::config, std::move(why), std::move(hint));
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::shared_ptr<EVP_PKEY> own(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

BigNumber number_from(std::string_view big_endian) {
  return BigNumber(BN_bin2bn(bytes_of(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

BigNumber number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
    refuse_key("the RSA key has no " + std::string(name));
  return BigNumber(number);
}

std::string bytes_of(const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  return bytes;
}

std::shared_ptr<EVP_PKEY> key_from(const char* type, const OSSL_PARAM* params) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                        const_cast<OSSL_PARAM*>(params)) != 1) {
    return nullptr;
  }
  return own(key);
}

void check_rsa(const EVP_PKEY* key) {
  const BigNumber modulus = number_of(key, OSSL_PKEY_PARAM_RSA_N);
  const int bits = BN_num_bits(modulus.get());
  if (bits < VerificationKey::kMinRsaBits || bits > VerificationKey::kMaxRsaBits) {
    refuse_key("the RSA key has " + std::to_string(bits) + " bits, taken are " +
               std::to_string(VerificationKey::kMinRsaBits) + " to " +
               std::to_string(VerificationKey::kMaxRsaBits));
  }
  const BigNumber exponent = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  const int exponent_bits = BN_num_bits(exponent.get());
  if (BN_is_odd(exponent.get()) == 0 || exponent_bits < kMinExponentBits ||
      exponent_bits > kMaxExponentBits) {
    refuse_key("the RSA key's public exponent is not an odd number between 2^16 and 2^64");
  }
  if (BN_is_odd(modulus.get()) == 0) refuse_key("the RSA key's modulus is even");
  if (has_roca_fingerprint(bytes_of(modulus.get()))) {
    refuse_key("the RSA key was made by a faulty generator and can be broken (CVE-2017-15361)",
               "make a new key pair");
  }
}

void check_point(EVP_PKEY* key) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1) {
    refuse_key("the EC key is no point on the curve P-256");
  }
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) != 1) return false;
  const std::string_view group(name.data(), length);
  return group == "prime256v1" || group == "P-256";
}

// The DER form that OpenSSL wants of r || s.
std::string der_from_raw(std::string_view signature) {
  const EcdsaSignature pair(ECDSA_SIG_new());
  BigNumber r = number_from(signature.substr(0, kCoordinateBytes));
  BigNumber s = number_from(signature.substr(kCoordinateBytes));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  // The pair owns them from here on.
  (void)r.release();
  (void)s.release();
  const int length = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (length <= 0) return {};
  std::string der(static_cast<std::size_t>(length), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

bool set_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, "SHA256", nullptr) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, kSha256Bytes) == 1;
}

bool verify_public(EVP_PKEY* key, Algorithm algorithm, std::string_view data,
                   std::string_view signature) {
  const DigestContext context(EVP_MD_CTX_new());
  const char* digest = algorithm == Algorithm::eddsa ? nullptr : "SHA256";
  EVP_PKEY_CTX* settings = nullptr;  // owned by `context`
  if (!context || EVP_DigestVerifyInit_ex(context.get(), &settings, digest, nullptr, nullptr, key,
                                          nullptr) != 1) {
    return false;
  }
  if (algorithm == Algorithm::ps256 && !set_pss(settings)) return false;
  return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(data),
                          data.size()) == 1;
}

// A PEM that is encrypted must not make OpenSSL ask for a passphrase on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*context*/) { return -1; }

}  // namespace

std::optional<Algorithm> algorithm_from(std::string_view name) {
  if (name == "HS256") return Algorithm::hs256;
  if (name == "RS256") return Algorithm::rs256;
  if (name == "PS256") return Algorithm::ps256;
  if (name == "ES256") return Algorithm::es256;
  if (name == "EdDSA" || name == "Ed25519") return Algorithm::eddsa;
  return std::nullopt;
}

VerificationKey VerificationKey::from_secret(std::string secret) {
  if (secret.find("-----BEGIN ") != std::string::npos) {
    refuse_key("it holds a PEM, and a shared key must be a secret of its own",
               "give a public key as [auth] public_key_file");
  }
  if (secret.size() < kMinSecretBytes) {
    refuse_key("the shared key has " + std::to_string(secret.size()) + " bytes, at least " +
               std::to_string(kMinSecretBytes) + " are needed (RFC 7518, section 3.2)");
  }
  VerificationKey key(Type::secret, nullptr);
  key.secret_ = std::move(secret);
  return key;
}

VerificationKey VerificationKey::from_pem(const std::string& pem) {
  const ErrorQueueGuard guard;
  if (pem.find("PRIVATE KEY-----") != std::string::npos) {
    refuse_key("it holds a private key, and the agent needs the public one only",
               "openssl pkey -pubout, and keep the private key where tokens are made");
  }
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::shared_ptr<EVP_PKEY> key =
      own(bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!key) refuse_key("it holds no PEM of a public key (-----BEGIN PUBLIC KEY-----)");
  return checked(std::move(key));
}

VerificationKey VerificationKey::checked(std::shared_ptr<evp_pkey_st> key) {
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) {
    check_rsa(key.get());
    return {Type::rsa, std::move(key)};
  }
  if (EVP_PKEY_is_a(key.get(), "EC") == 1 && is_p256(key.get())) {
    check_point(key.get());
    return {Type::p256, std::move(key)};
  }
  if (EVP_PKEY_is_a(key.get(), "ED25519") == 1) return {Type::ed25519, std::move(key)};
  refuse_key("its type is not taken; taken are RSA, EC on P-256, and Ed25519");
}

VerificationKey VerificationKey::from_rsa(std::string_view modulus, std::string_view exponent) {
  const ErrorQueueGuard guard;
  const BigNumber n = number_from(modulus);
  const BigNumber e = number_from(exponent);
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    refuse_key("the RSA key can't be read");
  }
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  std::shared_ptr<EVP_PKEY> key = key_from("RSA", params.get());
  if (!key) refuse_key("the RSA key can't be read");
  return checked(std::move(key));
}

VerificationKey VerificationKey::from_p256(std::string_view x, std::string_view y) {
  const ErrorQueueGuard guard;
  if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) {
    refuse_key("the EC key's coordinates must have 32 bytes each");
  }
  // SEC 1, section 2.3.3: an uncompressed point.
  std::string point = "\x04";
  point.append(x).append(y);
  std::string group = "P-256";
  const std::array<OSSL_PARAM, 3> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  std::shared_ptr<EVP_PKEY> key = key_from("EC", params.data());
  if (!key) refuse_key("the EC key is no point on the curve P-256");
  return checked(std::move(key));
}

VerificationKey VerificationKey::from_ed25519(std::string_view point) {
  const ErrorQueueGuard guard;
  if (point.size() != kEd25519Bytes) refuse_key("the Ed25519 key must have 32 bytes");
  std::shared_ptr<EVP_PKEY> key = own(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes_of(point), point.size()));
  if (!key) refuse_key("the Ed25519 key can't be read");
  return checked(std::move(key));
}

bool VerificationKey::fits(Algorithm algorithm) const {
  if (only_ && *only_ != algorithm) return false;
  switch (type_) {
    case Type::secret:
      return algorithm == Algorithm::hs256;
    case Type::rsa:
      return algorithm == Algorithm::rs256 || algorithm == Algorithm::ps256;
    case Type::p256:
      return algorithm == Algorithm::es256;
    case Type::ed25519:
      return algorithm == Algorithm::eddsa;
  }
  return false;
}

bool VerificationKey::verify(Algorithm algorithm, std::string_view data,
                             std::string_view signature) const {
  if (!fits(algorithm)) return false;
  if (type_ == Type::secret) return equal_in_constant_time(hmac_sha256(secret_, data), signature);
  const ErrorQueueGuard guard;
  if (type_ != Type::p256) return verify_public(key_.get(), algorithm, data, signature);
  if (signature.size() != 2 * kCoordinateBytes) return false;
  const std::string der = der_from_raw(signature);
  return !der.empty() && verify_public(key_.get(), algorithm, data, der);
}

}  // namespace resmgr::identity
