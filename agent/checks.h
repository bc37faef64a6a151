// Trying once what the configuration names: a check each, all at the same time.
#ifndef RESMGR_AGENT_CHECKS_H_
#define RESMGR_AGENT_CHECKS_H_

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/settings.h"
#include "common/clock.h"
#include "common/destination.h"
#include "common/error.h"
#include "common/json.h"

namespace resmgr {

// It works, and somebody should look at it all the same.
class Doubt final : public Error {
 public:
  explicit Doubt(std::string message, std::string hint = {})
      : Error(ErrorKind::config, std::move(message), std::move(hint)) {}
};

struct Check {
  std::string name;         // "seq"
  std::string destination;  // where it goes, for people; no secrets
  // Returns what was found, one line. Throws Doubt, or Error that says what is wrong. Changes
  // nothing at the destination, has time limits of its own, and ends soon when a stop is requested.
  // Empty: the destination is not configured.
  std::function<std::string(const std::stop_token& stop)> run;
};

struct CheckResult {
  enum class State { good, doubtful, failed, off };
  std::string name;
  std::string destination;
  State state = State::off;
  std::string text;  // what was found, or what is wrong; no secrets
  std::string hint;
};
std::string_view to_string(CheckResult::State state);  // "ok", "warning", "failed", "off"

// One for each destination; empty: it is not configured. None of them changes anything there: Seq
// gets an empty batch, the BlockchainService no record, PostgreSQL a transaction that is undone.
Check key_set_check(const identity::AuthOptions& auth);
Check postgres_check(const std::optional<sinks::PostgresOptions>& postgres);
Check seq_check(const std::optional<Destination>& seq);
Check blockchain_check(const std::optional<Destination>& blockchain);
Check identity_check(const std::optional<Destination>& identity);

// All of them, as they are configured. The settings need not outlive them.
std::vector<Check> destination_checks(const Settings& settings);

// In the order of the checks. After `limit` those that still run are asked to stop.
std::vector<CheckResult> run_checks(const std::vector<Check>& checks, Millis limit);

// [{name, state, destination, text, hint}]: null where there is nothing to say.
Json checks_to_json(const std::vector<CheckResult>& results);

}  // namespace resmgr

#endif  // RESMGR_AGENT_CHECKS_H_
