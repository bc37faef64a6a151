#include "agent/api/target.h"

#include <cstddef>
#include <string>

namespace resmgr::api {
namespace {

constexpr std::size_t kMostSegments = 16;
constexpr std::size_t kMostParameters = 32;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Appends `text` without its percent-encoding; false for an escape that is none, or that stands
// for a control character.
bool append_decoded(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return false;
    const int value = high * 16 + low;
    if (value < 0x20 || value == 0x7f) return false;
    out += static_cast<char>(value);
    i += 2;
  }
  return true;
}

std::string_view read_path(Request& request) {
  std::string_view rest = request.path.substr(1);
  // The views below need its memory to stay where it is.
  request.decoded_path.reserve(rest.size());
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (request.segments.size() == kMostSegments) return "the path has too many segments";
    if (segment.find('%') == std::string_view::npos) {
      request.segments.push_back(segment);
    } else {
      const std::size_t begin = request.decoded_path.size();
      if (!append_decoded(request.decoded_path, segment)) {
        return "the path holds a percent-encoding that is not allowed";
      }
      request.segments.push_back(std::string_view(request.decoded_path).substr(begin));
    }
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

std::string_view read_query(Request& request, std::string_view query) {
  while (!query.empty()) {
    const std::size_t ampersand = query.find('&');
    const std::string_view item = query.substr(0, ampersand);
    query.remove_prefix(ampersand == std::string_view::npos ? query.size() : ampersand + 1);
    if (item.empty()) continue;
    if (request.query.size() == kMostParameters) return "the query has too many parameters";
    const std::size_t equals = item.find('=');
    auto& [name, value] = request.query.emplace_back();
    if (!append_decoded(name, item.substr(0, equals)) ||
        (equals != std::string_view::npos && !append_decoded(value, item.substr(equals + 1)))) {
      return "the query holds a percent-encoding that is not allowed";
    }
  }
  return {};
}

// The part of an absolute-form target after the authority; empty if it is none.
std::string_view origin_form(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t end = target.find_first_of("/?");
    if (end == 0) return {};  // no authority
    if (end == std::string_view::npos) return "/";
    return target[end] == '/' ? target.substr(end) : std::string_view{};
  }
  return {};
}

}  // namespace

std::string_view read_target(Request& request) {
  std::string_view target = request.target;
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '#') return "the request target is not a URI";
  }
  if (target == "*" && request.method == Method::options) {
    request.path = target;
    return {};
  }
  if (!target.empty() && target.front() != '/') target = origin_form(target);
  if (target.empty()) return "the request target is neither a path nor an http URI";
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  const std::string_view fault = read_path(request);
  if (!fault.empty() || question == std::string_view::npos) return fault;
  return read_query(request, target.substr(question + 1));
}

}  // namespace resmgr::api
