#include "agent/identity/jwks.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "common/crypto.h"
#include "common/error.h"
#include "common/json.h"

namespace resmgr::identity {
namespace {

// Members of private RSA, EC and OKP keys (RFC 7518, section 6; RFC 8037).
constexpr std::array kPrivateMembers = {"d", "p", "q", "dp", "dq", "qi", "oth"};

[[noreturn]] void refuse_jwks(std::string why, std::string hint = {}) {
  throw Error(ErrorKind::config, std::move(why), std::move(hint));
}

std::optional<std::string> optional_text(const Json& jwk, const char* name) {
  const auto member = jwk.find(name);
  if (member == jwk.end()) return std::nullopt;
  if (!member->is_string()) refuse_jwks("its '" + std::string(name) + "' is no string");
  return member->get<std::string>();
}

std::string bytes_of(const Json& jwk, const char* name) {
  const std::optional<std::string> text = optional_text(jwk, name);
  if (!text) refuse_jwks("it has no '" + std::string(name) + "'");
  std::optional<std::string> bytes = base64url_decode(*text);
  if (!bytes) refuse_jwks("its '" + std::string(name) + "' is not canonical base64url");
  return *std::move(bytes);
}

void check_purpose(const Json& jwk) {
  const std::optional<std::string> use = optional_text(jwk, "use");
  if (use && *use != "sig") refuse_jwks("it is not for signatures ('use')");
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return;
  if (!operations->is_array() ||
      std::find(operations->begin(), operations->end(), "verify") == operations->end()) {
    refuse_jwks("it is not for verifying ('key_ops')");
  }
}

void check_curve(const Json& jwk, std::string_view taken) {
  if (optional_text(jwk, "crv") != taken) refuse_jwks("its curve is not " + std::string(taken));
}

VerificationKey key_from(const Json& jwk) {
  const std::string type = optional_text(jwk, "kty").value_or("");
  if (type == "oct") return VerificationKey::from_secret(bytes_of(jwk, "k"));
  if (type == "RSA") return VerificationKey::from_rsa(bytes_of(jwk, "n"), bytes_of(jwk, "e"));
  if (type == "EC") {
    check_curve(jwk, "P-256");
    return VerificationKey::from_p256(bytes_of(jwk, "x"), bytes_of(jwk, "y"));
  }
  if (type == "OKP") {
    check_curve(jwk, "Ed25519");
    return VerificationKey::from_ed25519(bytes_of(jwk, "x"));
  }
  refuse_jwks("its type ('kty') is not taken");
}

NamedKey named_key_from(const Json& jwk) {
  if (!jwk.is_object()) refuse_jwks("it is no JSON object");
  check_purpose(jwk);
  NamedKey named{key_from(jwk), optional_text(jwk, "kid")};
  if (const std::optional<std::string> name = optional_text(jwk, "alg")) {
    const std::optional<Algorithm> algorithm = algorithm_from(*name);
    if (!algorithm || !named.key.fits(*algorithm))
      refuse_jwks("its algorithm ('alg') is not taken");
    named.key.restrict_to(*algorithm);
  }
  return named;
}

bool is_private(const Json& jwk) {
  return jwk.is_object() && jwk.value("kty", Json()) != "oct" &&
         std::any_of(kPrivateMembers.begin(), kPrivateMembers.end(),
                     [&](const char* name) { return jwk.contains(name); });
}

// Of keys for signatures, whether or not they can be used here: which one of the two a token means
// would depend on who reads the set.
bool repeats_a_kid(const Json& jwks) {
  std::set<std::string> kids;
  return std::any_of(jwks.begin(), jwks.end(), [&](const Json& jwk) {
    const std::string kid = string_or(jwk, "kid");
    return !kid.empty() && string_or(jwk, "use", "sig") == "sig" && !kids.insert(kid).second;
  });
}

void check_shared_keys(const std::vector<NamedKey>& keys, SharedKeys allowed) {
  const auto shared = std::count_if(keys.begin(), keys.end(),
                                    [](const NamedKey& named) { return named.key.symmetric(); });
  if (shared == 0) return;
  if (allowed == SharedKeys::refuse) {
    refuse_jwks("it holds a shared key, which must not lie behind an URL");
  }
  if (static_cast<std::size_t>(shared) < keys.size())
    refuse_jwks("it mixes shared and public keys");
}

}  // namespace

KeySet KeySet::parse(std::string_view json, SharedKeys shared_keys) {
  Json set;
  try {
    set = parse_json(json, "key set", DuplicateKeys::refuse);
  } catch (const Error& e) {
    refuse_jwks("it is no JSON Web Key Set: " + e.message());
  }
  const Json& jwks = array_at(set, "keys");
  if (!set.is_object() || !jwks.is_array())
    refuse_jwks("it is no JSON Web Key Set: there is no array 'keys'");
  if (jwks.size() > kMaxKeys)
    refuse_jwks("it holds more than " + std::to_string(kMaxKeys) + " keys");
  if (repeats_a_kid(jwks)) refuse_jwks("two of its keys have the same 'kid'");

  KeySet result;
  for (std::size_t i = 0; i < jwks.size(); ++i) {
    if (is_private(jwks[i])) {
      refuse_jwks("it holds a private key, which must not leave the place where tokens are made",
                  "make a new key pair, and publish its public half only");
    }
    try {
      result.keys_.push_back(named_key_from(jwks[i]));
    } catch (const Error& e) {
      result.skipped_.push_back("key " + std::to_string(i) + ": " + e.message());
    }
  }
  if (result.keys_.empty()) {
    refuse_jwks(result.skipped_.empty()
                    ? "it holds no key"
                    : "it holds no key that can be used; " + result.skipped_.front());
  }
  check_shared_keys(result.keys_, shared_keys);
  return result;
}

void KeySet::add_all(const KeySet& other) {
  keys_.insert(keys_.end(), other.keys_.begin(), other.keys_.end());
}

Verdict verify(const Jws& jws, std::initializer_list<const KeySet*> sets) {
  const auto any_key = [&](const auto& condition) {
    return std::any_of(sets.begin(), sets.end(), [&](const KeySet* set) {
      return set != nullptr && std::any_of(set->keys().begin(), set->keys().end(), condition);
    });
  };
  const auto verifies = [&](const NamedKey& named) {
    return named.key.verify(jws.algorithm, jws.signing_input, jws.signature);
  };
  if (!jws.kid) {
    if (any_key(verifies)) return Verdict::verified;
    return any_key([&](const NamedKey& named) { return named.key.fits(jws.algorithm); })
               ? Verdict::refused
               : Verdict::unknown_key;
  }
  const auto is_named = [&](const NamedKey& named) { return named.kid == jws.kid; };
  if (any_key(is_named)) {
    return any_key([&](const NamedKey& named) { return is_named(named) && verifies(named); })
               ? Verdict::verified
               : Verdict::refused;
  }
  return any_key([&](const NamedKey& named) { return !named.kid && verifies(named); })
             ? Verdict::verified
             : Verdict::unknown_key;
}

}  // namespace resmgr::identity
