#include "agent/engine/image_source.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "common/crypto.h"
#include "common/error.h"
#include "common/json.h"

namespace resmgr::engine {
namespace {

constexpr char kDockerHub[] = "docker.io";
constexpr std::array<std::string_view, 4> kDockerHubKeys{
    "https://index.docker.io/v1/", "https://index.docker.io/v1", "index.docker.io", "docker.io"};
constexpr std::size_t kLargestFile = 1 << 20;

[[noreturn]] void refuse(const std::string& cause) {
  throw Error(ErrorKind::config, "cannot use the registry credentials: " + cause,
              "make the file that registry_auth_file names with docker login");
}

// Keys are "host", "host:port", or an URL of either with a path.
std::string_view host_of(std::string_view key) {
  if (const std::size_t scheme = key.find("://"); scheme != std::string_view::npos) {
    key.remove_prefix(scheme + 3);
  }
  return key.substr(0, key.find('/'));
}

const Json* find_entry(const Json& auths, std::string_view registry) {
  if (registry == kDockerHub) {
    for (const std::string_view key : kDockerHubKeys) {
      if (const Json& entry = object_at(auths, key); entry.is_object()) return &entry;
    }
    return nullptr;
  }
  for (const auto& [key, entry] : auths.items()) {
    if (host_of(key) == registry && entry.is_object()) return &entry;
  }
  return nullptr;
}

std::pair<std::string, std::string> user_and_password(const Json& entry) {
  const std::string encoded = string_or(entry, "auth");
  if (encoded.empty()) return {string_or(entry, "username"), string_or(entry, "password")};
  const auto decoded = base64_decode(encoded);
  const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) refuse("an 'auth' is not base64 of user:password");
  return {decoded->substr(0, colon), decoded->substr(colon + 1)};
}

}  // namespace

ImageSource parse_image(std::string_view image) {
  ImageSource source;
  std::string_view name = image;
  if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
    source.tag = name.substr(at + 1);
    name = name.substr(0, at);
  }
  const std::size_t last_slash = name.rfind('/');
  const std::size_t colon = name.rfind(':');
  // A colon before the last slash belongs to the registry's port.
  if (colon != std::string_view::npos &&
      (last_slash == std::string_view::npos || colon > last_slash)) {
    if (source.tag.empty()) source.tag = name.substr(colon + 1);
    name = name.substr(0, colon);
  }
  if (source.tag.empty()) source.tag = "latest";
  source.name = name;
  const std::size_t first_slash = name.find('/');
  const std::string_view first = name.substr(0, first_slash);
  const bool is_host = first_slash != std::string_view::npos &&
                       (first.find('.') != std::string_view::npos ||
                        first.find(':') != std::string_view::npos || first == "localhost");
  source.registry = is_host && first != "index.docker.io" ? std::string(first) : kDockerHub;
  return source;
}

std::optional<std::string> registry_auth(std::string_view config_json, std::string_view registry) {
  Json config;
  try {
    config = parse_json(config_json, "registry_auth_file");
  } catch (const Error&) {
    // The parser's words may repeat a piece of the text.
    refuse("the file is no JSON");
  }
  const Json* entry = find_entry(object_at(config, "auths"), registry);
  if (entry == nullptr) return std::nullopt;
  Json auth = {{"serveraddress", registry}};
  if (std::string token = string_or(*entry, "identitytoken"); !token.empty()) {
    auth["identitytoken"] = std::move(token);
  } else {
    auto [user, password] = user_and_password(*entry);
    // docker login with a credential store leaves an empty object behind.
    if (user.empty()) return std::nullopt;
    auth["username"] = std::move(user);
    auth["password"] = std::move(password);
  }
  // The daemon wants the padding that RFC 4648 lets one leave out.
  std::string encoded = base64url_encode(dump_json(auth));
  encoded.append((4 - encoded.size() % 4) % 4, '=');
  return encoded;
}

std::optional<std::string> read_registry_auth(const std::string& file, std::string_view registry) {
  if (file.empty()) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  std::string text;
  if (in) {
    text.resize(kLargestFile + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
  }
  if (!in.is_open() || in.bad()) refuse("file '" + file + "' can't be read");
  if (text.size() > kLargestFile) refuse("file '" + file + "' is larger than 1 MiB");
  return registry_auth(text, registry);
}

}  // namespace resmgr::engine
