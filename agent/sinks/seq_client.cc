#include "agent/sinks/seq_client.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/error.h"
#include "common/json.h"

namespace resmgr::sinks {
namespace {

constexpr char kTarget[] = "/ingest/clef";
constexpr char kContentType[] = "application/vnd.serilog.clef; charset=utf-8";
constexpr std::size_t kMostCauseBytes = 200;

// What Seq gives as the reason, or nothing.
std::string cause_in(const HttpResponse& response) {
  std::string cause;
  try {
    cause = string_or(parse_json(response.body, "answer"), "Error");
  } catch (const Error&) {
    return {};
  }
  cause.resize(std::min(cause.size(), kMostCauseBytes));
  std::ranges::replace_if(
      cause, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return cause.empty() ? cause : ": " + cause;
}

// Empty: everything is wanted. Throws Error(usage) where it is no answer of Seq's.
std::optional<log::Level> minimum_level_in(const std::string& body) {
  if (body.empty()) return std::nullopt;
  const Json answer = parse_json(body, "answer");
  if (!answer.is_object()) throw Error(ErrorKind::usage, "cannot read answer: it is no object");
  const std::string name = string_or(answer, "MinimumLevelAccepted");
  if (name.empty()) return std::nullopt;
  try {
    return log::level_from(name);
  } catch (const Error&) {
    return std::nullopt;  // of a Seq that knows more than we do
  }
}

}  // namespace

SeqClient::SeqClient(const Destination& destination, Millis timeout, const Clock& clock)
    : api_key_(destination.secret),
      clock_(clock),
      caller_(endpoint_of(destination, timeout), timeout) {}

Outcome SeqClient::post(std::string lines) {
  try {
    HttpRequest request{.method = "POST", .target = kTarget, .body = std::move(lines)};
    request.headers.emplace_back("Content-Type", kContentType);
    if (std::string key = api_key_.read(); !key.empty()) {
      request.headers.emplace_back("X-Seq-ApiKey", std::move(key));
    }
    return take(caller_.send(request));
  } catch (const Error& error) {
    Outcome outcome = error.kind() == ErrorKind::config ? Outcome::refused(error.message())
                                                        : Outcome::retry(error.message());
    outcome.hint = error.hint();
    return outcome;
  }
}

Outcome SeqClient::take(const HttpResponse& response) {
  const int status = response.status;
  const std::string said = "it answered " + std::to_string(status) + cause_in(response);
  if (status >= 200 && status < 300) {
    try {
      minimum_level_ = minimum_level_in(response.body);
    } catch (const Error&) {
      return Outcome::refused(said + ", which is no answer of Seq's", "check the url in [seq]");
    }
    asked_at_ = clock_.since_boot();
    return Outcome::delivered();
  }
  if (status == 400 || status == 413) return Outcome::rejected(said);
  Outcome outcome = Outcome::refused(said, "check the url in [seq]");
  if (status == 401 || status == 403) {
    outcome.hint = api_key_.given() ? "give api_key_file in [seq] a key that Seq knows"
                                    : "give an API key by api_key_file in [seq]";
  } else if (status == 408 || status == 429 || status >= 500) {
    outcome = Outcome::retry(said);
  }
  outcome.retry_after = retry_after(response, clock_.now());
  return outcome;
}

}  // namespace resmgr::sinks
