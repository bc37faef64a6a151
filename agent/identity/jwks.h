// Key sets (RFC 7517) and the choice of the key that must have made a signature.
#ifndef RESMGR_AGENT_IDENTITY_JWKS_H_
#define RESMGR_AGENT_IDENTITY_JWKS_H_

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/identity/jws.h"
#include "agent/identity/verification_key.h"

namespace resmgr::identity {

struct NamedKey {
  VerificationKey key;
  std::optional<std::string> kid;
};

enum class Verdict {
  verified,
  refused,      // by the key that it names, or by every key that fits
  unknown_key,  // it names a key that is not here, or no key here fits
};

// Whether a key set may hold shared secrets: a file may, an URL may not.
enum class SharedKeys { allow, refuse };

class KeySet {
 public:
  // More keys would let one token cost as many verifications.
  static constexpr std::size_t kMaxKeys = 100;

  // A JWK Set. Keys that can't be used for signatures here (another `use`, `kty`, curve or `alg`,
  // too weak, malformed) are left out and listed in `skipped()`, as RFC 7517, section 5 wants it.
  // Throws Error(config) if the text is no key set, if nothing is left, and for sets that are a
  // danger as a whole: with private keys, with two keys of one `kid`, or with shared and public
  // keys mixed.
  static KeySet parse(std::string_view json, SharedKeys shared_keys);

  void add(NamedKey key) { keys_.push_back(std::move(key)); }
  void add_all(const KeySet& other);

  const std::vector<NamedKey>& keys() const { return keys_; }
  std::size_t size() const { return keys_.size(); }
  const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  std::vector<NamedKey> keys_;
  std::vector<std::string> skipped_;
};

// By `kid` where the token names one that is in the sets; else by every key without a `kid`, or,
// if the token names none, by every key. In all cases only keys that fit the algorithm count.
// A set may be null: it is empty.
Verdict verify(const Jws& jws, std::initializer_list<const KeySet*> sets);

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_JWKS_H_
