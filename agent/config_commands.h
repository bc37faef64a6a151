// resmgr-agent config …: what counts, and whether it works.
#ifndef RESMGR_AGENT_CONFIG_COMMANDS_H_
#define RESMGR_AGENT_CONFIG_COMMANDS_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/checks.h"
#include "common/config.h"

namespace resmgr {

// Empty: a table on a terminal, tab-separated values in a pipe.
enum class ConfigOutput { table, tsv, json };
std::optional<ConfigOutput> config_output_from(std::string_view name);

// Each returns the exit code, prints to standard output, and throws Error where there is no
// configuration to speak of. Secrets are never printed.

// Every key, its value, and where that came from.
int show_config(const Config& config, std::optional<ConfigOutput> output);

// Whether an agent could start with it, and reach what it names. 1 if anything is wrong.
int check_config(const std::function<Config()>& load, const std::string& file,
                 std::optional<ConfigOutput> output);

// The results as they are printed.
std::string render_checks(const std::vector<CheckResult>& results, ConfigOutput output);

}  // namespace resmgr

#endif  // RESMGR_AGENT_CONFIG_COMMANDS_H_
