#include "agent/sinks/postgres_copy.h"

#include <algorithm>
#include <string_view>

#if PQXX_VERSION_MAJOR < 7
#include <pqxx/tablewriter>
#endif

namespace resmgr::sinks {

#if PQXX_VERSION_MAJOR < 7

namespace {

constexpr std::size_t kBytesAtOnce = std::size_t{1} << 16;

// https://www.postgresql.org/docs/15/sql-copy.html, text format.
void append_escaped(std::string& line, std::string_view value) {
  const auto is_special = [](char c) { return c == '\\' || c == '\t' || c == '\n' || c == '\r'; };
  while (!value.empty()) {
    const auto* const special = std::ranges::find_if(value, is_special);
    const auto plain = static_cast<std::size_t>(special - value.begin());
    line += value.substr(0, plain);
    value.remove_prefix(plain);
    if (value.empty()) break;
    constexpr std::string_view kSpecial = "\\\t\n\r";
    constexpr std::string_view kNames = "\\tnr";
    (line += '\\') += kNames[kSpecial.find(value.front())];
    value.remove_prefix(1);
  }
}

}  // namespace

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
// Its stream_to makes each row through a std::ostringstream and writes it by itself, which takes
// twice the time that the server takes for a row. The older class lets lines be written as they
// are.
class PostgresCopy::Stream {
 public:
  Stream(pqxx::work& transaction, const std::string& table, const std::vector<std::string>& columns)
      : writer_(transaction, table, columns.begin(), columns.end()) {}

  void add(std::span<const char* const> fields) {
    if (!lines_.empty()) lines_ += '\n';
    bool first = true;
    for (const char* const field : fields) {
      if (!first) lines_ += '\t';
      first = false;
      if (field == nullptr) {
        lines_ += "\\N";
      } else {
        append_escaped(lines_, field);
      }
    }
    if (lines_.size() >= kBytesAtOnce) flush();
  }
  void complete() {
    if (!lines_.empty()) flush();
    writer_.complete();
  }

 private:
  // It ends what it is given by a line feed of its own.
  void flush() {
    writer_.write_raw_line(lines_);
    lines_.clear();
  }

  pqxx::tablewriter writer_;
  std::string lines_;
};
#pragma GCC diagnostic pop

#else

class PostgresCopy::Stream {
 public:
  Stream(pqxx::work& transaction, const std::string& table, const std::vector<std::string>& columns)
      : stream_(
            pqxx::stream_to::raw_table(transaction, table, pqxx::separated_list(", ", columns))) {}
  void add(std::span<const char* const> fields) { stream_.write_row(fields); }
  void complete() { stream_.complete(); }

 private:
  pqxx::stream_to stream_;
};

#endif

PostgresCopy::PostgresCopy(pqxx::work& transaction, const std::string& table,
                           const std::vector<std::string>& columns)
    : stream_(std::make_unique<Stream>(transaction, table, columns)) {}

PostgresCopy::~PostgresCopy() = default;

void PostgresCopy::add(std::span<const char* const> fields) { stream_->add(fields); }

void PostgresCopy::complete() { stream_->complete(); }

}  // namespace resmgr::sinks
