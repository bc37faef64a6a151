#include "agent/sinks/blockchain_sink.h"

#include <algorithm>
#include <utility>

#include "agent/sinks/usage_post.h"
#include "common/crypto.h"
#include "common/error.h"
#include "common/failpoint.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::sinks {
namespace {

constexpr std::size_t kLargestReceipt = std::size_t{1} << 20;

constexpr char kUrlHint[] = "set [blockchain] url to the whole URL that takes usage records";
constexpr char kTokenHint[] =
    "set [blockchain] token_file to a token with which usage records may be posted";

std::unique_ptr<HttpClient> make_client(const BlockchainOptions& options,
                                        const std::string& origin) {
  HttpEndpoint endpoint = endpoint_of(options.destination, options.timeout);
  endpoint.url = origin;
  return make_http_client(endpoint);
}

bool is_json(const std::string& text) { return Json::accept(text); }

}  // namespace

BlockchainSink::BlockchainSink(const BlockchainOptions& options, journal::Journal& journal,
                               const Clock& clock, identity::UserProfiles* profiles,
                               BilledBefore billed_before, std::unique_ptr<HttpClient> client)
    : options_(options),
      url_(split_url(options.destination.url)),
      journal_(journal),
      clock_(clock),
      profiles_(profiles),
      billed_before_(std::move(billed_before)),
      caller_(client ? std::move(client) : make_client(options, url_.origin), options.timeout,
              kLargestReceipt) {}

bool BlockchainSink::wants(const EventView& event) const {
  if (event.type != event_type::kEnded) return false;
  const auto is_its = [](const auto& one) { return one.sink == kName; };
  return journal_.reading([&](journal::Reader& reader) {
    return std::ranges::none_of(reader.cursors().receipts_of(event.task_id), is_its) &&
           std::ranges::none_of(reader.cursors().letters_of(event.task_id), is_its);
  });
}

void BlockchainSink::write(const EventView& event, std::string& payload) {
  const auto usage =
      journal_.reading([&](journal::Reader& reader) { return reader.usage_of(event.task_id); });
  payload = usage ? usage_post(*usage, std::nullopt) : "{}";
}

std::vector<Event> BlockchainSink::left_over(int limit) {
  const auto records = journal_.reading([&](journal::Reader& reader) {
    return reader.usage_records(
        {.user_id = {}, .unanswered_by = std::string(kName), .after = left_over_from_}, limit);
  });
  if (!records.empty()) left_over_from_ = records.front().number - 1;
  std::vector<Event> events;
  for (const auto& usage : records) {
    Event& event = events.emplace_back();
    event.seq = journal_.pruned_to();
    event.time = clock_.now();
    event.type = event_type::kEnded;
    event.task_id = usage.task_id;
  }
  return events;
}

// A journal that was restored lacks the ends that came after its copy was made. Their tasks end in
// it a second time, with another record, which the service can't know for the same: only who saw
// the first one can tell. What ended after the restore has no other.
std::optional<Outcome> BlockchainSink::hold(const Message& message,
                                            const journal::StoredUsage& usage) const {
  const auto replacement =
      journal_.reading([](journal::Reader& reader) { return reader.replacement(); });
  if (!replacement || message.seq <= replacement->seq) return std::nullopt;
  const Json record = parse_json(usage.record, "usage record");
  const auto stop = parse_rfc3339(string_or(record, "stopTime"));
  if (stop && *stop > replacement->time) return std::nullopt;
  return Outcome::held("may have been posted: its container ended before " +
                       format_rfc3339(replacement->time) +
                       ", when the journal was restored or rebuilt");
}

// Where the earlier record is known by its hash, that one is the task's bill.
Outcome BlockchainSink::adopt_or_hold(const Message& message, const Outcome& held) const {
  const auto hash = billed_before_ ? billed_before_(message.task_id) : std::nullopt;
  if (!hash) return held;
  Outcome outcome = Outcome::delivered();
  outcome.receipts.push_back({message.task_id, dump_json({{"adoptedUsageHash", *hash}})});
  return outcome;
}

std::string BlockchainSink::body_of(const journal::StoredUsage& usage) {
  const auto posts = journal_.reading(
      [&](journal::Reader& reader) { return reader.cursors().posts_of(usage.task_id); });
  for (const auto& post : posts) {
    if (post.sink == kName) return post.body;
  }
  std::optional<identity::UserProfile> profile;
  if (profiles_ != nullptr) {
    const Json record = parse_json(usage.record, "usage record");
    profile = profiles_->profile_of(string_or(record, "userId"));
  }
  std::string body = usage_post(usage, profile);
  failpoint("post.before_commit");
  journal_.transact([&](journal::Transaction& transaction) {
    transaction.cursors().put_post({std::string(kName), usage.task_id, clock_.now(), body});
  });
  failpoint("post.after_commit");
  return body;
}

Outcome BlockchainSink::deliver(const Batch& batch) {
  if (batch.messages.empty()) return Outcome::delivered();
  const Message& message = batch.messages.front();
  const auto usage =
      journal_.reading([&](journal::Reader& reader) { return reader.usage_of(message.task_id); });
  if (!usage) return Outcome::held("the journal has no usage record of the task");
  if (sha256_hex(usage->record) != usage->hash) {
    return Outcome::held("its usage record in the journal does not have the hash that it should");
  }
  if (!batch.again) {
    if (const auto held = hold(message, *usage)) return adopt_or_hold(message, *held);
  }
  HttpRequest post;
  post.method = "POST";
  post.target = url_.target;
  post.headers = {{"Accept", "application/json"}, {"Idempotency-Key", usage->hash}};
  const std::string token = options_.destination.secret.read();
  if (!token.empty()) post.headers.emplace_back("Authorization", "Bearer " + token);
  post.content_type = "application/json";
  post.body = body_of(*usage);
  return outcome_of(caller_.send(post), message);
}

Outcome BlockchainSink::outcome_of(const HttpResponse& response, const Message& message) {
  const int status = response.status;
  const bool taken = status / 100 == 2 && is_json(response.body);
  const bool known = status == 409 && !response.body.empty();
  if (taken || known) {
    Outcome outcome = Outcome::delivered();
    outcome.receipts.push_back({message.task_id, response.body});
    return outcome;
  }
  const std::string told = told_by(response);
  switch (status) {
    case 400:
    case 413:
    case 422:
      // It has no effect there: another try may say it otherwise.
      journal_.transact([&](journal::Transaction& transaction) {
        transaction.cursors().erase_post(kName, message.task_id);
      });
      return Outcome::rejected(told);
    case 401:
    case 403:
      return Outcome::refused(told, kTokenHint);
    case 404:
    case 405:
      return Outcome::refused(told, kUrlHint);
    default:
      break;
  }
  if (status / 100 == 2) return Outcome::retry(told + ", and no JSON with it");
  if (status / 100 == 3) return Outcome::refused(told + ", a redirect", kUrlHint);
  return Outcome::retry(told, retry_after(response, clock_.now()));
}

// "the service answered 503: overloaded". It may repeat what it was sent, but not the token.
std::string BlockchainSink::told_by(const HttpResponse& response) const {
  constexpr std::size_t kMost = 200;
  std::string text = response.body.substr(0, kMost);
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  const std::string token = options_.destination.secret.read();
  const bool repeats = !token.empty() && response.body.find(token) != std::string::npos;
  std::string told = "the service answered " + std::to_string(response.status);
  if (!text.empty() && !repeats) told += ": " + text;
  return told;
}

}  // namespace resmgr::sinks
