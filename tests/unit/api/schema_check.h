// Holds JSON values against the schemas of an OpenAPI document: as much of JSON Schema as
// agent/api/openapi.json uses. Another keyword is a fault, so that none is passed over.
#ifndef RESMGR_TESTS_UNIT_API_SCHEMA_CHECK_H_
#define RESMGR_TESTS_UNIT_API_SCHEMA_CHECK_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"

namespace resmgr::api {

class SchemaCheck {
 public:
  explicit SchemaCheck(Json document) : document_(std::move(document)) {}

  const Json& document() const { return document_; }
  // The node itself, or what its $ref leads to. Throws std::exception if that leads nowhere.
  const Json& resolve(const Json& node) const;

  // What is wrong with the value, each with where that is. A member that no schema knows is wrong
  // too, unless a schema says `additionalProperties: true`.
  std::vector<std::string> faults(const Json& value, const Json& schema) const;

 private:
  void check(const Json& value, const Json& schema, const std::string& where, bool closed,
             std::vector<std::string>& faults) const;
  void check_members(const Json& value, const Json& schema, const std::string& where,
                     std::vector<std::string>& faults) const;
  // False: there may be others.
  bool known_members(const Json& schema, std::set<std::string>& names) const;

  Json document_;
};

}  // namespace resmgr::api

#endif  // RESMGR_TESTS_UNIT_API_SCHEMA_CHECK_H_
