#include "common/destination.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/error.h"
#include "common/file_bytes.h"
#include "common/http_url.h"
#include "common/key_file.h"
#include "common/log.h"

namespace resmgr {
namespace {

constexpr std::chrono::milliseconds kConnectTimeout{5'000};

bool can_stand_in_header(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_web_url(std::string_view url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

// Says which key is at fault, and repeats no URL that may hold credentials.
void check_url(const Config& config, const std::string& key, const std::string& url) {
  const std::string what = "cannot use " + key + " (" + config.origin(key) + "): ";
  const std::string hint = "https://HOST:PORT/PATH";
  try {
    if (!is_web_url(url)) throw Error(ErrorKind::config, "its scheme is neither http nor https");
    parse_http_url(split_url(url).origin);
  } catch (const Error& error) {
    const std::string& cause = error.message();
    const auto colon = cause.rfind(": ");
    throw Error(ErrorKind::config,
                what + (colon == std::string::npos ? cause : cause.substr(colon + 2)), hint);
  }
}

void check_ca_file(const Config& config, const std::string& key, const std::string& file) {
  constexpr std::size_t kMost = std::size_t{16} << 20;
  if (file.empty()) return;
  const int error = read_file_bytes(file, kMost).error;
  if (error == 0) return;
  throw Error(ErrorKind::config,
              "cannot read " + key + " '" + file + "' (" + config.origin(key) +
                  "): " + std::strerror(error),
              "name a file of CA certificates in PEM that the agent may read");
}

Secret secret_from(const Config& config, const std::string& section, const std::string& name,
                   const std::string& url) {
  const std::string file = config.text(section + "." + name + "_file");
  const std::string text = config.text(section + "." + name);
  if (file.empty() && text.empty()) return {};
  Secret secret = text.empty() ? Secret::in_file(file) : Secret::of(text);
  static_cast<void>(secret.read());
  if (text.empty()) warn_if_exposed(file);
  if (url.starts_with("http://") && !is_on_loopback(url)) {
    log::warning("{Secret} goes to {Url} without TLS: whoever is on the way can read it",
                 {{"Secret", "[" + section + "] " + name}, {"Url", url}});
  }
  return secret;
}

}  // namespace

Secret Secret::in_file(std::string path) {
  Secret secret;
  secret.file_ = std::move(path);
  return secret;
}

Secret Secret::of(std::string text) {
  Secret secret;
  secret.text_ = std::move(text);
  return secret;
}

std::string Secret::bytes() const { return file_.empty() ? text_ : read_key_bytes(file_); }

std::string Secret::read() const {
  std::string text = bytes();
  if (can_stand_in_header(text)) return text;
  throw Error(
      ErrorKind::config,
      file_.empty()
          ? "cannot use a secret of the environment: it holds white space or what "
            "is not ASCII"
          : "cannot use key file '" + file_ + "': it holds white space or what is not ASCII",
      "it is one line of printable characters");
}

std::optional<Destination> destination_from(const Config& config, std::string_view section,
                                            std::string_view secret) {
  Destination destination;
  destination.section = section;
  const std::string prefix = destination.section + ".";
  destination.url = config.text(prefix + "url");
  if (destination.url.empty()) return std::nullopt;
  check_url(config, prefix + "url", destination.url);
  destination.ca_file = config.text(prefix + "ca_file");
  check_ca_file(config, prefix + "ca_file", destination.ca_file);
  if (!secret.empty()) {
    destination.secret =
        secret_from(config, destination.section, std::string(secret), destination.url);
  }
  return destination;
}

HttpEndpoint endpoint_of(const Destination& destination, std::chrono::milliseconds timeout) {
  HttpEndpoint endpoint;
  endpoint.url = destination.url;
  endpoint.ca_file = destination.ca_file;
  endpoint.connect_timeout = std::min(kConnectTimeout, timeout);
  endpoint.read_timeout = timeout;
  return endpoint;
}

SplitUrl split_url(const std::string& url) {
  if (!is_web_url(url)) {
    throw Error(ErrorKind::config, "cannot use a URL: its scheme is neither http nor https",
                "https://HOST:PORT/PATH");
  }
  const std::string fragmentless = url.substr(0, url.find('#'));
  const std::size_t host = fragmentless.find("//") + 2;
  const std::size_t path = std::min(fragmentless.find_first_of("/?", host), fragmentless.size());
  std::string target = fragmentless.substr(path);
  if (!target.starts_with('/')) target.insert(0, "/");
  return {fragmentless.substr(0, path), std::move(target)};
}

bool is_on_loopback(const std::string& url) {
  const HttpUrl parsed = parse_http_url(split_url(url).origin);
  return parsed.host.starts_with("127.") || parsed.host == "::1" || parsed.host == "localhost";
}

}  // namespace resmgr
