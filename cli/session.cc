#include "cli/session.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "common/config.h"

namespace resmgr::cli {
namespace {

constexpr Millis kQuick{30'000};
constexpr Millis kPatient{3'600'000};
constexpr std::size_t kLongestToken = std::size_t{8} << 10;

constexpr std::array<ConfigKey, 4> kKeys = {{
    {"cli", "agent", ConfigType::text, "", "URL or socket of the agent"},
    {"cli", "token_file", ConfigType::text, "", "file that holds the token"},
    {"cli", "ca_file", ConfigType::text, "",
     "authorities (PEM) for https, instead of the system's"},
    {"cli", "output", ConfigType::text, "", "table, tsv, json or csv"},
}};

// The file of settings; empty if there is none.
std::string settings_file(const Surroundings& surroundings) {
  if (const auto named = surroundings.variable("RESMGR_CONFIG")) return *named;
  std::string directory;
  if (const auto xdg = surroundings.variable("XDG_CONFIG_HOME")) {
    directory = *xdg;
  } else if (const auto home = surroundings.variable("HOME")) {
    directory = *home + "/.config";
  }
  std::string own = directory + "/resmgr/config.toml";
  if (!directory.empty() && access(own.c_str(), F_OK) == 0) return own;
  constexpr char kSystem[] = "/etc/resmgr/cli.toml";
  return access(kSystem, F_OK) == 0 ? kSystem : "";
}

std::string read_token_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) {
    throw Error(ErrorKind::config,
                "cannot read token file '" + path + "': " + std::generic_category().message(errno));
  }
  return text;
}

// A bearer token (RFC 6750, section 2.1) stands in a header: nothing else may.
std::string checked_token(std::string text, const std::string& origin) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  std::size_t blank = 0;
  while (blank < text.size() && is_space(text[blank])) ++blank;
  text.erase(0, blank);
  const auto fault = [&]() -> std::string {
    if (text.empty()) return "it is empty";
    if (text.size() > kLongestToken) return "it is longer than 8 KiB";
    for (const char c : text) {
      if (c <= ' ' || c > '~') return "it holds characters that no token has";
    }
    return {};
  }();
  if (!fault.empty()) {
    throw Error(ErrorKind::config, "cannot use the token of " + origin + ": " + fault);
  }
  return text;
}

bool is_loopback_url(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  url = url.substr(0, url.find('/'));
  if (url.starts_with("[::1]")) return true;
  const std::string_view host = url.substr(0, url.find(':'));
  return host == "localhost" || (host.starts_with("127.") &&
                                 host.find_first_not_of("0123456789.") == std::string_view::npos);
}

}  // namespace

Session::Session(GlobalOptions options, const Surroundings& surroundings)
    : options_(std::move(options)), surroundings_(surroundings) {}

const GlobalOptions& Session::options() {
  if (completed_) return options_;
  completed_ = true;
  if (!options_.agent.empty()) {
    agent_origin_ = "--agent";
  } else if (const auto named = surroundings_.variable("RESMGR_AGENT")) {
    options_.agent = *named;
    agent_origin_ = "RESMGR_AGENT";
  }
  const std::string file = settings_file(surroundings_);
  if (file.empty()) return options_;
  const auto no_variables = [](const std::string&) { return std::optional<std::string>(); };
  const Config config =
      Config::load(kKeys, file, false, no_variables, {}, Unknown::pass_over_sections);
  if (options_.agent.empty() && config.is_set("cli.agent")) {
    options_.agent = config.text("cli.agent");
    agent_origin_ = config.origin("cli.agent");
  }
  const bool token_given = !options_.token_file.empty() || surroundings_.variable("RESMGR_TOKEN") ||
                           surroundings_.variable("RESMGR_TOKEN_FILE");
  if (!token_given) options_.token_file = config.text("cli.token_file");
  if (options_.ca_file.empty()) options_.ca_file = config.text("cli.ca_file");
  if (options_.output.empty()) options_.output = config.text("cli.output");
  return options_;
}

Format Session::format() {
  const std::string& name = options_.output.empty() ? options().output : options_.output;
  if (name.empty()) return out().is_terminal() ? Format::table : Format::tsv;
  const auto format = format_from(name);
  if (!format) {
    throw Error(ErrorKind::config, "cannot use cli.output '" + name + "': it is no form of output",
                "table, tsv, json or csv");
  }
  return *format;
}

AgentAddress Session::address() {
  const std::string& named = options().agent;
  return named.empty() ? find_agent(surroundings_) : parse_agent_address(named, agent_origin_);
}

std::string Session::token() {
  std::string file = options_.token_file;
  if (file.empty()) {
    if (auto token = surroundings_.variable("RESMGR_TOKEN")) {
      return checked_token(*std::move(token), "RESMGR_TOKEN");
    }
    file = surroundings_.variable("RESMGR_TOKEN_FILE").value_or("");
  }
  return file.empty() ? "" : checked_token(read_token_file(file), "file '" + file + "'");
}

ApiClient& Session::connect(Connection& connection, Millis read_timeout) {
  if (connection.api) return *connection.api;
  const AgentAddress agent = address();
  const std::string token = this->token();
  if (!token.empty() && agent.url.starts_with("http://") && !is_loopback_url(agent.url) &&
      !quick_.api && !patient_.api) {
    err().write("resmgr: warning: the token goes to '" + agent.shown +
                "' unencrypted; use https\n");
    err().flush();
  }
  HttpEndpoint endpoint;
  endpoint.url = agent.url;
  endpoint.ca_file = options_.ca_file;
  endpoint.read_timeout = read_timeout;
  connection.http = surroundings_.connect(endpoint);
  connection.api = std::make_unique<ApiClient>(*connection.http, agent, token, surroundings_);
  return *connection.api;
}

ApiClient& Session::api() { return connect(quick_, kQuick); }
ApiClient& Session::patient_api() { return connect(patient_, kPatient); }

}  // namespace resmgr::cli
