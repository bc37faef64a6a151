#include "agent/identity/verification_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/identity/roca.h"
#include "common/crypto.h"
#include "common/error.h"
#include "tests/unit/identity/signer.h"

namespace resmgr::identity {
namespace {

constexpr char kData[] = "header.payload";

template <typename Make>
std::string cause_of(const Make& make) {
  try {
    make();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::config);
    return e.message();
  }
  return "no error";
}

std::string bytes(const Json& jwk, const char* member) {
  return base64url_decode(jwk[member].get<std::string>()).value();
}

TEST(Algorithm, NamesAreExact) {
  EXPECT_EQ(algorithm_from("HS256"), Algorithm::hs256);
  EXPECT_EQ(algorithm_from("RS256"), Algorithm::rs256);
  EXPECT_EQ(algorithm_from("PS256"), Algorithm::ps256);
  EXPECT_EQ(algorithm_from("ES256"), Algorithm::es256);
  EXPECT_EQ(algorithm_from("EdDSA"), Algorithm::eddsa);
  EXPECT_EQ(algorithm_from("Ed25519"), Algorithm::eddsa);
  for (const char* name : {"none", "None", "NONE", "nOnE", "", " ", "hs256", "HS384", "HS512",
                           "RS384", "ES384", "ES256K", "Ed448", "RSA1_5", "HS256 "}) {
    EXPECT_EQ(algorithm_from(name), std::nullopt) << name;
  }
}

TEST(VerificationKey, TakesSignaturesOfItsTypeOnly) {
  const std::string rs = rsa().sign("RS256", kData);
  const std::string ps = rsa().sign("PS256", kData);
  const VerificationKey rsa_key = VerificationKey::from_pem(rsa().public_pem());
  EXPECT_TRUE(rsa_key.verify(Algorithm::rs256, kData, rs));
  EXPECT_TRUE(rsa_key.verify(Algorithm::ps256, kData, ps));
  EXPECT_FALSE(rsa_key.verify(Algorithm::ps256, kData, rs));
  EXPECT_FALSE(rsa_key.verify(Algorithm::rs256, kData, ps));
  EXPECT_FALSE(rsa_key.verify(Algorithm::rs256, "header.other", rs));

  const VerificationKey ec_key = VerificationKey::from_pem(ec().public_pem());
  EXPECT_TRUE(ec_key.verify(Algorithm::es256, kData, ec().sign("ES256", kData)));
  EXPECT_FALSE(ec_key.verify(Algorithm::rs256, kData, rs));

  const VerificationKey ed_key = VerificationKey::from_pem(ed25519().public_pem());
  EXPECT_TRUE(ed_key.verify(Algorithm::eddsa, kData, ed25519().sign("EdDSA", kData)));
  EXPECT_FALSE(ed_key.verify(Algorithm::es256, kData, ec().sign("ES256", kData)));
}

TEST(VerificationKey, NoMacIsMadeWithAPublicKey) {
  for (const Signer* signer : {&rsa(), &ec(), &ed25519()}) {
    const std::string pem = signer->public_pem();
    const VerificationKey key = VerificationKey::from_pem(pem);
    EXPECT_FALSE(key.fits(Algorithm::hs256));
    EXPECT_FALSE(key.verify(Algorithm::hs256, kData, hmac_sha256(pem, kData)));
  }
}

TEST(VerificationKey, AnEmptySignatureIsNeverRight) {
  EXPECT_FALSE(VerificationKey::from_pem(rsa().public_pem()).verify(Algorithm::rs256, kData, ""));
  EXPECT_FALSE(VerificationKey::from_pem(ec().public_pem()).verify(Algorithm::es256, kData, ""));
  EXPECT_FALSE(
      VerificationKey::from_pem(ed25519().public_pem()).verify(Algorithm::eddsa, kData, ""));
  EXPECT_FALSE(
      VerificationKey::from_secret(std::string(32, 'k')).verify(Algorithm::hs256, kData, ""));
}

TEST(VerificationKey, EcdsaSignaturesAreRawAndNeverDer) {
  const VerificationKey key = VerificationKey::from_pem(ec().public_pem());
  const std::string raw = ec().sign("ES256", kData);
  ASSERT_EQ(raw.size(), 64U);
  EXPECT_FALSE(key.verify(Algorithm::es256, kData, ec().sign_der(kData)));
  EXPECT_FALSE(key.verify(Algorithm::es256, kData, raw.substr(0, 63)));
  EXPECT_FALSE(key.verify(Algorithm::es256, kData, raw + std::string(1, '\0')));
  EXPECT_FALSE(key.verify(Algorithm::es256, kData, std::string(64, '\0')));
  EXPECT_FALSE(key.verify(Algorithm::es256, kData, std::string(64, '\xff')));
}

TEST(VerificationKey, RestrictedToOneAlgorithmItTakesNoOther) {
  VerificationKey key = VerificationKey::from_pem(rsa().public_pem());
  key.restrict_to(Algorithm::ps256);
  EXPECT_TRUE(key.verify(Algorithm::ps256, kData, rsa().sign("PS256", kData)));
  EXPECT_FALSE(key.verify(Algorithm::rs256, kData, rsa().sign("RS256", kData)));
}

TEST(VerificationKey, ASecretHas32BytesAndIsNoPem) {
  EXPECT_THAT(cause_of([] { VerificationKey::from_secret(std::string(31, 'k')); }),
              testing::HasSubstr("has 31 bytes, at least 32"));
  EXPECT_THAT(cause_of([] { VerificationKey::from_secret(""); }), testing::HasSubstr("0 bytes"));
  EXPECT_THAT(cause_of([] { VerificationKey::from_secret(rsa().public_pem()); }),
              testing::HasSubstr("it holds a PEM"));
  const VerificationKey key = VerificationKey::from_secret(std::string(32, 'k'));
  EXPECT_TRUE(key.verify(Algorithm::hs256, kData,
                         Signer::secret(std::string(32, 'k')).sign("HS256", kData)));
  EXPECT_FALSE(key.verify(Algorithm::hs256, kData,
                          Signer::secret(std::string(32, 'l')).sign("HS256", kData)));
}

TEST(VerificationKey, APemThatIsNoPublicKeyOfATakenTypeIsRefused) {
  EXPECT_THAT(cause_of([] { VerificationKey::from_pem(rsa().private_pem()); }),
              testing::HasSubstr("private key"));
  EXPECT_THAT(cause_of([] { VerificationKey::from_pem(Signer::ec("P-384").public_pem()); }),
              testing::HasSubstr("taken are RSA, EC on P-256, and Ed25519"));
  EXPECT_THAT(cause_of([] { VerificationKey::from_pem(""); }), testing::HasSubstr("holds no PEM"));
  EXPECT_THAT(cause_of([] { VerificationKey::from_pem("-----BEGIN PUBLIC KEY-----\nMAA=\n"); }),
              testing::HasSubstr("holds no PEM"));
}

TEST(VerificationKey, RsaKeysAreLongAndTheirExponentsUsual) {
  EXPECT_THAT(cause_of([] { VerificationKey::from_pem(Signer::rsa(1024).public_pem()); }),
              testing::HasSubstr("1024 bits"));
  EXPECT_THAT(cause_of([] { VerificationKey::from_pem(Signer::rsa(2048, 3).public_pem()); }),
              testing::HasSubstr("exponent"));
  const std::string modulus = bytes(rsa().jwk(), "n");
  const std::string usual("\x01\x00\x01", 3);
  EXPECT_NO_THROW(VerificationKey::from_rsa(modulus, usual));
  for (const std::string& exponent :
       {std::string("\x01"), std::string("\x03"), std::string("\x01\x00\x02", 3), std::string(),
        std::string("\0", 1), std::string(9, '\xff')}) {
    EXPECT_NE(cause_of([&] { VerificationKey::from_rsa(modulus, exponent); }), "no error");
  }
  EXPECT_NE(cause_of([&] { VerificationKey::from_rsa("", usual); }), "no error");
  EXPECT_NE(cause_of([&] { VerificationKey::from_rsa(std::string(2048, '\xff'), usual); }),
            "no error");
  std::string even = modulus;
  even.back() = static_cast<char>(even.back() & ~1);
  EXPECT_NE(cause_of([&] { VerificationKey::from_rsa(even, usual); }), "no error");
}

TEST(VerificationKey, EcPointsAreOnTheCurve) {
  const Json jwk = ec().jwk();
  const std::string x = bytes(jwk, "x");
  const std::string y = bytes(jwk, "y");
  EXPECT_NO_THROW(VerificationKey::from_p256(x, y));
  EXPECT_NE(cause_of([&] { VerificationKey::from_p256(y, x); }), "no error");
  EXPECT_NE(
      cause_of([&] { VerificationKey::from_p256(std::string(32, '\0'), std::string(32, '\0')); }),
      "no error");
  EXPECT_NE(cause_of([&] { VerificationKey::from_p256(x, y.substr(1)); }), "no error");
  EXPECT_NE(cause_of([&] { VerificationKey::from_p256(std::string(1, '\0') + x, y); }), "no error");
}

TEST(VerificationKey, Ed25519PointsHave32Bytes) {
  EXPECT_NE(cause_of([] { VerificationKey::from_ed25519(std::string(31, 'x')); }), "no error");
  EXPECT_NE(cause_of([] { VerificationKey::from_ed25519(std::string(33, 'x')); }), "no error");
}

TEST(Roca, KnowsTheFaultyGeneratorsModuliFromSoundOnes) {
  // The residues of 65537^1 modulo every prime: the simplest number with the fingerprint.
  EXPECT_TRUE(has_roca_fingerprint(std::string("\x01\x00\x01", 3)));
  EXPECT_TRUE(has_roca_fingerprint(std::string("\x01\x00\x02\x00\x01", 5)));  // 65537 squared
  EXPECT_FALSE(has_roca_fingerprint(bytes(rsa().jwk(), "n")));
}

}  // namespace
}  // namespace resmgr::identity
