#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/commands/commands.h"
#include "cli/dev_token.h"
#include "cli/exit_code.h"
#include "common/config.h"
#include "common/crypto.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

constexpr char kAgentConfig[] = "/etc/resmgr/resmgr.toml";
// The namespace of URLs (RFC 9562, section 6.6).
constexpr char kUrlNamespace[] = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";

struct TokenOptions {
  std::string user;
  std::vector<std::string> roles;
  bool admin = false;
  std::string expires = "1h";
  std::string key_file;
  std::string agent_config;
};

// What a token is made of; the agent checks the whole section.
constexpr std::array<ConfigKey, 6> kAuthKeys = {{
    {"auth", "hmac_key_file", ConfigType::text, "", ""},
    {"auth", "issuer", ConfigType::text, "", ""},
    {"auth", "audience", ConfigType::text, "", ""},
    {"auth", "admin_role", ConfigType::text, "admin", ""},
    {"auth", "user_claims", ConfigType::text_list, "sub", ""},
    {"auth", "role_claims", ConfigType::text_list, "role", ""},
}};

// RESMGR_CONFIG may hold the command's own settings only.
std::vector<std::string> agent_configs(const Surroundings& around, const TokenOptions& options) {
  if (!options.agent_config.empty()) return {options.agent_config};
  std::vector<std::string> files;
  if (const auto named = around.variable("RESMGR_CONFIG")) files.push_back(*named);
  files.emplace_back(kAgentConfig);
  return files;
}

Config load_auth(const Surroundings& around, const TokenOptions& options, const std::string& file) {
  return Config::load(kAuthKeys, file, file == options.agent_config, around.environment, {},
                      Unknown::pass_over_all);
}

// The same for the same login name, so that one's tasks are found again.
std::string usual_user(const std::string& login_name) {
  return uuid_v5(kUrlNamespace, "resmgr:development:" + login_name);
}

int run_token(Session& session, const TokenOptions& options) {
  const Surroundings& around = session.surroundings();
  const auto files = agent_configs(around, options);
  Config config = load_auth(around, options, files.front());
  if (files.size() > 1 && !config.is_set("auth.hmac_key_file")) {
    config = load_auth(around, options, files.back());
  }
  const std::string key_file =
      options.key_file.empty() ? config.text("auth.hmac_key_file") : options.key_file;
  if (key_file.empty()) {
    throw Error(ErrorKind::config,
                "cannot make a token: '" + files.back() + "' names no [auth] hmac_key_file",
                "--agent-config FILE or --key-file FILE");
  }
  TokenClaims claims;
  claims.user_id =
      options.user.empty() ? usual_user(around.login_name()) : parse_user(options.user);
  claims.roles = options.roles;
  if (options.admin) claims.roles.push_back(config.text("auth.admin_role"));
  const auto user_claims = config.text_list("auth.user_claims");
  const auto role_claims = config.text_list("auth.role_claims");
  if (!user_claims.empty()) claims.user_claim = user_claims.front();
  if (!role_claims.empty()) claims.role_claim = role_claims.front();
  claims.issuer = config.text("auth.issuer");
  claims.audience = config.text("auth.audience");
  claims.issued_at = around.clock.now();
  claims.lifetime = parse_length(options.expires, "--expires");
  session.out().write(mint_token(claims, read_key_file(key_file)) + "\n");
  std::string roles;
  for (const std::string& role : claims.roles) roles += (roles.empty() ? "" : ", ") + role;
  session.err().write("resmgr: a token for development, valid for " +
                      format_duration(claims.lifetime) + ": user " + claims.user_id +
                      (roles.empty() ? "" : ", role " + roles) + "\n");
  return kDone;
}

constexpr char kTokenFooter[] = R"(
Signs with the key that [auth] hmac_key_file of the agent's configuration names,
and puts in issuer and audience as configured there. The configuration is
--agent-config, else RESMGR_CONFIG, else /etc/resmgr/resmgr.toml. This is for
development: whoever can read that key can be anyone. In production an identity
service makes the tokens.

Examples:
  (umask 077; resmgr token --admin > token)
  RESMGR_TOKEN=$(resmgr token) resmgr --agent http://127.0.0.1:7070 list
)";

}  // namespace

void add_token(CLI::App& root, Invocation& invocation) {
  const auto options = std::make_shared<TokenOptions>();
  CLI::App* const token =
      root.add_subcommand("token", "Make a token for development with the agent's key");
  token->add_option("-u,--user", options->user, "Its user (default: one made of the login name)")
      ->type_name("UUID");
  token->add_option("--role", options->roles, "A role it has (repeatable)")
      ->type_name("ROLE")
      ->allow_extra_args(false);
  token->add_flag("--admin", options->admin, "The role that the agent's configuration calls admin");
  token->add_option("--expires", options->expires, "How long it is valid (default: 1h)")
      ->type_name("DURATION");
  token->add_option("--key-file", options->key_file, "Sign with this key instead")
      ->type_name("FILE");
  token->add_option("--agent-config", options->agent_config, "The agent's configuration")
      ->type_name("FILE");
  token->footer(kTokenFooter);
  token->callback([&invocation, options] {
    invocation.run = [options](Session& session) { return run_token(session, *options); };
  });
}

}  // namespace resmgr::cli
