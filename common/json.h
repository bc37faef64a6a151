// Checked access to JSON: input that is wrong gives an Error that says where, never an exception
// of the parser's own or a silent default.
#ifndef RESMGR_COMMON_JSON_H_
#define RESMGR_COMMON_JSON_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace resmgr {

using Json = nlohmann::json;

enum class DuplicateKeys { allow, refuse };

// Parses exactly one JSON text (RFC 8259), UTF-8, nested at most 64 deep. Throws Error(usage)
// saying where (byte offset) and why; `what` names the thing for the message, e.g. "request body".
Json parse_json(std::string_view text, std::string_view what,
                DuplicateKeys duplicates = DuplicateKeys::allow);

// The member if it is there and of that type, else empty/default. For answers of others, in
// which a missing member is no error.
std::string string_or(const Json& object, std::string_view key, std::string_view fallback = "");
std::int64_t integer_or(const Json& object, std::string_view key, std::int64_t fallback);
bool bool_or(const Json& object, std::string_view key, bool fallback);
// The text, or null for an empty one: how answers say that there is none.
Json text_or_null(std::string_view text);
// Null if it is missing or no object / array.
const Json& object_at(const Json& object, std::string_view key);
const Json& array_at(const Json& object, std::string_view key);

// Compact bytes; text that is no valid UTF-8 is replaced, never thrown upon.
std::string dump_json(const Json& value);

}  // namespace resmgr

#endif  // RESMGR_COMMON_JSON_H_
