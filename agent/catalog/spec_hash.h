// When two definitions of a service make the same container.
#ifndef RESMGR_AGENT_CATALOG_SPEC_HASH_H_
#define RESMGR_AGENT_CATALOG_SPEC_HASH_H_

#include <string>

#include "agent/catalog/catalog.h"

namespace resmgr::catalog {

// Lower-case hex SHA-256 of the canonical JSON (RFC 8785) of what decides how a container of the
// service is made. What only people see, and what is decided after the start, does not count.
std::string spec_hash_of(const Service& service);

}  // namespace resmgr::catalog

#endif  // RESMGR_AGENT_CATALOG_SPEC_HASH_H_
