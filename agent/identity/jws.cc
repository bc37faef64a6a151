#include "agent/identity/jws.h"

#include <utility>

#include "common/crypto.h"
#include "common/error.h"
#include "common/json.h"

namespace resmgr::identity {
namespace {

[[noreturn]] void refuse_jws(std::string why) {
  throw Error(ErrorKind::unauthenticated, std::move(why));
}

std::string decoded(std::string_view part) {
  std::optional<std::string> bytes = base64url_decode(part);
  if (!bytes) refuse_jws("the token is not canonical base64url");
  return *std::move(bytes);
}

Json parse_header(const std::string& text) {
  Json header;
  try {
    header = parse_json(text, "token header", DuplicateKeys::refuse);
  } catch (const Error&) {
    refuse_jws("the token header is not valid JSON without duplicate members");
  }
  if (!header.is_object()) refuse_jws("the token header is no JSON object");
  return header;
}

}  // namespace

Jws parse_jws(std::string_view token) {
  if (token.size() > kMaxTokenBytes) refuse_jws("the token is longer than 8 KiB");
  const std::size_t first = token.find('.');
  const std::size_t second =
      first == std::string_view::npos ? std::string_view::npos : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    refuse_jws("the token does not consist of three parts");
  }

  const Json header = parse_header(decoded(token.substr(0, first)));
  // RFC 7515, section 4.1.11: an extension that must be understood, and none is. RFC 7797's b64
  // changes what is signed.
  if (header.contains("crit") || header.contains("b64")) {
    refuse_jws("the token header demands an extension that is not taken");
  }
  const auto name = header.find("alg");
  const std::optional<Algorithm> algorithm =
      name != header.end() && name->is_string()
          ? algorithm_from(name->get_ref<const std::string&>())
          : std::nullopt;
  if (!algorithm) refuse_jws("the token's algorithm is not taken");

  Jws jws;
  jws.algorithm = *algorithm;
  if (const auto kid = header.find("kid"); kid != header.end()) {
    if (!kid->is_string()) refuse_jws("the token's key id is no string");
    jws.kid = kid->get<std::string>();
  }
  jws.signing_input = token.substr(0, second);
  jws.payload = decoded(token.substr(first + 1, second - first - 1));
  jws.signature = decoded(token.substr(second + 1));
  return jws;
}

}  // namespace resmgr::identity
