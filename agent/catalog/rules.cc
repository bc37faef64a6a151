#include "agent/catalog/rules.h"

#include <algorithm>
#include <array>
#include <span>

#include "common/config.h"

namespace resmgr::catalog {
namespace {

constexpr std::size_t kMaxServiceName = 63;
constexpr std::size_t kMaxTitle = 100;
constexpr std::size_t kMaxDescription = 1000;
constexpr std::size_t kMaxIcon = 8192;
constexpr std::size_t kMaxImage = 512;
constexpr std::size_t kMaxPath = 2048;
constexpr std::size_t kMaxVolumeName = 120;

// Of capabilities(7), without CAP_.
constexpr std::array kCapabilities = {"AUDIT_CONTROL",   "AUDIT_READ",   "AUDIT_WRITE",
                                      "BLOCK_SUSPEND",   "BPF",          "CHECKPOINT_RESTORE",
                                      "CHOWN",           "DAC_OVERRIDE", "DAC_READ_SEARCH",
                                      "FOWNER",          "FSETID",       "IPC_LOCK",
                                      "IPC_OWNER",       "KILL",         "LEASE",
                                      "LINUX_IMMUTABLE", "MAC_ADMIN",    "MAC_OVERRIDE",
                                      "MKNOD",           "NET_ADMIN",    "NET_BIND_SERVICE",
                                      "NET_BROADCAST",   "NET_RAW",      "PERFMON",
                                      "SETFCAP",         "SETGID",       "SETPCAP",
                                      "SETUID",          "SYS_ADMIN",    "SYS_BOOT",
                                      "SYS_CHROOT",      "SYS_MODULE",   "SYS_NICE",
                                      "SYS_PACCT",       "SYS_PTRACE",   "SYS_RAWIO",
                                      "SYS_RESOURCE",    "SYS_TIME",     "SYS_TTY_CONFIG",
                                      "SYSLOG",          "WAKE_ALARM"};

constexpr std::array kBreakOut = {"BPF",      "DAC_READ_SEARCH", "MAC_ADMIN",  "SYS_ADMIN",
                                  "SYS_BOOT", "SYS_MODULE",      "SYS_PTRACE", "SYS_RAWIO"};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return is_lower(c) || is_upper(c); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

template <typename Condition>
bool all_of(std::string_view text, const Condition& condition) {
  return std::all_of(text.begin(), text.end(), condition);
}

auto alphanumeric_or(std::string_view others) {
  return
      [others](char c) { return is_alphanumeric(c) || others.find(c) != std::string_view::npos; };
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

Objection check_placeholders(const std::string& text, std::span<const std::string> known) {
  const std::vector<std::string> names = placeholders(text);
  const auto unknown = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) == known.end();
  });
  if (unknown == names.end()) return std::nullopt;
  std::string objection = "must not hold {" + *unknown + "}";
  for (const std::string& name : known) {
    objection.append(&name == &known.front() ? "; what is put in here is {" : ", {");
    objection.append(name).append("}");
  }
  return objection;
}

// Of an URL: absolute, of visible ASCII.
bool is_path(std::string_view text) {
  return text.starts_with('/') && text.size() <= kMaxPath &&
         all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::vector<std::string> placeholders(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const std::size_t end = text.find_first_of("{}", at + 1);
    if (end == std::string_view::npos || text[end] != '}') continue;
    const std::string_view name = text.substr(at + 1, end - at - 1);
    if (!name.empty() && is_letter(name.front()) && all_of(name, alphanumeric_or("_"))) {
      names.emplace_back(name);
    }
  }
  return names;
}

Objection check_service_name(const std::string& text) {
  const bool good = !text.empty() && text.size() <= kMaxServiceName && text.front() != '-' &&
                    all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
  if (good) return std::nullopt;
  return "must be 1 to 63 of a-z, 0-9 and '-', and not begin with '-'";
}

Objection check_title(const std::string& text) {
  if (!text.empty() && text.size() <= kMaxTitle && !has_control(text)) return std::nullopt;
  return "must be one line of 1 to 100 bytes";
}

Objection check_description(const std::string& text) {
  const bool good = text.size() <= kMaxDescription &&
                    all_of(text, [](char c) { return !is_control(c) || c == '\n'; });
  if (good) return std::nullopt;
  return "must be a text of up to 1000 bytes, without control characters";
}

Objection check_icon(const std::string& text) {
  const bool usable = text.starts_with("https://") || text.starts_with("http://") ||
                      text.starts_with("data:image/") ||
                      (text.starts_with('/') && !text.starts_with("//"));
  const bool plain = text.size() <= kMaxIcon && all_of(text, [](char c) {
                       return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>';
                     });
  if (usable && plain) return std::nullopt;
  return "must be an URL with http, https or data:image/, or a path that begins with '/'";
}

Objection check_build(const std::string& text) {
  constexpr std::size_t kMaxDirectory = 4'095;
  const bool plain =
      text.starts_with('/') && text.size() <= kMaxDirectory &&
      all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
  if (plain) return std::nullopt;
  return "must be the absolute path of a program";
}

Objection check_image(const std::string& text) {
  const bool good = !text.empty() && text.size() <= kMaxImage && is_alphanumeric(text.front()) &&
                    is_alphanumeric(text.back()) && all_of(text, alphanumeric_or("._-/:@")) &&
                    text.find("//") == std::string_view::npos;
  if (good) return std::nullopt;
  return "must be an image reference such as \"registry/name:tag\"";
}

Objection check_command_word(const std::string& text) {
  static const std::array<std::string, 3> kKnown = {"taskId", "userId", "basePath"};
  const std::vector<std::string> names = placeholders(text);
  if (std::find(names.begin(), names.end(), "token") != names.end()) {
    return "must not hold {token}: every user of the host can read command lines; hand it over in "
           "env";
  }
  return check_placeholders(text, kKnown);
}

Objection check_url_path(const std::string& text) {
  static const std::array<std::string, 5> kKnown = {"token", "taskId", "userId", "host", "port"};
  if (!is_path(text)) return "must begin with '/' and hold visible ASCII only";
  return check_placeholders(text, kKnown);
}

Objection check_gateway_path(const std::string& text) {
  static const std::array<std::string, 4> kKnown = {"taskId", "userId", "host", "port"};
  if (!is_path(text)) return "must begin with '/' and hold visible ASCII only";
  const std::vector<std::string> names = placeholders(text);
  if (std::find(names.begin(), names.end(), "token") != names.end()) {
    return "must not hold {token}: addresses are kept and passed on; put it into 'authorization'";
  }
  return check_placeholders(text, kKnown);
}

Objection check_authorization(const std::string& text) {
  static const std::array<std::string, 3> kKnown = {"token", "taskId", "userId"};
  const bool good = !text.empty() && text.size() <= kMaxPath && text.front() != ' ' &&
                    text.back() != ' ' &&
                    all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!good) return "must be the value of a header, such as \"token {token}\"";
  return check_placeholders(text, kKnown);
}

Objection check_probe_path(const std::string& text) {
  if (!is_path(text)) return "must begin with '/' and hold visible ASCII only";
  return check_placeholders(text, {});
}

Objection check_env_name(const std::string& text) {
  if (!text.empty() && !is_digit(text.front()) && all_of(text, alphanumeric_or("_"))) {
    return std::nullopt;
  }
  return "must be letters, digits and '_', and not begin with a digit";
}

Objection check_env_value(const std::string& text) {
  static const std::array<std::string, 4> kKnown = {"token", "taskId", "userId", "basePath"};
  if (text.find('\0') != std::string_view::npos) return "must not hold a NUL character";
  return check_placeholders(text, kKnown);
}

Objection check_user(const std::string& text) {
  const std::size_t colon = text.find(':');
  const auto good = [](std::string_view name) {
    return !name.empty() && name.front() != '-' && all_of(name, alphanumeric_or("_.-"));
  };
  if (good(text.substr(0, colon)) &&
      (colon == std::string_view::npos || good(text.substr(colon + 1)))) {
    return std::nullopt;
  }
  return "must be a user, or user and group with ':' between, as names or numbers";
}

Objection check_frame_ancestor(const std::string& text) {
  const bool keyword = text == "'self'" || text == "'none'" || text == "*";
  const bool source = !text.empty() && all_of(text, alphanumeric_or(".:/*-_[]"));
  if (keyword || source) return std::nullopt;
  return "must be 'self', 'none', or an origin such as \"https://portal.example\"";
}

Objection check_volume_name(const std::string& text) {
  static const std::array<std::string, 2> kKnown = {"userId", "taskId"};
  if (Objection unknown = check_placeholders(text, kKnown)) return unknown;
  // As the engine sees it: ids are letters, digits and '-'.
  std::string name;
  for (const char c : text) {
    if (c != '{' && c != '}') name += c;
  }
  const bool begins = is_alphanumeric(text.empty() ? '-' : text.front()) || text.starts_with('{');
  const auto braces =
      std::count(text.begin(), text.end(), '{') + std::count(text.begin(), text.end(), '}');
  const bool only_placeholders = static_cast<std::size_t>(braces) == 2 * placeholders(text).size();
  if (begins && only_placeholders && name.size() >= 2 && text.size() <= kMaxVolumeName &&
      all_of(name, alphanumeric_or("_.-"))) {
    return std::nullopt;
  }
  return "must be 2 to 120 of letters, digits, '_', '.', '-', {userId} and {taskId}";
}

Objection check_volume_path(const std::string& text) {
  const std::string closed = text + "/";
  const bool good =
      text.size() > 1 && text.size() <= kMaxPath && text.starts_with('/') && !text.ends_with('/') &&
      !has_control(text) && text.find(':') == std::string_view::npos &&
      closed.find("//") == std::string_view::npos && closed.find("/./") == std::string_view::npos &&
      closed.find("/../") == std::string_view::npos;
  if (good) return std::nullopt;
  return "must be an absolute path in the container, without '..' and ':'";
}

std::string canonical_capability(std::string_view text) {
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; });
  if (name.starts_with("CAP_")) name.erase(0, 4);
  return name;
}

Objection check_capability(const std::string& text) {
  const std::string name = canonical_capability(text);
  if (std::find(kCapabilities.begin(), kCapabilities.end(), name) != kCapabilities.end()) {
    return std::nullopt;
  }
  if (name == "ALL") return "must be single capabilities: all of them undo the isolation";
  const std::vector<std::string> known(kCapabilities.begin(), kCapabilities.end());
  const std::string nearest = nearest_name(name, known);
  return "must be a capability of capabilities(7), such as " +
         (nearest.empty() ? "NET_BIND_SERVICE" : nearest);
}

bool breaks_isolation(std::string_view name) {
  return std::find(kBreakOut.begin(), kBreakOut.end(), name) != kBreakOut.end();
}

}  // namespace resmgr::catalog
