#include "tests/unit/identity/signer.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>
#include <vector>

#include "common/crypto.h"

namespace resmgr::identity {
namespace {

constexpr int kCoordinateBytes = 32;

void need(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("the test's signer failed at ") + what);
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

template <typename Write>
std::string pem_of(const Write& write) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), BIO_free_all);
  need(write(bio.get()) == 1, "PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Signer Signer::secret(std::string bytes) {
  Signer signer(nullptr);
  signer.secret_ = std::move(bytes);
  return signer;
}

Signer Signer::rsa(int bits, unsigned exponent) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> e(BN_new(), BN_free);
  BN_set_word(e.get(), exponent);
  EVP_PKEY* key = nullptr;
  need(EVP_PKEY_keygen_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits) == 1 &&
           EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e.get()) == 1 &&
           EVP_PKEY_generate(context.get(), &key) == 1,
       "RSA key");
  return Signer({key, EVP_PKEY_free});
}

Signer Signer::ec(const char* curve) {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve);
  need(key != nullptr, "EC key");
  return Signer({key, EVP_PKEY_free});
}

Signer Signer::ed25519() {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  need(key != nullptr, "Ed25519 key");
  return Signer({key, EVP_PKEY_free});
}

std::string Signer::token(std::string_view algorithm, const Json& header,
                          std::string_view payload) const {
  return token_of(algorithm, header.dump(), payload);
}

std::string Signer::token_of(std::string_view algorithm, std::string_view header_bytes,
                             std::string_view payload) const {
  const std::string input = base64url_encode(header_bytes) + "." + base64url_encode(payload);
  return input + "." + base64url_encode(sign(algorithm, input));
}

std::string Signer::sign(std::string_view algorithm, std::string_view data) const {
  if (algorithm == "HS256") return hmac_sha256(secret_, data);
  if (algorithm == "ES256") {
    const std::string der = sign_der(data);
    const unsigned char* at = bytes_of(der);
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
    need(pair != nullptr, "ECDSA signature");
    std::string raw(2 * kCoordinateBytes, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, kCoordinateBytes);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + kCoordinateBytes, kCoordinateBytes);
    return raw;
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_PKEY_CTX* settings = nullptr;
  const char* digest = algorithm == "EdDSA" || algorithm == "Ed25519" ? nullptr
                       : algorithm == "RS512"                         ? "SHA512"
                                                                      : "SHA256";
  need(EVP_DigestSignInit_ex(context.get(), &settings, digest, nullptr, nullptr, key_.get(),
                             nullptr) == 1,
       "signing");
  if (algorithm == "PS256") {
    need(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1,
         "PSS");
  }
  std::size_t size = 0;
  need(EVP_DigestSign(context.get(), nullptr, &size, bytes_of(data), data.size()) == 1, "signing");
  std::string signature(size, '\0');
  need(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                      bytes_of(data), data.size()) == 1,
       "signing");
  signature.resize(size);
  return signature;
}

std::string Signer::sign_der(std::string_view data) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  std::size_t size = 0;
  need(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(),
                             nullptr) == 1 &&
           EVP_DigestSign(context.get(), nullptr, &size, bytes_of(data), data.size()) == 1,
       "signing");
  std::string signature(size, '\0');
  need(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                      bytes_of(data), data.size()) == 1,
       "signing");
  signature.resize(size);
  return signature;
}

std::string Signer::public_pem() const {
  return pem_of([&](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key_.get()); });
}

std::string Signer::private_pem() const {
  return pem_of([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string Signer::number(const char* name, int width) const {
  BIGNUM* value = nullptr;
  need(EVP_PKEY_get_bn_param(key_.get(), name, &value) == 1, name);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> owned(value, BN_free);
  std::string bytes(static_cast<std::size_t>(width > 0 ? width : BN_num_bytes(value)), '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  return base64url_encode(bytes);
}

Json Signer::jwk(std::string_view kid) const {
  Json jwk;
  if (!key_) {
    jwk = {{"kty", "oct"}, {"k", base64url_encode(secret_)}};
  } else if (EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
    jwk = {
        {"kty", "RSA"}, {"n", number(OSSL_PKEY_PARAM_RSA_N)}, {"e", number(OSSL_PKEY_PARAM_RSA_E)}};
  } else if (EVP_PKEY_is_a(key_.get(), "EC") == 1) {
    const int width = (EVP_PKEY_get_bits(key_.get()) + 7) / 8;
    jwk = {{"kty", "EC"},
           {"crv", "P-" + std::to_string(EVP_PKEY_get_bits(key_.get()))},
           {"x", number(OSSL_PKEY_PARAM_EC_PUB_X, width)},
           {"y", number(OSSL_PKEY_PARAM_EC_PUB_Y, width)}};
  } else {
    std::string point(32, '\0');
    std::size_t size = point.size();
    need(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(point.data()),
                                     &size) == 1,
         "Ed25519 point");
    jwk = {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", base64url_encode(point)}};
  }
  if (!kid.empty()) jwk["kid"] = kid;
  return jwk;
}

std::string jwks(std::initializer_list<Json> keys) {
  Json set = Json::object();
  set["keys"] = Json(std::vector<Json>(keys));
  return set.dump();
}

const Signer& rsa() {
  static const Signer signer = Signer::rsa();
  return signer;
}

const Signer& ec() {
  static const Signer signer = Signer::ec();
  return signer;
}

const Signer& ed25519() {
  static const Signer signer = Signer::ed25519();
  return signer;
}

}  // namespace resmgr::identity
