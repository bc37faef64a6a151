// Identifiers.
#ifndef RESMGR_COMMON_IDS_H_
#define RESMGR_COMMON_IDS_H_

#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace resmgr {

// A UUIDv7 (RFC 9562, section 5.7) for `now`; lower case, 36 characters. Within one process ids
// are strictly increasing, also within a millisecond and when the clock steps back. Thread-safe.
std::string new_uuid_v7(Instant now);

// The time in a UUIDv7 in canonical form, to the millisecond.
Instant time_of_uuid_v7(std::string_view id);

// A random UUIDv4.
std::string new_uuid_v4();

// The canonical lower-case form of a UUID of any version; empty if `text` is not one.
std::optional<std::string> parse_uuid(std::string_view text);

// `bytes` random bytes from the kernel (getrandom(2)), as lower-case hex.
std::string random_hex(std::size_t bytes);

// The last 12 digits, which is what people are shown (the first ones of a UUIDv7 are shared by all
// that starts within a minute).
std::string_view short_id(std::string_view task_id);

// Whether `id` begins or ends with `part` (4 digits or more; case-insensitive).
bool id_matches(std::string_view id, std::string_view part);

}  // namespace resmgr

#endif  // RESMGR_COMMON_IDS_H_
