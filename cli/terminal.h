// Standard output, error and input as a command sees them.
#ifndef RESMGR_CLI_TERMINAL_H_
#define RESMGR_CLI_TERMINAL_H_

#include <exception>
#include <string>
#include <string_view>

namespace resmgr::cli {

class TextStream {
 public:
  virtual ~TextStream() = default;

  // Text may be held back until flush() or the end.
  virtual void write(std::string_view text) = 0;
  virtual void flush() = 0;

  virtual bool is_terminal() const = 0;
  // Columns; 80 where nobody knows.
  virtual int width() const = 0;
};

// The reader of a pipe went away: nobody wants more, which is no error (`resmgr list | head -1`).
class OutputClosed final : public std::exception {
 public:
  const char* what() const noexcept override { return "output closed by its reader"; }
};

// A file descriptor. Throws OutputClosed, or Error(unavailable) naming the cause (a full disk).
class FileStream final : public TextStream {
 public:
  // `name` is for messages: "standard output".
  FileStream(int descriptor, std::string name);
  ~FileStream() override;
  FileStream(const FileStream&) = delete;
  FileStream& operator=(const FileStream&) = delete;

  void write(std::string_view text) override;
  void flush() override;
  bool is_terminal() const override { return is_terminal_; }
  int width() const override;

 private:
  int descriptor_;
  std::string name_;
  bool is_terminal_;
  std::string pending_;
};

// All of standard input. Throws Error(unavailable).
std::string read_standard_input();

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_TERMINAL_H_
