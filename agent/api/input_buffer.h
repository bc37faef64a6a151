// Bytes that were received and not yet used up.
#ifndef RESMGR_AGENT_API_INPUT_BUFFER_H_
#define RESMGR_AGENT_API_INPUT_BUFFER_H_

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace resmgr::api {

class InputBuffer {
 public:
  std::string_view data() const { return {memory_.get() + begin_, end_ - begin_}; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return begin_ == end_; }

  void consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  char* free_begin() { return memory_.get() + end_; }
  std::size_t free_bytes() const { return capacity_ - end_; }
  void commit(std::size_t bytes) { end_ += bytes; }

  // Moves the data to the front, into other memory if `capacity` is another.
  void make_room(std::size_t capacity) {
    const std::string_view old = data();
    if (capacity != capacity_) {
      std::unique_ptr<char[]> other(new char[capacity]);
      if (!old.empty()) std::memcpy(other.get(), old.data(), old.size());
      memory_ = std::move(other);
      capacity_ = capacity;
    } else if (begin_ > 0) {
      std::memmove(memory_.get(), old.data(), old.size());
    }
    end_ -= begin_;
    begin_ = 0;
  }
  void release() {
    memory_.reset();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_INPUT_BUFFER_H_
