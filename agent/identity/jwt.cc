#include "agent/identity/jwt.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/crypto.h"
#include "common/error.h"
#include "common/ids.h"
#include "common/json.h"

namespace resmgr::identity {
namespace {

// Seconds from 1970 to the end of the year 9999; beyond that, times can't be written.
constexpr double kMaxNumericDate = 253'402'300'800.0;

[[noreturn]] void refuse_jwt(std::string why) {
  throw Error(ErrorKind::unauthenticated, std::move(why));
}

Json parse_claims(std::string_view payload) {
  Json claims;
  try {
    claims = parse_json(payload, "token payload", DuplicateKeys::refuse);
  } catch (const Error&) {
    refuse_jwt("the token's claims are not valid JSON without duplicate members");
  }
  if (!claims.is_object()) refuse_jwt("the token's claims are no JSON object");
  return claims;
}

// A NumericDate (RFC 7519, section 2): seconds, with a fraction or without.
std::optional<Instant> time_claim(const Json& claims, const char* name) {
  const auto claim = claims.find(name);
  if (claim == claims.end()) return std::nullopt;
  const double seconds = claim->is_number() ? claim->get<double>() : kMaxNumericDate;
  if (!(std::abs(seconds) < kMaxNumericDate)) {
    refuse_jwt("the token's " + std::string(name) + " is no time in seconds");
  }
  return instant_from_millis(static_cast<long long>(std::floor(seconds * 1000)));
}

Instant check_times(const Json& claims, const AuthOptions& options, Instant now) {
  const std::optional<Instant> expires_at = time_claim(claims, "exp");
  if (!expires_at) refuse_jwt("the token has no expiry");
  if (expired(*expires_at, options, now)) refuse_jwt("the token expired");
  if (const auto from = time_claim(claims, "nbf"); from && *from > now + options.leeway) {
    refuse_jwt("the token is not valid yet");
  }
  if (const auto issued = time_claim(claims, "iat"); issued && *issued > now + options.leeway) {
    refuse_jwt("the token was issued in the future");
  }
  return *expires_at;
}

// A claim that may be one string or an array of them; what is neither holds nothing.
std::vector<std::string> texts(const Json& claims, const std::string& name) {
  const auto claim = claims.find(name);
  if (claim == claims.end()) return {};
  if (claim->is_string()) return {claim->get<std::string>()};
  std::vector<std::string> found;
  if (claim->is_array()) {
    for (const Json& item : *claim) {
      if (item.is_string()) found.push_back(item.get<std::string>());
    }
  }
  return found;
}

void check_parties(const Json& claims, const AuthOptions& options) {
  if (!options.issuer.empty() && string_or(claims, "iss") != options.issuer) {
    refuse_jwt("the token has no issuer that this agent takes");
  }
  if (!options.audience.empty()) {
    const std::vector<std::string> audiences = texts(claims, "aud");
    if (std::find(audiences.begin(), audiences.end(), options.audience) == audiences.end()) {
      refuse_jwt("the token has no audience that this agent takes");
    }
  }
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

void check_type(const Json& claims) {
  const auto type = claims.find("token_type");
  if (type == claims.end()) return;
  if (!type->is_string()) refuse_jwt("the token's token_type is no string");
  if (lower(type->get<std::string>()) == "refresh_token") {
    refuse_jwt("the token is a refresh token, not an access token");
  }
}

// The first of the claims that is there decides, be its value good or bad.
std::string subject_of(const Json& claims, const AuthOptions& options) {
  for (const std::string& name : options.user_claims) {
    const auto claim = claims.find(name);
    if (claim == claims.end()) continue;
    if (!claim->is_string() || claim->get_ref<const std::string&>().empty()) break;
    return claim->get<std::string>();
  }
  refuse_jwt("the token names no user");
}

std::string user_id_of(const std::string& subject, const AuthOptions& options) {
  if (std::optional<std::string> uuid = parse_uuid(subject)) return *std::move(uuid);
  if (!options.map_subject) refuse_jwt("the token names a user whose id is no UUID");
  return uuid_v5(kSubjectNamespace, subject);
}

bool is_admin(const Json& claims, const AuthOptions& options) {
  if (options.admin_role.empty()) return false;
  const std::string wanted = lower(options.admin_role);
  return std::any_of(
      options.role_claims.begin(), options.role_claims.end(), [&](const std::string& name) {
        const std::vector<std::string> roles = texts(claims, name);
        return std::any_of(roles.begin(), roles.end(),
                           [&](const std::string& role) { return lower(role) == wanted; });
      });
}

}  // namespace

bool expired(Instant expires_at, const AuthOptions& options, Instant now) {
  return now >= expires_at + options.leeway;
}

Principal principal_from_claims(std::string_view payload, const AuthOptions& options, Instant now) {
  const Json claims = parse_claims(payload);
  Principal principal;
  principal.expires_at = check_times(claims, options, now);
  check_parties(claims, options);
  check_type(claims);
  principal.name = subject_of(claims, options);
  principal.user_id = user_id_of(principal.name, options);
  principal.admin = is_admin(claims, options);
  return principal;
}

}  // namespace resmgr::identity
