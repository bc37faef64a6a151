// One service from one TOML table.
#ifndef RESMGR_AGENT_CATALOG_SERVICE_READER_H_
#define RESMGR_AGENT_CATALOG_SERVICE_READER_H_

#include <toml++/toml.h>

#include "agent/catalog/catalog.h"
#include "agent/catalog/table_reader.h"

namespace resmgr::catalog {

// The service, which is to be used only if no fault was added. `doubts` takes what is allowed and
// probably not meant. `spec_hash` and `file` are left empty.
Service read_service(const toml::table& document, FaultList& faults, FaultList& doubts);

}  // namespace resmgr::catalog

#endif  // RESMGR_AGENT_CATALOG_SERVICE_READER_H_
