// Hashes, MACs and encodings. OpenSSL stays behind this wall.
#ifndef RESMGR_COMMON_CRYPTO_H_
#define RESMGR_COMMON_CRYPTO_H_

#include <optional>
#include <string>
#include <string_view>

namespace resmgr {

// Raw digests (32 bytes) and their lower-case hex.
std::string sha256(std::string_view data);
std::string sha256_hex(std::string_view data);
std::string hmac_sha256(std::string_view key, std::string_view data);

std::string to_hex(std::string_view bytes);

// In time that does not depend on the contents (it does on the lengths).
bool equal_in_constant_time(std::string_view a, std::string_view b);

// RFC 4648, section 5, without padding. Decoding refuses padding, other alphabets, and non-zero
// trailing bits.
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);
// RFC 4648, section 4, with padding. Decoding is as strict.
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

// UUIDv5 (RFC 9562, section 5.5) of `name` in the namespace `namespace_uuid` (canonical form).
std::string uuid_v5(std::string_view namespace_uuid, std::string_view name);

}  // namespace resmgr

#endif  // RESMGR_COMMON_CRYPTO_H_
