// What each destination is asked once.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "agent/checks.h"
#include "agent/identity/remote_key_set.h"
#include "agent/identity/user_directory.h"
#include "agent/sinks/postgres_sink.h"
#include "common/destination.h"
#include "common/error.h"
#include "common/http.h"
#include "common/json.h"

namespace resmgr {
namespace {

constexpr Millis kAnswerTimeout{10'000};

// The answer without the body of a good one, of which at most the first bytes matter.
struct Answer {
  int status = 0;
  std::string body;
};

Answer ask(const HttpEndpoint& endpoint, const HttpRequest& request, const std::stop_token& stop) {
  constexpr std::size_t kEnough = 4'096;
  Answer answer;
  const auto client = make_http_client(endpoint);
  const HttpResponse response = client->stream(
      request,
      [&](std::string_view chunk) {
        answer.body.append(chunk.substr(0, kEnough - std::min(kEnough, answer.body.size())));
        return answer.body.size() < kEnough;
      },
      kAnswerTimeout, stop);
  answer.status = response.status;
  if (answer.status == 0) {
    throw Error(ErrorKind::unavailable,
                "cannot get answer from '" + endpoint.url + "': none came in time");
  }
  return answer;
}

[[noreturn]] void fail(const std::string& what, const std::string& url, int status,
                       const std::string& hint) {
  throw Error(ErrorKind::rejected,
              "cannot use " + what + " '" + url + "': it answered " + std::to_string(status), hint);
}

bool is_refusal(int status) { return status == 401 || status == 403; }

// An empty batch, which Seq takes and which leaves nothing behind.
std::string ask_seq(const Destination& seq, const std::stop_token& stop) {
  HttpRequest request;
  request.method = "POST";
  request.target = "/ingest/clef";
  request.headers = {{"Content-Type", "application/vnd.serilog.clef; charset=utf-8"}};
  if (seq.secret.given()) request.headers.emplace_back("X-Seq-ApiKey", seq.secret.read());
  const Answer answer = ask(endpoint_of(seq, kAnswerTimeout), request, stop);
  if (is_refusal(answer.status)) {
    fail("Seq", seq.url, answer.status,
         "make an API key that may ingest, and put it into the file of [seq] api_key_file");
  }
  if (answer.status == 404 || answer.status == 405) {
    fail("Seq", seq.url, answer.status,
         "[seq] url is the server's alone, such as https://seq.example.org");
  }
  if (answer.status / 100 != 2) fail("Seq", seq.url, answer.status, "again later");
  const Json json = Json::parse(answer.body, nullptr, false);
  const std::string level = json.is_object() ? string_or(json, "MinimumLevelAccepted") : "";
  return level.empty() ? "takes events" : "takes events of level " + level + " and above";
}

// A question that changes nothing, for each post would be a record for ever.
std::string ask_blockchain(const Destination& blockchain, const std::stop_token& stop) {
  const SplitUrl url = split_url(blockchain.url);
  HttpEndpoint endpoint = endpoint_of(blockchain, kAnswerTimeout);
  endpoint.url = url.origin;
  HttpRequest request;
  request.method = "HEAD";
  request.target = url.target;
  if (blockchain.secret.given()) {
    request.headers.emplace_back("Authorization", "Bearer " + blockchain.secret.read());
  }
  const int status = ask(endpoint, request, stop).status;
  if (is_refusal(status)) {
    fail("BlockchainService", blockchain.url, status,
         "put a token that may post into the file of [blockchain] token_file");
  }
  if (status >= 500) fail("BlockchainService", blockchain.url, status, "again later");
  return "answers (nothing was posted)";
}

std::string ask_identity(const Destination& identity, const std::stop_token& /*stop*/) {
  const SystemClock clock;
  try {
    identity::UserDirectory(identity, clock).check();
  } catch (const NotConnected&) {
    throw;
  } catch (const Error& error) {
    throw Error(error.kind(),
                "cannot use IdentityService '" + identity.url + "': " + error.message(),
                error.hint());
  }
  return "answers";
}

std::string ask_key_set(const identity::AuthOptions& auth) {
  const SystemClock clock;
  const auto keys =
      identity::RemoteKeySet(auth.jwks_url, auth.jwks_ca_file, clock, nullptr).fetch();
  const std::string count = std::to_string(keys.size()) + (keys.size() == 1 ? " key" : " keys");
  return keys.skipped().empty() ? count
                                : count + ", and " + std::to_string(keys.skipped().size()) +
                                      " that can't be used: " + keys.skipped().front();
}

std::string ask_postgres(sinks::PostgresOptions options, const std::stop_token& stop) {
  options.timeout = std::min(options.timeout, kAnswerTimeout);
  sinks::PostgresSink sink(options);
  const std::stop_callback interrupt(stop, [&] { sink.interrupt(); });
  const auto outcome = sink.check();
  if (outcome.kind != sinks::Outcome::Kind::delivered) {
    throw Error(ErrorKind::config,
                "cannot use PostgreSQL '" + sinks::PostgresAddress(options).shown() +
                    "': " + outcome.reason,
                outcome.hint);
  }
  return "its tables are there, or can be made, in schema " + options.schema;
}

using Ask = std::string (*)(const Destination& to, const std::stop_token& stop);

Check check_of(std::string name, const std::optional<Destination>& destination, Ask ask) {
  Check check{std::move(name), {}, {}};
  if (!destination) return check;
  check.destination = destination->url;
  check.run = [ask, to = *destination](const std::stop_token& stop) { return ask(to, stop); };
  return check;
}

template <typename Options>
std::optional<Destination> destination_of(const std::optional<Options>& options) {
  return options ? std::optional(options->destination) : std::nullopt;
}

}  // namespace

Check key_set_check(const identity::AuthOptions& auth) {
  Check check{"auth", auth.jwks_url, {}};
  if (!auth.jwks_url.empty()) {
    check.run = [auth](const std::stop_token&) { return ask_key_set(auth); };
  }
  return check;
}

Check postgres_check(const std::optional<sinks::PostgresOptions>& postgres) {
  Check check{"postgres", {}, {}};
  if (!postgres) return check;
  check.destination = sinks::PostgresAddress(*postgres).shown();
  check.run = [options = *postgres](const std::stop_token& stop) {
    return ask_postgres(options, stop);
  };
  return check;
}

Check seq_check(const std::optional<Destination>& seq) { return check_of("seq", seq, ask_seq); }

Check blockchain_check(const std::optional<Destination>& blockchain) {
  return check_of("blockchain", blockchain, ask_blockchain);
}

Check identity_check(const std::optional<Destination>& identity) {
  return check_of("identity", identity, ask_identity);
}

std::vector<Check> destination_checks(const Settings& settings) {
  return {key_set_check(settings.auth), postgres_check(settings.postgres),
          seq_check(destination_of(settings.seq)),
          blockchain_check(destination_of(settings.blockchain)), identity_check(settings.identity)};
}

}  // namespace resmgr
