// The claims of a token (RFC 7519): whether it holds now and here, and whom it names.
#ifndef RESMGR_AGENT_IDENTITY_JWT_H_
#define RESMGR_AGENT_IDENTITY_JWT_H_

#include <string_view>

#include "agent/identity/authenticator.h"
#include "agent/identity/principal.h"
#include "common/clock.h"

namespace resmgr::identity {

// The namespace of the UUIDv5 that stands for a subject that is no UUID (map_subject): another
// program finds a user's id as uuid5(kSubjectNamespace, subject). It never changes.
inline constexpr char kSubjectNamespace[] = "a80a1019-a97a-478e-bfa9-5721f042b25b";

// Reads the payload of a token whose signature was verified. Throws Error(unauthenticated) with
// the reason as its message: one line without quotes, and nothing of the token in it.
Principal principal_from_claims(std::string_view payload, const AuthOptions& options, Instant now);

// Whether a token that expires then is no longer taken, the leeway allowed for.
bool expired(Instant expires_at, const AuthOptions& options, Instant now);

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_JWT_H_
