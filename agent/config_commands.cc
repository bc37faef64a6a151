#include "agent/config_commands.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "agent/catalog/catalog.h"
#include "agent/identity/authenticator.h"
#include "agent/settings.h"
#include "common/error.h"
#include "common/json.h"

namespace resmgr {
namespace {

// Each check's own limits are below it.
constexpr Millis kCheckLimit{30'000};

using Row = std::vector<std::string>;

// A value may hold what a terminal would obey, and a tab would be another column.
std::string printable(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

std::string tsv(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : "\t") + printable(row[i]);
    text += '\n';
  }
  return text;
}

// Columns as wide as what is in them, the last one as it comes.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += printable(row[i]);
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

ConfigOutput usual_output() {
  return isatty(STDOUT_FILENO) == 1 ? ConfigOutput::table : ConfigOutput::tsv;
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return;
  }
  throw Error(ErrorKind::unavailable, "cannot write to standard output");
}

CheckResult catalog_result(const Settings& settings) {
  const auto catalog = catalog::Catalog::load(settings.services_dirs);
  CheckResult result{"catalog", {}, CheckResult::State::good, {}, {}};
  for (const std::string& folder : settings.services_dirs) {
    result.destination += (result.destination.empty() ? "" : ",") + folder;
  }
  result.text = std::to_string(catalog->services().size()) + " services";
  for (const auto& fault : catalog->faults()) {
    result.text = result.state == CheckResult::State::failed ? result.text + "; " : "";
    result.text += fault.where + ": " + fault.what;
    result.state = CheckResult::State::failed;
  }
  return result;
}

// What lies on this host, then what lies elsewhere.
std::vector<CheckResult> all_results(const std::function<Config()>& load, const std::string& file) {
  std::vector<CheckResult> results = {
      {"configuration", file, CheckResult::State::good, "can be used", {}}};
  std::vector<Check> checks;
  try {
    const Settings settings = settings_from(load());
    const SystemClock clock;
    // Reads the keys.
    static_cast<void>(identity::Authenticator(settings.auth, clock, ""));
    results.push_back(catalog_result(settings));
    checks = destination_checks(settings);
  } catch (const Error& error) {
    results.front().state = CheckResult::State::failed;
    results.front().text = error.message();
    results.front().hint = error.hint();
    return results;
  }
  for (auto& result : run_checks(checks, kCheckLimit)) results.push_back(std::move(result));
  return results;
}

}  // namespace

std::optional<ConfigOutput> config_output_from(std::string_view name) {
  if (name == "table") return ConfigOutput::table;
  if (name == "tsv") return ConfigOutput::tsv;
  if (name == "json") return ConfigOutput::json;
  return std::nullopt;
}

std::string render_checks(const std::vector<CheckResult>& results, ConfigOutput output) {
  if (output == ConfigOutput::json) {
    return dump_json(checks_to_json(results)) + "\n";
  }
  std::vector<Row> rows;
  for (const CheckResult& result : results) {
    const std::string state(to_string(result.state));
    if (output == ConfigOutput::tsv) {
      rows.push_back({state, result.name, result.destination, result.text, result.hint});
      continue;
    }
    // A fault names its destination itself.
    const bool failed = result.state == CheckResult::State::failed;
    std::string text = failed || result.destination.empty() ? result.text : result.destination;
    if (!failed && !result.destination.empty() && !result.text.empty()) text += ": " + result.text;
    rows.push_back({state, result.name, text});
    if (!result.hint.empty()) rows.push_back({"", "", "Try: " + result.hint});
  }
  return output == ConfigOutput::tsv ? tsv(rows) : table(rows);
}

int show_config(const Config& config, std::optional<ConfigOutput> output) {
  const ConfigOutput form = output.value_or(usual_output());
  std::vector<Row> rows;
  Json all = Json::array();
  for (auto& shown : config.show()) {
    if (form == ConfigOutput::json) {
      all.push_back({{"key", shown.key}, {"value", shown.value}, {"origin", shown.origin}});
    } else {
      rows.push_back({shown.key, shown.value, shown.origin});
    }
  }
  if (form == ConfigOutput::json) {
    print(dump_json(all) + "\n");
  } else {
    print(form == ConfigOutput::tsv ? tsv(rows) : table(rows));
  }
  return EXIT_SUCCESS;
}

int check_config(const std::function<Config()>& load, const std::string& file,
                 std::optional<ConfigOutput> output) {
  const auto results = all_results(load, file);
  print(render_checks(results, output.value_or(usual_output())));
  const bool failed = std::ranges::any_of(results, [](const CheckResult& result) {
    return result.state == CheckResult::State::failed;
  });
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace resmgr
