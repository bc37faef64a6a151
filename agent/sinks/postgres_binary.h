// PostgreSQL's binary format of COPY, which takes the server two thirds of the time that texts do.
// https://www.postgresql.org/docs/15/sql-copy.html; of a field, what the receive function of its
// type reads (src/backend/utils/adt of PostgreSQL 15: uuid_recv, timestamp_recv and their kin).
#ifndef RESMGR_AGENT_SINKS_POSTGRES_BINARY_H_
#define RESMGR_AGENT_SINKS_POSTGRES_BINARY_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace resmgr::sinks {

// Begins and ends all that is copied.
inline constexpr std::string_view kPostgresSignature{"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19};
inline constexpr std::string_view kPostgresTrailer{"\xff\xff", 2};

void begin_postgres_row(std::string& out, std::int16_t fields);
void encode_null(std::string& out);

// Appends a field that is not null. False: the text is not one that it knows how to read, and `out`
// is as it was; PostgreSQL itself may know.
using PostgresEncoder = bool (*)(std::string& out, std::string_view text);

bool encode_uuid(std::string& out, std::string_view text);  // RFC 9562, with its four hyphens
bool encode_varchar(std::string& out, std::string_view text);
bool encode_int(std::string& out, std::string_view text);
bool encode_bigint(std::string& out, std::string_view text);
bool encode_timestamp(std::string& out, std::string_view text);  // RFC 3339; milliseconds
bool encode_interval(std::string& out, std::string_view text);   // as parse_iso8601_duration()

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_BINARY_H_
