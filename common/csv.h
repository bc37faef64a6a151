// Comma-separated values (RFC 4180).
#ifndef RESMGR_COMMON_CSV_H_
#define RESMGR_COMMON_CSV_H_

#include <span>
#include <string>

namespace resmgr {

// A line, its CRLF included.
std::string csv_line(std::span<const std::string> values);

}  // namespace resmgr

#endif  // RESMGR_COMMON_CSV_H_
