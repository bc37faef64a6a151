#include "common/json.h"

#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "common/error.h"

namespace resmgr {
namespace {

constexpr std::size_t kDeepest = 64;

// A character iterator that says how far it was read: the parser tells its position for faults of
// syntax only, and not for those that are found here.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  TrackedIterator& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  TrackedIterator operator++(int) {
    TrackedIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const TrackedIterator& other) const { return at_ == other.at_; }
  bool operator!=(const TrackedIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

// The parser's own words, less where it repeats the input, which may be a secret.
std::string cause_of(std::string_view what, const std::string& last_token) {
  if (what.find("number overflow") != std::string_view::npos) return "a number is out of range";
  const std::size_t column = what.find("column ");
  const std::size_t colon = what.find(": ", column == std::string_view::npos ? 0 : column);
  std::string cause(colon == std::string_view::npos ? what : what.substr(colon + 2));
  const std::string repeated = "; last read: '" + last_token + "'";
  if (const std::size_t at = cause.find(repeated); at != std::string::npos) {
    return cause.erase(at, repeated.size());
  }
  return cause.substr(0, cause.find("; last read: "));
}

// Builds the value. Pointers into it stay valid while it grows: only the innermost open container
// is appended to.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(DuplicateKeys duplicates, const char* const* furthest, const char* begin)
      : duplicates_(duplicates), furthest_(furthest), begin_(begin) {}

  Json take() { return std::move(root_); }
  const std::string& cause() const { return cause_; }
  std::size_t offset() const { return offset_; }

  bool null() override { return put(nullptr) != nullptr; }
  bool boolean(bool value) override { return put(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return put(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return put(value) != nullptr; }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return put(value) != nullptr;
  }
  bool string(string_t& value) override { return put(std::move(value)) != nullptr; }
  bool binary(binary_t& /*value*/) override { return fault("binary data is no JSON"); }
  bool start_object(std::size_t /*elements*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*elements*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Json& object = *open_.back();
    if (duplicates_ == DuplicateKeys::refuse && object.contains(name)) {
      return fault("a member's name is there twice");
    }
    member_ = &object[name];
    return true;
  }

  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::detail::exception& error) override {
    // The parser counts from 1.
    offset_ = position == 0 ? 0 : position - 1;
    cause_ = cause_of(error.what(), last_token);
    return false;
  }

 private:
  bool fault(std::string cause) {
    offset_ = static_cast<std::size_t>(*furthest_ - begin_);
    cause_ = std::move(cause);
    return false;
  }

  template <typename T>
  Json* put(T&& value) {
    if (open_.empty()) {
      root_ = std::forward<T>(value);
      return &root_;
    }
    Json& container = *open_.back();
    if (container.is_array()) return &container.emplace_back(std::forward<T>(value));
    *member_ = std::forward<T>(value);
    return member_;
  }

  bool open(Json empty) {
    if (open_.size() >= kDeepest) {
      return fault("it is nested more than " + std::to_string(kDeepest) + " deep");
    }
    open_.push_back(put(std::move(empty)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  DuplicateKeys duplicates_;
  const char* const* furthest_;
  const char* begin_;
  Json root_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;
  std::string cause_;
  std::size_t offset_ = 0;
};

[[noreturn]] void refuse(std::string_view what, std::size_t offset, const std::string& cause) {
  throw Error(ErrorKind::usage, "cannot read " + std::string(what) + ": byte " +
                                    std::to_string(offset) + ": " + cause);
}

const Json kNull;

}  // namespace

Json parse_json(std::string_view text, std::string_view what, DuplicateKeys duplicates) {
  // The parser takes a NUL for the end of its input and would pass over what follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    refuse(what, nul, "a NUL character");
  }
  const char* const begin = text.data();
  const char* furthest = begin;
  Builder builder(duplicates, &furthest, begin);
  if (!Json::sax_parse(TrackedIterator(begin, &furthest),
                       TrackedIterator(begin + text.size(), &furthest), &builder)) {
    refuse(what, builder.offset(), builder.cause());
  }
  return builder.take();
}

std::string string_or(const Json& object, std::string_view key, std::string_view fallback) {
  if (!object.is_object()) return std::string(fallback);
  const auto member = object.find(key);
  if (member == object.end() || !member->is_string()) return std::string(fallback);
  return member->get<std::string>();
}

std::int64_t integer_or(const Json& object, std::string_view key, std::int64_t fallback) {
  if (!object.is_object()) return fallback;
  const auto member = object.find(key);
  if (member == object.end() || !member->is_number_integer()) return fallback;
  if (member->is_number_unsigned() &&
      member->get<std::uint64_t>() >
          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return fallback;
  }
  return member->get<std::int64_t>();
}

bool bool_or(const Json& object, std::string_view key, bool fallback) {
  if (!object.is_object()) return fallback;
  const auto member = object.find(key);
  return member != object.end() && member->is_boolean() ? member->get<bool>() : fallback;
}

Json text_or_null(std::string_view text) { return text.empty() ? Json() : Json(text); }

const Json& object_at(const Json& object, std::string_view key) {
  if (!object.is_object()) return kNull;
  const auto member = object.find(key);
  return member != object.end() && member->is_object() ? *member : kNull;
}

const Json& array_at(const Json& object, std::string_view key) {
  if (!object.is_object()) return kNull;
  const auto member = object.find(key);
  return member != object.end() && member->is_array() ? *member : kNull;
}

std::string dump_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace resmgr
