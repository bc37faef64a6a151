#include "agent/identity/remote_key_set.h"

#include <algorithm>
#include <exception>
#include <stop_token>
#include <utility>

#include "common/crypto.h"
#include "common/destination.h"
#include "common/error.h"
#include "common/log.h"

namespace resmgr::identity {
namespace {

SplitUrl split(const std::string& url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    throw Error(ErrorKind::config, "cannot use [auth] jwks_url: it is no http or https URL",
                "https://host/path/jwks.json");
  }
  if (url.starts_with("http://") && !is_on_loopback(url)) {
    log::warning(
        "The key set of [auth] jwks_url is fetched without TLS: whoever is on the way "
        "can put keys of their own in it");
  }
  return split_url(url);
}

}  // namespace

RemoteKeySet::RemoteKeySet(const std::string& url, const std::string& ca_file, const Clock& clock,
                           std::unique_ptr<HttpClient> client)
    : clock_(clock), client_(std::move(client)) {
  SplitUrl parts = split(url);
  target_ = std::move(parts.target);
  if (client_) return;
  HttpEndpoint endpoint;
  endpoint.url = std::move(parts.origin);
  endpoint.ca_file = ca_file;
  endpoint.connect_timeout = kConnectTimeout;
  endpoint.read_timeout = kReadTimeout;
  client_ = make_http_client(endpoint);
}

std::shared_ptr<const KeySet> RemoteKeySet::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

bool RemoteKeySet::interval_over() const {
  return !last_attempt_ || clock_.since_boot() - *last_attempt_ >= kMinInterval;
}

bool RemoteKeySet::refresh_due() const {
  const std::lock_guard lock(mutex_);
  return !under_way_ && interval_over() &&
         (!last_success_ || clock_.since_boot() - *last_success_ >= kMaxAge);
}

bool RemoteKeySet::obtainable() const {
  const std::lock_guard lock(mutex_);
  return under_way_ || interval_over();
}

bool RemoteKeySet::failing() const {
  const std::lock_guard lock(mutex_);
  return failing_;
}

std::chrono::seconds RemoteKeySet::retry_after() const {
  const std::lock_guard lock(mutex_);
  const Millis since = last_attempt_ ? clock_.since_boot() - *last_attempt_ : kMinInterval;
  const Millis left = std::max(kMinInterval - since, Millis{1'000});
  return std::chrono::ceil<std::chrono::seconds>(left);
}

void RemoteKeySet::expire() {
  const std::lock_guard lock(mutex_);
  last_attempt_.reset();
  last_success_.reset();
}

bool RemoteKeySet::obtain() {
  std::unique_lock lock(mutex_);
  if (under_way_) {
    done_.wait(lock, [this] { return !under_way_; });
    return false;
  }
  if (!interval_over()) return false;
  under_way_ = true;
  last_attempt_ = clock_.since_boot();
  lock.unlock();
  const bool changed = attempt();
  lock.lock();
  under_way_ = false;
  done_.notify_all();
  return changed;
}

// Never throws: whoever waits for the attempt must be woken.
bool RemoteKeySet::attempt() {
  try {
    return accept(download());
  } catch (const Error& e) {
    note_failure(e.message());
  } catch (const std::exception& e) {
    note_failure(e.what());
  }
  return false;
}

KeySet RemoteKeySet::fetch() { return KeySet::parse(download(), SharedKeys::refuse); }

std::string RemoteKeySet::download() {
  HttpRequest request;
  request.target = target_;
  request.headers = {{"Accept", "application/jwk-set+json, application/json"}};
  std::string body;
  const Millis start = clock_.since_boot();
  bool cut = false;
  const HttpResponse response = client_->stream(
      request,
      [&](std::string_view chunk) {
        body.append(chunk.substr(0, kMaxBytes + 1 - std::min(body.size(), kMaxBytes + 1)));
        cut = body.size() > kMaxBytes || clock_.since_boot() - start > kMaxAttempt;
        return !cut;
      },
      kReadTimeout, std::stop_token());
  if (response.status != 200) {
    throw Error(ErrorKind::rejected, "its server answered " + std::to_string(response.status));
  }
  if (cut) throw Error(ErrorKind::rejected, "its server sent too much, or too slowly");
  return body;
}

bool RemoteKeySet::accept(const std::string& body) {
  std::string digest = sha256(body);
  auto keys = std::make_shared<const KeySet>(KeySet::parse(body, SharedKeys::refuse));
  const std::lock_guard lock(mutex_);
  if (std::exchange(said_so_, false)) log::info("The key set of [auth] jwks_url is there again");
  failing_ = false;
  last_success_ = clock_.since_boot();
  if (digest == body_digest_) return false;
  body_digest_ = std::move(digest);
  for (const std::string& reason : keys->skipped()) {
    log::debug("Left out of the key set of [auth] jwks_url: {Reason}", {{"Reason", reason}});
  }
  keys_ = std::move(keys);
  return true;
}

void RemoteKeySet::note_failure(const std::string& cause) {
  const std::lock_guard lock(mutex_);
  failing_ = true;
  if (std::exchange(said_so_, true)) return;
  log::warning("The key set of [auth] jwks_url can't be fetched; the last one stays: {Cause}",
               {{"Cause", cause}});
}

}  // namespace resmgr::identity
