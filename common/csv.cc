#include "common/csv.h"

namespace resmgr {

std::string csv_line(std::span<const std::string> values) {
  std::string line;
  for (const std::string& value : values) {
    if (&value != values.data()) line += ',';
    if (value.find_first_of(",\"\r\n") == std::string::npos) {
      line += value;
      continue;
    }
    line += '"';
    for (const char c : value) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  return line + "\r\n";
}

}  // namespace resmgr
