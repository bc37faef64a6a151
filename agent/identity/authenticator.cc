#include "agent/identity/authenticator.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <mutex>
#include <shared_mutex>
#include <system_error>
#include <utility>

#include "agent/identity/jwks.h"
#include "agent/identity/jws.h"
#include "agent/identity/jwt.h"
#include "agent/identity/remote_key_set.h"
#include "agent/identity/token_cache.h"
#include "common/config.h"
#include "common/crypto.h"
#include "common/error.h"
#include "common/log.h"

namespace resmgr::identity {
namespace {

constexpr std::size_t kMaxKeyFileBytes = 1 << 20;

[[noreturn]] void refuse_token(std::string why) {
  throw Error(ErrorKind::unauthenticated, std::move(why));
}

std::string read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorKind::config, std::generic_category().message(errno));
  std::string text(kMaxKeyFileBytes + 1, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(text.size())) && !file.eof()) {
    throw Error(ErrorKind::config, "it can't be read");
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxKeyFileBytes) throw Error(ErrorKind::config, "it is larger than 1 MiB");
  return text;
}

// `read` throws Error(config) with a cause; which file it was is said here.
template <typename Read>
void with_file(std::string_view what, const std::string& path, const Read& read) {
  if (path.empty()) return;
  try {
    read();
  } catch (const Error& e) {
    throw Error(ErrorKind::config,
                "cannot use " + std::string(what) + " '" + path + "': " + e.message(), e.hint());
  }
}

KeySet read_key_files(const AuthOptions& options) {
  KeySet keys;
  if (!options.hmac_key_file.empty()) {
    std::string secret = read_key_file(options.hmac_key_file);
    with_file("[auth] hmac_key_file", options.hmac_key_file, [&] {
      keys.add({VerificationKey::from_secret(std::move(secret)), std::nullopt});
    });
  }
  with_file("[auth] public_key_file", options.public_key_file, [&] {
    keys.add({VerificationKey::from_pem(read_file(options.public_key_file)), std::nullopt});
  });
  with_file("[auth] jwks_file", options.jwks_file, [&] {
    const KeySet set = KeySet::parse(read_file(options.jwks_file), SharedKeys::allow);
    for (const std::string& reason : set.skipped()) {
      log::warning("Left out of [auth] jwks_file {File}: {Reason}",
                   {{"File", options.jwks_file}, {"Reason", reason}});
    }
    keys.add_all(set);
  });
  return keys;
}

// RFC 9110, section 11.4: the scheme's case does not matter, and spaces end it.
std::string_view bearer_token(std::string_view authorization) {
  if (authorization.empty()) {
    Error error(ErrorKind::unauthenticated, "there is no token",
                "send Authorization: Bearer and a token");
    error.problem = "token-missing";
    throw error;
  }
  constexpr std::string_view kScheme = "bearer ";
  const bool bearer =
      authorization.size() > kScheme.size() &&
      std::equal(kScheme.begin(), kScheme.end(), authorization.begin(), [](char wanted, char c) {
        return wanted == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
      });
  if (!bearer) refuse_token("the authorization scheme is not Bearer");
  authorization.remove_prefix(
      std::min(authorization.find_first_not_of(' ', kScheme.size()), authorization.size()));
  return authorization;
}

std::string login_name(uid_t uid) {
  // Enough for any entry; where it is not, the number is as good a name.
  std::array<char, 16'384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return entry.pw_name;
  }
  return std::to_string(uid);
}

}  // namespace

// What a reload replaces, as a whole.
struct Authenticator::Setup {
  bool has_keys() const { return remote != nullptr || files.size() > 0; }
  void require_keys() const;
  [[noreturn]] void refuse_unknown_key() const;

  AuthOptions options;
  KeySet files;
  std::shared_ptr<RemoteKeySet> remote;  // null: no URL
};

struct Authenticator::State {
  State(const Clock& a_clock, std::string an_agent_id)
      : clock(a_clock), agent_id(std::move(an_agent_id)) {}

  std::shared_ptr<const Setup> current() const {
    const std::shared_lock lock(mutex);
    return setup;
  }
  void take(Setup fresh);

  std::optional<Principal> cached(const std::string& digest, const AuthOptions& options);
  struct Checked {
    std::optional<Principal> principal;     // empty: no key that is here may have signed it
    std::shared_ptr<const KeySet> fetched;  // what the remote keys were; null: none yet
  };
  // `generation` is the cache's from before `setup` was read: with an older setup, the cache takes
  // no entry.
  Checked check(std::string_view token, const std::string& digest, const Setup& setup,
                std::uint64_t generation);

  const Clock& clock;
  const std::string agent_id;
  TokenCache cache;

  mutable std::shared_mutex mutex;     // held for no I/O
  std::shared_ptr<const Setup> setup;  // guarded by `mutex`; never null
};

void Authenticator::State::take(Setup fresh) {
  auto shared = std::make_shared<const Setup>(std::move(fresh));
  {
    const std::unique_lock lock(mutex);
    std::swap(setup, shared);
  }
  cache.clear();
}

std::optional<Principal> Authenticator::State::cached(const std::string& digest,
                                                      const AuthOptions& options) {
  std::optional<Principal> found = cache.find(digest);
  if (found && expired(*found->expires_at, options, clock.now())) {
    cache.erase(digest);
    refuse_token("the token expired");
  }
  return found;
}

Authenticator::State::Checked Authenticator::State::check(std::string_view token,
                                                          const std::string& digest,
                                                          const Setup& its_setup,
                                                          std::uint64_t generation) {
  Checked checked;
  if (its_setup.remote) checked.fetched = its_setup.remote->keys();
  checked.principal = cached(digest, its_setup.options);
  if (checked.principal) return checked;

  const Jws jws = parse_jws(token);
  const Verdict verdict = verify(jws, {&its_setup.files, checked.fetched.get()});
  if (verdict != Verdict::verified) {
    const bool may_still_come = its_setup.remote != nullptr && checked.fetched == nullptr;
    if (verdict == Verdict::unknown_key || may_still_come) return checked;
    refuse_token("the signature of the token does not verify");
  }
  checked.principal = principal_from_claims(jws.payload, its_setup.options, clock.now());
  cache.insert(digest, *checked.principal, generation);
  return checked;
}

void Authenticator::Setup::refuse_unknown_key() const {
  if (!remote || !remote->failing())
    refuse_token("the token was signed with a key that is not known");
  Error error(ErrorKind::unavailable,
              "cannot check the token: its key is not known, and the key set can't be fetched",
              "again later; if it stays so, look at [auth] jwks_url and at its server");
  error.retry_after = remote->retry_after();
  throw error;
}

Authenticator::Authenticator(AuthOptions options, const Clock& clock, std::string agent_id,
                             std::unique_ptr<HttpClient> jwks_client)
    : state_(std::make_unique<State>(clock, std::move(agent_id))) {
  Setup setup;
  if (!options.jwks_url.empty()) {
    setup.remote = std::make_shared<RemoteKeySet>(options.jwks_url, options.jwks_ca_file, clock,
                                                  std::move(jwks_client));
  }
  setup.files = read_key_files(options);
  setup.options = std::move(options);
  state_->take(std::move(setup));
}

Authenticator::~Authenticator() = default;

bool Authenticator::configured() const { return state_->current()->has_keys(); }

std::optional<Principal> Authenticator::authenticate(std::string_view authorization,
                                                     bool may_fetch) {
  state_->current()->require_keys();
  return authenticate_token(bearer_token(authorization), may_fetch);
}

std::optional<Principal> Authenticator::authenticate_token(std::string_view token, bool may_fetch) {
  state_->current()->require_keys();
  if (token.size() > kMaxTokenBytes) refuse_token("the token is longer than 8 KiB");
  const std::string digest = sha256(token);
  // Ends after two rounds, or three if another thread changes the keys meanwhile: the next attempt
  // is not allowed before kMinInterval.
  for (;;) {
    const std::uint64_t generation = state_->cache.generation();
    const std::shared_ptr<const Setup> setup = state_->current();
    RemoteKeySet* const remote = setup->remote.get();
    State::Checked checked = state_->check(token, digest, *setup, generation);
    const bool fetch_first =
        remote != nullptr && (checked.principal ? remote->refresh_due() : remote->obtainable());
    if (fetch_first) {
      if (!may_fetch) return std::nullopt;
      if (remote->obtain()) state_->cache.clear();
    } else if (checked.principal) {
      return std::move(checked.principal);
    } else if (remote == nullptr || remote->keys() == checked.fetched) {
      setup->refuse_unknown_key();
    }
  }
}

void Authenticator::Setup::require_keys() const {
  if (has_keys()) return;
  Error error(ErrorKind::unauthenticated,
              "no key is configured in [auth], so no token can be checked",
              "set hmac_key_file, public_key_file, jwks_file or jwks_url in [auth], or use the "
              "unix socket on the agent's host");
  error.problem = "auth-not-configured";
  throw error;
}

Principal Authenticator::socket_peer(uid_t uid) const {
  Principal principal;
  principal.user_id = uuid_v5(state_->agent_id, "uid:" + std::to_string(uid));
  principal.admin = true;
  principal.name = login_name(uid);
  principal.via_socket = true;
  return principal;
}

void Authenticator::reload(AuthOptions options) {
  const std::shared_ptr<const Setup> before = state_->current();
  Setup setup;
  setup.files = read_key_files(options);
  const bool same_url = options.jwks_url == before->options.jwks_url &&
                        options.jwks_ca_file == before->options.jwks_ca_file;
  if (same_url) {
    setup.remote = before->remote;
    if (setup.remote) setup.remote->expire();
  } else if (!options.jwks_url.empty()) {
    setup.remote = std::make_shared<RemoteKeySet>(options.jwks_url, options.jwks_ca_file,
                                                  state_->clock, nullptr);
  }
  setup.options = std::move(options);
  state_->take(std::move(setup));
}

}  // namespace resmgr::identity
