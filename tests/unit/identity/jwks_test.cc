#include "agent/identity/jwks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"
#include "tests/unit/identity/signer.h"

namespace resmgr::identity {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Signer secret() { return Signer::secret(std::string(32, 's')); }

KeySet parse(std::initializer_list<Json> keys) {
  return KeySet::parse(jwks(keys), SharedKeys::allow);
}

std::string cause_of(const std::string& text, SharedKeys shared = SharedKeys::allow) {
  try {
    KeySet::parse(text, shared);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::config);
    return e.message();
  }
  return "no error";
}

Verdict verdict(const KeySet& keys, const std::string& token) {
  return verify(parse_jws(token), {&keys, nullptr});
}

Json with(Json jwk, const char* member, const Json& value) {
  jwk[member] = value;
  return jwk;
}

TEST(KeySet, EveryTakenTypeVerifies) {
  EXPECT_EQ(verdict(parse({secret().jwk("k")}), secret().token("HS256", {{"alg", "HS256"}}, "x")),
            Verdict::verified);
  const KeySet keys = parse({rsa().jwk("r"), ec().jwk("e"), ed25519().jwk("o")});
  EXPECT_EQ(keys.size(), 3U);
  EXPECT_EQ(verdict(keys, rsa().token("RS256", {{"alg", "RS256"}, {"kid", "r"}}, "x")),
            Verdict::verified);
  EXPECT_EQ(verdict(keys, rsa().token("PS256", {{"alg", "PS256"}, {"kid", "r"}}, "x")),
            Verdict::verified);
  EXPECT_EQ(verdict(keys, ec().token("ES256", {{"alg", "ES256"}, {"kid", "e"}}, "x")),
            Verdict::verified);
  EXPECT_EQ(verdict(keys, ed25519().token("EdDSA", {{"alg", "EdDSA"}, {"kid", "o"}}, "x")),
            Verdict::verified);
  EXPECT_EQ(verdict(keys, ed25519().token("EdDSA", {{"alg", "Ed25519"}, {"kid", "o"}}, "x")),
            Verdict::verified);
}

TEST(KeySet, TheKeyIdChoosesAndNothingElseIsTried) {
  const Signer other = Signer::ec();
  const KeySet keys = parse({ec().jwk("one"), other.jwk("two")});
  EXPECT_EQ(verdict(keys, other.token("ES256", {{"alg", "ES256"}, {"kid", "two"}}, "x")),
            Verdict::verified);
  EXPECT_EQ(verdict(keys, other.token("ES256", {{"alg", "ES256"}, {"kid", "one"}}, "x")),
            Verdict::refused);
  EXPECT_EQ(verdict(keys, other.token("ES256", {{"alg", "ES256"}, {"kid", "three"}}, "x")),
            Verdict::unknown_key);
  EXPECT_EQ(verdict(keys, ec().token("ES256", {{"alg", "ES256"}, {"kid", ""}}, "x")),
            Verdict::unknown_key);
}

TEST(KeySet, WithoutAKeyIdEveryKeyThatFitsIsTried) {
  const KeySet keys = parse({rsa().jwk("r"), Signer::ec().jwk("e1"), ec().jwk("e2")});
  EXPECT_EQ(verdict(keys, ec().token("ES256", {{"alg", "ES256"}}, "x")), Verdict::verified);
  EXPECT_EQ(verdict(keys, Signer::ec().token("ES256", {{"alg", "ES256"}}, "x")), Verdict::refused);
  EXPECT_EQ(verdict(keys, ed25519().token("EdDSA", {{"alg", "EdDSA"}}, "x")), Verdict::unknown_key);
}

TEST(KeySet, AKeyWithoutIdServesTokensWithAnyId) {
  const KeySet keys = parse({ec().jwk()});
  EXPECT_EQ(verdict(keys, ec().token("ES256", {{"alg", "ES256"}, {"kid", "any"}}, "x")),
            Verdict::verified);
  EXPECT_EQ(verdict(keys, Signer::ec().token("ES256", {{"alg", "ES256"}, {"kid", "any"}}, "x")),
            Verdict::unknown_key);
}

TEST(KeySet, SeveralSetsAreOne) {
  const Signer other = Signer::ec();
  const KeySet one = parse({ec().jwk("one")});
  const KeySet two = parse({other.jwk("two")});
  const auto together = [&](const std::string& token) {
    return verify(parse_jws(token), {&one, &two});
  };
  EXPECT_EQ(together(ec().token("ES256", {{"alg", "ES256"}, {"kid", "one"}}, "x")),
            Verdict::verified);
  EXPECT_EQ(together(other.token("ES256", {{"alg", "ES256"}}, "x")), Verdict::verified);
  EXPECT_EQ(together(other.token("ES256", {{"alg", "ES256"}, {"kid", "one"}}, "x")),
            Verdict::refused);
  EXPECT_EQ(together(other.token("ES256", {{"alg", "ES256"}, {"kid", "three"}}, "x")),
            Verdict::unknown_key);
}

TEST(KeySet, AKeyIdThatIsAPathOrSqlIsJustUnknown) {
  const KeySet keys = parse({secret().jwk("k")});
  for (const char* kid : {"../../../../dev/null", "/dev/null", "k' OR '1'='1",
                          "'; DROP TABLE keys--", "http://127.0.0.1/jwks.json", "k\n", "K"}) {
    const Json header = {{"alg", "HS256"}, {"kid", kid}};
    EXPECT_EQ(verdict(keys, secret().token("HS256", header, "x")), Verdict::unknown_key) << kid;
  }
}

TEST(KeySet, KeysInTheTokenAreNeverFollowed) {
  const Signer attacker = Signer::ec();
  const Json header = {{"alg", "ES256"},
                       {"kid", "e"},
                       {"jwk", attacker.jwk("e")},
                       {"jku", "http://127.0.0.1:1/jwks.json"},
                       {"x5u", "http://127.0.0.1:1/cert.pem"},
                       {"x5c", {"MIIB"}}};
  EXPECT_EQ(verdict(parse({ec().jwk("e")}), attacker.token("ES256", header, "x")),
            Verdict::refused);
}

TEST(KeySet, ThePublicKeyIsNoSharedKey) {
  const std::string pem = rsa().public_pem();
  for (const std::string& material : {pem, pem.substr(0, pem.size() - 1), rsa().jwk().dump()}) {
    const std::string forged =
        Signer::secret(material).token("HS256", {{"alg", "HS256"}, {"kid", "r"}}, "x");
    EXPECT_EQ(verdict(parse({rsa().jwk("r")}), forged), Verdict::refused);
  }
}

TEST(KeySet, AlgUseAndKeyOpsAreHonoured) {
  const std::string rs256 = rsa().token("RS256", {{"alg", "RS256"}}, "x");
  EXPECT_EQ(verdict(parse({with(rsa().jwk(), "alg", "RS256")}), rs256), Verdict::verified);
  EXPECT_EQ(verdict(parse({with(rsa().jwk(), "alg", "PS256")}), rs256), Verdict::unknown_key);
  EXPECT_EQ(verdict(parse({with(ed25519().jwk(), "alg", "Ed25519")}),
                    ed25519().token("EdDSA", {{"alg", "EdDSA"}}, "x")),
            Verdict::verified);
  EXPECT_EQ(verdict(parse({with(rsa().jwk(), "use", "sig")}), rs256), Verdict::verified);
  EXPECT_EQ(verdict(parse({with(rsa().jwk(), "key_ops", {"verify"})}), rs256), Verdict::verified);
  for (const Json& bad :
       {with(rsa().jwk(), "alg", "RS384"), with(rsa().jwk(), "alg", "HS256"),
        with(rsa().jwk(), "alg", "ES256"), with(rsa().jwk(), "alg", 1),
        with(rsa().jwk(), "use", "enc"), with(rsa().jwk(), "use", 1),
        with(rsa().jwk(), "key_ops", {"encrypt"}), with(rsa().jwk(), "key_ops", "verify"),
        with(rsa().jwk(), "key_ops", Json::array()), with(rsa().jwk(), "kid", 1)}) {
    EXPECT_THAT(cause_of(jwks({bad})), HasSubstr("no key that can be used")) << bad;
  }
}

TEST(KeySet, UnusableKeysAreLeftOutAndNamed) {
  const KeySet keys = parse({with(rsa().jwk("a"), "use", "enc"),
                             {{"kty", "quantum"}},
                             Signer::ec("P-384").jwk("c"),
                             Signer::rsa(1024).jwk("d"),
                             ec().jwk("good"),
                             "text"});
  EXPECT_EQ(keys.size(), 1U);
  EXPECT_THAT(keys.skipped(),
              ElementsAre(HasSubstr("key 0: it is not for signatures"),
                          HasSubstr("key 1: its type"), HasSubstr("key 2: its curve is not P-256"),
                          HasSubstr("key 3: the RSA key has 1024 bits"),
                          HasSubstr("key 5: it is no JSON object")));
}

TEST(KeySet, MalformedKeysAreRefused) {
  const Json good = ec().jwk();
  for (const Json& bad :
       {with(good, "x", "####"), with(good, "x", good["x"].get<std::string>() + "="),
        with(good, "x", 5), with(good, "x", "AA"), with(good, "crv", "P-384"),
        with(good, "crv", nullptr), with(good, "kty", "RSA"), with(good, "kty", "OKP"),
        with(good, "kty", "ec"), with(rsa().jwk(), "e", "AQ"), with(rsa().jwk(), "e", ""),
        with(rsa().jwk(), "n", ""), with(secret().jwk(), "k", ""),
        with(secret().jwk(), "k", "c2hvcnQ"), with(ed25519().jwk(), "crv", "X25519")}) {
    EXPECT_NE(cause_of(jwks({bad})), "no error") << bad;
  }
}

TEST(KeySet, SetsThatAreADangerAsAWholeAreRefused) {
  EXPECT_THAT(cause_of(jwks({with(ec().jwk("a"), "d", "AAAA"), rsa().jwk("b")})),
              HasSubstr("private key"));
  EXPECT_THAT(cause_of(jwks({ec().jwk("a"), rsa().jwk("a")})), HasSubstr("the same 'kid'"));
  EXPECT_THAT(cause_of(jwks({ec().jwk("a"), secret().jwk("b")})), HasSubstr("mixes"));
  EXPECT_THAT(cause_of(jwks({secret().jwk("b")}), SharedKeys::refuse), HasSubstr("shared key"));
  EXPECT_EQ(cause_of(jwks({with(rsa().jwk("a"), "use", "enc"), ec().jwk("a")})), "no error");
}

TEST(KeySet, WhatIsNoKeySetIsRefused) {
  for (const char* text :
       {"", "null", "[]", "{}", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":[],"keys":[]})",
        R"({"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})", "<html>"}) {
    EXPECT_NE(cause_of(text), "no error") << text;
  }
  Json many = Json::array();
  for (std::size_t i = 0; i <= KeySet::kMaxKeys; ++i) many.push_back(ec().jwk());
  Json set;
  set["keys"] = many;
  EXPECT_THAT(cause_of(set.dump()), HasSubstr("more than 100"));
}

TEST(KeySet, CausesHoldNoKeyMaterial) {
  const std::string material = secret().jwk()["k"];
  EXPECT_THAT(cause_of(R"({"keys":[{"kty":"oct","k":")" + material + "}"),
              testing::Not(HasSubstr(material.substr(0, 8))));
}

}  // namespace
}  // namespace resmgr::identity
