// Who calls, and what they may do.
#ifndef RESMGR_AGENT_IDENTITY_PRINCIPAL_H_
#define RESMGR_AGENT_IDENTITY_PRINCIPAL_H_

#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace resmgr::identity {

struct Principal {
  std::string user_id;  // UUID
  bool admin = false;
  std::string name;                   // for the audit log: the login name, or the token's subject
  bool via_socket = false;            // the kernel vouches, not a token
  std::optional<Instant> expires_at;  // of the token

  bool may_see(std::string_view owner_user_id) const { return admin || user_id == owner_user_id; }
};

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_PRINCIPAL_H_
