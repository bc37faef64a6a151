// Reading a row's columns one after another, and writing what may be missing.
#ifndef RESMGR_AGENT_JOURNAL_COLUMNS_H_
#define RESMGR_AGENT_JOURNAL_COLUMNS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/journal/database.h"
#include "common/clock.h"

namespace resmgr::journal {

// Goes through a row's columns in their order.
class Columns {
 public:
  explicit Columns(const Statement& row) : row_(row) {}

  std::string text() { return std::string(row_.text(column_++)); }
  std::int64_t integer() { return row_.integer(column_++); }
  double real() { return row_.real(column_++); }
  Instant time() { return instant_from_millis(integer()); }
  std::optional<std::int64_t> optional_integer() {
    const int column = column_++;
    if (row_.is_null(column)) return std::nullopt;
    return row_.integer(column);
  }
  std::optional<Instant> optional_time() {
    const auto millis = optional_integer();
    return millis ? std::optional(instant_from_millis(*millis)) : std::nullopt;
  }
  // Throws Error(corrupt) for a name that `from` does not know.
  template <typename T>
  T named(std::optional<T> (*from)(std::string_view)) {
    const auto value = from(row_.text(column_++));
    if (!value) throw DatabaseError::damaged();
    return *value;
  }

 private:
  const Statement& row_;
  int column_ = 0;
};

inline std::optional<std::int64_t> to_column(const std::optional<Instant>& time) {
  return time ? std::optional<std::int64_t>(to_millis(*time)) : std::nullopt;
}

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_COLUMNS_H_
