// Checked access to query parameters: all faults are collected and reported together.
#ifndef RESMGR_AGENT_API_QUERY_H_
#define RESMGR_AGENT_API_QUERY_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/api/message.h"
#include "common/clock.h"
#include "common/error.h"

namespace resmgr::api {

class Query {
 public:
  // Parameters that are not among `known`, and those that stand there twice, are faults.
  Query(const Request& request, std::initializer_list<std::string_view> known);

  // Empty if it is missing; what can't be read is a fault, and then empty too.
  std::optional<std::string> text(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
  bool flag(std::string_view name);  // "1"/"true" or "0"/"false"; missing = false
  std::optional<Instant> time(std::string_view name);
  std::optional<std::string> uuid(std::string_view name);

  void fault(std::string_view name, std::string detail);
  // Throws Error(usage) with every fault, if there is any. The pointer of a parameter's fault is
  // "?name".
  void check() const;

 private:
  const Request& request_;
  std::vector<FieldError> faults_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_QUERY_H_
