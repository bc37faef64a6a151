// Holds JWS verification against the Wycheproof vectors in the folder that RESMGR_VECTORS names,
// and, with or without it, against vectors of the same kinds that are made here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "agent/identity/jwks.h"
#include "agent/identity/jws.h"
#include "common/crypto.h"
#include "common/error.h"
#include "common/json.h"
#include "tests/unit/identity/signer.h"

namespace resmgr::identity {
namespace {

struct Vector {
  std::string name;  // of the test
  std::string key;   // a JWK or a JWK Set
  std::string token;
  bool valid = false;
  bool may_be_refused = false;
};

void PrintTo(const Vector& vector, std::ostream* out) { *out << vector.name; }

// Whether the token verifies with the key, in whatever way it may fail.
bool verifies(const Vector& vector) {
  const Json key = parse_json(vector.key, "key");
  try {
    const KeySet keys =
        KeySet::parse(key.contains("keys") ? vector.key : jwks({key}), SharedKeys::allow);
    return verify(parse_jws(vector.token), {&keys}) == Verdict::verified;
  } catch (const Error& e) {
    EXPECT_TRUE(e.kind() == ErrorKind::config || e.kind() == ErrorKind::unauthenticated);
    return false;
  }
}

class Wycheproof : public testing::TestWithParam<Vector> {};

TEST_P(Wycheproof, Verdict) {
  const Vector& vector = GetParam();
  if (verifies(vector)) {
    EXPECT_TRUE(vector.valid) << "a forged or malformed token was taken";
  } else {
    EXPECT_TRUE(!vector.valid || vector.may_be_refused) << "a good token was refused";
  }
}

std::string name_of(const testing::TestParamInfo<Vector>& info) { return info.param.name; }

// --- The files ---

constexpr std::array kFiles = {"json_web_signature_test", "json_web_key_test",
                               "json_web_crypto_test"};

bool offered(const Json& algorithm) {
  return algorithm.is_string() && algorithm_from(algorithm.get<std::string>()).has_value();
}

// A vector that is valid for whoever offers its algorithm must be refused where it is not offered.
bool uses_offered_algorithms(const Json& key, const std::string& token) {
  const std::optional<std::string> header = base64url_decode(token.substr(0, token.find('.')));
  if (!header || token.find('.') == std::string::npos) return true;
  const Json parsed = Json::parse(*header, nullptr, false);
  if (!parsed.is_object() || !offered(parsed.value("alg", Json()))) return false;
  if (!key.contains("keys")) return !key.contains("alg") || offered(key["alg"]);
  return std::any_of(key["keys"].begin(), key["keys"].end(), [](const Json& member) {
    return !member.contains("alg") || offered(member["alg"]);
  });
}

// In the signature file: PS384 and ES512 with keys for something else, and characters that are no
// base64url, which are all refused here on purpose.
bool refused_on_purpose(const std::string& file, int id) {
  constexpr std::array kIds = {346, 347, 350, 351, 372, 373};
  return file == kFiles[0] && std::find(kIds.begin(), kIds.end(), id) != kIds.end();
}

// The signature file has the same token with the same key as valid (357) and as invalid (367, 370:
// their wrong padding got lost). No verifier can tell them apart; that it is valid is right.
void settle_contradictions(std::vector<Vector>& all) {
  for (Vector& vector : all) {
    vector.valid = std::any_of(all.begin(), all.end(), [&](const Vector& other) {
      return other.valid && other.key == vector.key && other.token == vector.token;
    });
  }
}

void append_file(const std::string& folder, const std::string& file, std::vector<Vector>& all) {
  std::ifstream stream(folder + "/" + file + ".json");
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const Json document = Json::parse(text, nullptr, false);
  std::size_t count = 0;
  if (document.is_object()) {
    for (const Json& group : document["testGroups"]) {
      const Json& key = group.contains("public") ? group["public"] : group["private"];
      for (const Json& test : group["tests"]) {
        const Json& token = test.contains("jws") ? test["jws"] : test["jwe"];
        const int id = test["tcId"];
        Vector vector;
        vector.name = file + "_" + std::to_string(id);
        vector.key = key.dump();
        vector.token = token.is_string() ? token.get<std::string>() : token.dump();
        vector.valid = test["result"] == "valid" && uses_offered_algorithms(key, vector.token);
        vector.may_be_refused = refused_on_purpose(file, id);
        all.push_back(vector);
        ++count;
      }
    }
  }
  if (count == 0 || count != document["numberOfTests"]) {
    // Fails: neither good nor bad vectors may be missing unnoticed.
    all.push_back({file + "_can_not_be_read_whole", jwks({}), "", true, false});
  }
}

std::vector<Vector> vectors_of_files() {
  std::vector<Vector> all;
  if (const char* folder = std::getenv("RESMGR_VECTORS"); folder != nullptr && *folder != '\0') {
    for (const char* file : kFiles) append_file(folder, file, all);
  }
  settle_contradictions(all);
  return all;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Wycheproof);
INSTANTIATE_TEST_SUITE_P(Files, Wycheproof, testing::ValuesIn(vectors_of_files()), name_of);

// --- Made here ---

struct Party {
  std::string algorithm;
  Signer signer;
  Signer stranger;
};

std::vector<Party> parties() {
  const Signer rsa = Signer::rsa();
  const Signer other_rsa = Signer::rsa();
  return {{"HS256", Signer::secret(std::string(32, 'a')), Signer::secret(std::string(32, 'b'))},
          {"RS256", rsa, other_rsa},
          {"PS256", rsa, other_rsa},
          {"ES256", Signer::ec(), Signer::ec()},
          {"EdDSA", Signer::ed25519(), Signer::ed25519()}};
}

std::string replaced_signature(const std::string& token, const std::string& signature) {
  return token.substr(0, token.rfind('.') + 1) + base64url_encode(signature);
}

// Every way in which a good token of one party can be spoilt.
void append_party(const Party& party, std::vector<Vector>& all) {
  Json jwk = party.signer.jwk("key");
  jwk["alg"] = party.algorithm;
  jwk["use"] = "sig";
  const Json header = {{"alg", party.algorithm}, {"kid", "key"}};
  const std::string good = party.signer.token(party.algorithm, header, "payload");
  const std::string input = good.substr(0, good.rfind('.'));
  const std::string signature = *base64url_decode(good.substr(good.rfind('.') + 1));
  const auto add = [&](const std::string& what, const std::string& token, bool valid = false,
                       std::optional<Json> key = std::nullopt) {
    all.push_back({party.algorithm + "_" + what, key.value_or(jwk).dump(), token, valid, false});
  };

  add("good", good, true);
  add("emptyPayload", party.signer.token(party.algorithm, header, ""), true);
  add("stranger", party.stranger.token(party.algorithm, header, "payload"));
  add("otherPayload", base64url_encode(header.dump()) + "." + base64url_encode("other") +
                          good.substr(good.rfind('.')));
  add("noSignature", input + ".");
  add("twoParts", input);
  add("fourParts", good + ".e30");
  add("padded", good + "=");
  for (const std::size_t at : {std::size_t{0}, signature.size() / 2, signature.size() - 1}) {
    std::string flipped = signature;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    add("flippedByte" + std::to_string(at), replaced_signature(good, flipped));
  }
  add("truncated", replaced_signature(good, signature.substr(0, signature.size() - 1)));
  add("longer", replaced_signature(good, signature + std::string(1, '\0')));
  add("leadingZero", replaced_signature(good, std::string(1, '\0') + signature));
  add("zeros", replaced_signature(good, std::string(signature.size(), '\0')));
  add("ones", replaced_signature(good, std::string(signature.size(), '\xff')));
  for (const char* alg : {"none", "None", "NONE", "HS384", "HS512", "RS384", "PS512", "ES512"}) {
    const Json named = {{"alg", alg}, {"kid", "key"}};
    add(std::string("headerSays") + alg, party.signer.token(party.algorithm, named, "payload"));
    add(std::string("unsigned") + alg,
        base64url_encode(named.dump()) + "." + base64url_encode("payload") + ".");
  }
  Json for_encryption = jwk;
  for_encryption["use"] = "enc";
  add("keyForEncryption", good, false, for_encryption);
  Json for_signing_only = jwk;
  for_signing_only["key_ops"] = {"sign"};
  add("keyForSigningOnly", good, false, for_signing_only);
  Json not_offered = jwk;
  not_offered["alg"] = "RS512";
  add("keyOfOtherAlgorithm", good, false, not_offered);
}

std::vector<Vector> vectors_made_here() {
  std::vector<Vector> all;
  const std::vector<Party> everyone = parties();
  for (const Party& party : everyone) append_party(party, all);
  // Every algorithm's header and signature against every other's key.
  for (const Party& signer : everyone) {
    for (const Party& keeper : everyone) {
      if (signer.algorithm == keeper.algorithm) continue;
      Json jwk = keeper.signer.jwk("key");
      jwk["alg"] = keeper.algorithm;
      const Json header = {{"alg", signer.algorithm}, {"kid", "key"}};
      all.push_back({signer.algorithm + "_with_key_of_" + keeper.algorithm, jwk.dump(),
                     signer.signer.token(signer.algorithm, header, "payload"), false, false});
    }
  }
  // The confusion of a public key with a shared one, with each form that the public key has.
  for (const Party& party : everyone) {
    if (party.algorithm == "HS256") continue;
    const Json jwk = party.signer.jwk("key");
    const std::string pem = party.signer.public_pem();
    int form = 0;
    for (const std::string& secret : {pem, pem.substr(0, pem.size() - 1), jwk.dump()}) {
      all.push_back({party.algorithm + "_public_key_as_secret_" + std::to_string(++form),
                     jwk.dump(),
                     Signer::secret(secret).token("HS256", {{"alg", "HS256"}, {"kid", "key"}}, "x"),
                     false, false});
    }
  }
  const Party& es256 = everyone[3];
  const std::string good = es256.signer.token("ES256", {{"alg", "ES256"}}, "payload");
  all.push_back({"ES256_der", es256.signer.jwk().dump(),
                 replaced_signature(good, es256.signer.sign_der(good.substr(0, good.rfind('.')))),
                 false, false});
  return all;
}

INSTANTIATE_TEST_SUITE_P(MadeHere, Wycheproof, testing::ValuesIn(vectors_made_here()), name_of);

}  // namespace
}  // namespace resmgr::identity
