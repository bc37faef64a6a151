#include "agent/identity/user_directory.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/error.h"
#include "common/json.h"
#include "common/log.h"

namespace resmgr::identity {
namespace {

// Nobody's, so that a check tells nothing and learns nothing about anybody.
constexpr char kNobody[] = "00000000-0000-4000-8000-000000000000";

// For lists and records: one line, and not without end.
std::string clean(std::string text) {
  constexpr std::size_t kMost = 320;  // of an e-mail address
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (text.size() > kMost) {
    std::size_t end = kMost;
    // Not in the middle of a character of UTF-8.
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text.resize(end);
  }
  return text;
}

std::string first_of(const Json& json, std::initializer_list<const char*> members) {
  for (const char* const member : members) {
    if (std::string text = clean(string_or(json, member)); !text.empty()) return text;
  }
  return {};
}

// {email, username, …}, or that inside `data`.
UserProfile read_profile(const std::string& body) {
  const Json answer = Json::parse(body, nullptr, false);
  if (!answer.is_object()) throw Error(ErrorKind::rejected, "its answer is no JSON object");
  const bool inside = answer.contains("data") && answer["data"].is_object();
  const Json& user = inside ? answer["data"] : answer;
  UserProfile profile;
  profile.email = first_of(user, {"email"});
  profile.full_name = first_of(user, {"fullName", "fullname", "full_name", "name"});
  if (profile.full_name.empty()) {
    const std::string first = first_of(user, {"firstName"});
    const std::string last = first_of(user, {"lastName"});
    profile.full_name = first + (first.empty() || last.empty() ? "" : " ") + last;
  }
  if (profile.full_name.empty()) profile.full_name = first_of(user, {"username"});
  if (profile.email.empty() && profile.full_name.empty()) {
    throw Error(ErrorKind::rejected, "its answer holds neither an e-mail address nor a name");
  }
  return profile;
}

[[noreturn]] void refuse(int status) {
  if (status == 401 || status == 403) {
    throw Error(ErrorKind::rejected, "it refuses the token (" + std::to_string(status) + ")",
                "put one that may read users into [identity] token_file");
  }
  throw Error(ErrorKind::unavailable, "it answered " + std::to_string(status));
}

HttpCaller caller_for(const Destination& destination, std::unique_ptr<HttpClient> client) {
  constexpr Millis kWhole = UserDirectory::kMaxAnswer;
  if (client) return {std::move(client), kWhole, UserDirectory::kMaxBytes};
  return {endpoint_of(destination, kWhole), kWhole, UserDirectory::kMaxBytes};
}

}  // namespace

UserDirectory::UserDirectory(const Destination& destination, const Clock& clock,
                             std::unique_ptr<HttpClient> client)
    : clock_(clock),
      token_(destination.secret),
      shown_(destination.url),
      caller_(caller_for(destination, std::move(client))),
      cache_(kMaxUsers),
      backoff_(kMinPause, kMaxPause) {}

UserDirectory::~UserDirectory() { stop(); }

void UserDirectory::run() {
  worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void UserDirectory::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      asked_for_.wait(lock, stop, [this] { return !waiting_.empty(); });
    }
    if (!stop.stop_requested()) step();
  }
}

bool UserDirectory::may_ask() const { return clock_.since_boot() >= pause_until_; }

std::optional<UserProfile> UserDirectory::known(const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  const ProfileCache::Entry* const entry = cache_.find(user_id);
  const Millis now = clock_.since_boot();
  const bool fresh =
      entry != nullptr && now - entry->read_at < (entry->profile ? kMaxAge : kMaxAgeOfUnknown);
  if (!fresh && may_ask() && waiting_.size() < kMaxWaiting &&
      std::ranges::find(waiting_, user_id) == waiting_.end()) {
    waiting_.push_back(user_id);
    asked_for_.notify_one();
  }
  return entry == nullptr ? std::nullopt : entry->profile;
}

std::optional<UserProfile> UserDirectory::profile_of(const std::string& user_id) {
  const auto read = [&](bool& fresh) {
    const std::lock_guard lock(mutex_);
    const ProfileCache::Entry* const entry = cache_.find(user_id);
    const Millis now = clock_.since_boot();
    fresh = !may_ask() || (entry != nullptr &&
                           now - entry->read_at < (entry->profile ? kMaxAge : kMaxAgeOfUnknown));
    return entry == nullptr ? std::nullopt : entry->profile;
  };
  bool fresh = false;
  if (auto profile = read(fresh); fresh) return profile;
  ask_and_remember(user_id);
  return read(fresh);
}

bool UserDirectory::step() {
  std::string user_id;
  {
    const std::lock_guard lock(mutex_);
    // Whoever asks again when the service has recovered is put in again.
    if (!may_ask()) waiting_.clear();
    if (waiting_.empty()) return false;
    user_id = std::move(waiting_.front());
    waiting_.pop_front();
  }
  ask_and_remember(user_id);
  return true;
}

void UserDirectory::ask_and_remember(const std::string& user_id) {
  try {
    std::optional<UserProfile> profile = ask(user_id);
    {
      const std::lock_guard lock(mutex_);
      cache_.put({user_id, std::move(profile), clock_.since_boot()});
    }
    note_success();
  } catch (const Error& error) {
    note_failure(error.message(), error.hint());
  } catch (const std::exception& error) {
    note_failure(error.what(), "");
  }
}

std::optional<UserProfile> UserDirectory::ask(const std::string& user_id) {
  HttpRequest request;
  request.target = "/api/users/" + url_encode(user_id);
  request.headers = {{"Accept", "application/json"}};
  if (token_.given()) request.headers.emplace_back("Authorization", "Bearer " + token_.read());
  const HttpResponse response = caller_.send(request);
  if (response.status == 404) return std::nullopt;
  if (response.status != 200) refuse(response.status);
  return read_profile(response.body);
}

void UserDirectory::check() { static_cast<void>(ask(kNobody)); }

void UserDirectory::note_success() {
  const std::lock_guard lock(mutex_);
  backoff_.reset();
  pause_until_ = Millis{0};
  if (std::exchange(failing_, false)) {
    log::info("The identity service {Url} answers again", {{"Url", shown_}});
  }
}

void UserDirectory::note_failure(const std::string& cause, const std::string& hint) {
  const std::lock_guard lock(mutex_);
  if (caller_.is_interrupted()) return;
  pause_until_ = clock_.since_boot() + backoff_.next();
  if (std::exchange(failing_, true)) return;
  log::warning("The identity service {Url} fails, names of users may be missing: {Cause}{Hint}",
               {{"Url", shown_}, {"Cause", cause}, {"Hint", hint.empty() ? "" : "; " + hint}});
}

}  // namespace resmgr::identity
