#include "common/http_url.h"

#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "common/error.h"
#include "common/http.h"

namespace resmgr {
namespace {

[[noreturn]] void refuse_url(const std::string& url, const std::string& cause) {
  throw Error(ErrorKind::config, "cannot use URL '" + url + "': " + cause,
              "give it as http://host:port, https://host:port or unix:///path");
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

int parse_port(const std::string& url, std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65'535) {
    refuse_url(url, "the port is no number from 1 to 65535");
  }
  return port;
}

// "host", "host:port", "[address]:port".
void parse_authority(const std::string& url, std::string_view authority, HttpUrl& into) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) refuse_url(url, "a ']' is missing");
    into.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) refuse_url(url, "only a port may follow ']'");
  } else {
    const std::size_t colon = authority.find(':');
    into.host = authority.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
  }
  if (into.host.empty()) refuse_url(url, "it names no host");
  if (port.size() > 1) {
    into.port = parse_port(url, port.substr(1));
  } else {
    into.port = into.scheme == HttpUrl::Scheme::https ? 443 : 80;
  }
}

HttpUrl parse_unix_url(const std::string& url, std::string_view path) {
  if (!path.starts_with('/')) refuse_url(url, "the path of a socket begins with '/'");
  // sockaddr_un's path needs no NUL at its end, but other programs expect one.
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    refuse_url(url, "the path of a socket has at most " +
                        std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  }
  HttpUrl parsed;
  parsed.scheme = HttpUrl::Scheme::unix_socket;
  parsed.host = path;
  return parsed;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string HttpUrl::host_header() const {
  if (scheme == Scheme::unix_socket) return "localhost";
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const int usual = scheme == Scheme::https ? 443 : 80;
  return port == usual ? name : name + ":" + std::to_string(port);
}

std::string HttpUrl::to_string() const {
  if (scheme == Scheme::unix_socket) return "unix://" + host;
  return (scheme == Scheme::https ? "https://" : "http://") + host_header() + prefix;
}

HttpUrl parse_http_url(const std::string& url) {
  constexpr std::string_view kUnix = "unix://";
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  if (url.starts_with(kUnix))
    return parse_unix_url(url, std::string_view(url).substr(kUnix.size()));

  HttpUrl parsed;
  std::string_view rest = url;
  if (url.starts_with(kHttps)) {
    parsed.scheme = HttpUrl::Scheme::https;
    rest.remove_prefix(kHttps.size());
  } else if (url.starts_with(kHttp)) {
    rest.remove_prefix(kHttp.size());
  } else {
    if (url.find('@') != std::string::npos) refuse_url("…", "it is no URL that can be used here");
    refuse_url(url, "its scheme is none of http, https and unix");
  }
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    throw Error(ErrorKind::config, "cannot use a URL: it holds credentials",
                "give them in the file or variable that is meant for them");
  }
  if (!is_printable(rest)) refuse_url(url, "it holds a character that must be percent-encoded");
  if (rest.find_first_of("?#") != std::string_view::npos) {
    refuse_url(url, "it holds a query or a fragment");
  }
  parse_authority(url, authority, parsed);
  parsed.prefix = rest.substr(authority.size());
  while (parsed.prefix.ends_with('/')) parsed.prefix.pop_back();
  return parsed;
}

std::string url_encode(std::string_view text) {
  constexpr char kHexDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
        c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    }
  }
  return out;
}

std::string url_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace resmgr
