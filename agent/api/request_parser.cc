#include "agent/api/request_parser.h"

// Asio of Boost 1.74 uses std::exchange without including this.
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <charconv>

#include "agent/api/target.h"

namespace resmgr::api {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

// How many bytes of chunk framing a byte of body may cost before it is plainly an attack.
constexpr std::uint64_t kFramingFactor = 8;

// "0\r\n\r\n". No chunked body goes on with less, and Beast's parser asserts as much once it has
// seen the last chunk.
constexpr std::size_t kShortestChunks = 5;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// "… HTTP/2.0": well formed, and not ours.
bool ends_in_other_version(std::string_view line) {
  constexpr std::string_view kForm = "HTTP/0.0";
  if (line.size() <= kForm.size()) return false;
  const std::string_view version = line.substr(line.size() - kForm.size());
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.substr(0, 5) == "HTTP/" && digit(version[5]) && version[6] == '.' &&
         digit(version[7]) && version != "HTTP/1.1" && version != "HTTP/1.0";
}

}  // namespace

struct RequestParser::Impl {
  class Parser final : public http::basic_parser<true> {
   public:
    Parser(Request& request, std::size_t body_limit) : request_(request), limit_(body_limit) {
      // The limits are ours to hold: a head is handed over whole.
      header_limit(64 * 1024);
      this->body_limit(body_limit);
    }

   private:
    void on_request_impl(http::verb /*verb*/, boost::beast::string_view method,
                         boost::beast::string_view target, int version, error_code& ec) override {
      ec = {};
      request_.method = method_from(view(method));
      request_.target = view(target);
      request_.version = version;
    }
    void on_response_impl(int /*code*/, boost::beast::string_view /*reason*/, int /*version*/,
                          error_code& ec) override {
      ec = {};
    }
    void on_field_impl(http::field /*name*/, boost::beast::string_view name,
                       boost::beast::string_view value, error_code& ec) override {
      ec = {};
      // A trailer must not pass for a header (RFC 9110, section 6.5.1): it is passed over.
      if (!in_body_) request_.headers.emplace_back(view(name), view(value));
    }
    void on_header_impl(error_code& ec) override {
      ec = {};
      in_body_ = true;
    }
    void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                           error_code& ec) override {
      ec = {};
    }
    std::size_t append(boost::beast::string_view bytes, error_code& ec) {
      ec = {};
      if (request_.body.size() + bytes.size() > limit_) {
        ec = http::error::body_limit;
        return 0;
      }
      request_.body.append(bytes.data(), bytes.size());
      return bytes.size();
    }
    std::size_t on_body_impl(boost::beast::string_view bytes, error_code& ec) override {
      return append(bytes, ec);
    }
    void on_chunk_header_impl(std::uint64_t /*size*/, boost::beast::string_view /*extensions*/,
                              error_code& ec) override {
      ec = {};
    }
    std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, boost::beast::string_view bytes,
                                   error_code& ec) override {
      return append(bytes, ec);
    }
    void on_finish_impl(error_code& ec) override { ec = {}; }

    Request& request_;
    std::size_t limit_;
    bool in_body_ = false;
  };

  std::optional<Parser> parser;
};

RequestParser::RequestParser(const ParserLimits& limits)
    : limits_(limits), impl_(std::make_unique<Impl>()) {}
RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  impl_->parser.reset();
  fault_.reset();
  content_length_.reset();
  expects_continue_ = false;
  version_is_known_ = true;
  line_begin_ = 0;
  scanned_ = 0;
  lines_ = 0;
  blank_bytes_ = 0;
  body_input_bytes_ = 0;
}

void RequestParser::refuse(int status, std::string_view name, std::string_view detail) {
  if (!fault_) fault_ = ParseFault{status, name, detail};
}

bool RequestParser::check_line(std::string_view line) {
  if (lines_ == 0) version_is_known_ = !ends_in_other_version(line);
  if (lines_ > limits_.headers) {
    refuse(431, "head-too-large", "the request has too many headers");
  } else if (std::any_of(line.begin(), line.end(), is_control)) {
    refuse(400, "malformed-request", "the request's head holds a control character");
  } else if (lines_ > 0 && (line.front() == ' ' || line.front() == '\t')) {
    refuse(400, "malformed-request", "a header is folded over several lines");
  }
  ++lines_;
  return !fault_;
}

// Length of the head (with the empty line that ends it), 0 = not whole or refused.
std::size_t RequestParser::find_head_end(std::string_view input) {
  if (lines_ == 0 && line_begin_ == 0 && !input.empty() && !is_token_char(input[0]) &&
      input[0] != '\r') {
    refuse(400, "malformed-request", "this is not an HTTP request");
    return 0;
  }
  while (true) {
    const std::size_t newline = input.find('\n', scanned_);
    if (newline == std::string_view::npos) {
      scanned_ = input.size();
      break;
    }
    scanned_ = newline + 1;
    if (newline == line_begin_ || input[newline - 1] != '\r') {
      refuse(400, "malformed-request", "a line of the request's head does not end in CR LF");
      return 0;
    }
    const std::string_view line = input.substr(line_begin_, newline - 1 - line_begin_);
    line_begin_ = newline + 1;
    if (!line.empty()) {
      if (!check_line(line)) return 0;
    } else if (lines_ > 0) {
      if (scanned_ <= limits_.head_bytes) return scanned_;
      break;
    } else if (blank_bytes_ > 0) {
      refuse(400, "malformed-request", "this is not an HTTP request");
      return 0;
    } else {
      blank_bytes_ = line_begin_;  // one is passed over, as RFC 9112, section 2.2 has it
    }
  }
  if (scanned_ >= limits_.head_bytes) {
    refuse(431, "head-too-large", "request line and headers are longer than allowed");
  }
  return 0;
}

void RequestParser::check_host(const Request& request) {
  const std::size_t hosts = request.count("Host");
  if (hosts > 1 || (hosts == 0 && request.version == 11)) {
    return refuse(400, "malformed-request", "the request does not have exactly one Host header");
  }
  const std::string_view host = request.header("Host");
  if (host.find_first_of(" \t,/\\@?#\"<>") != std::string_view::npos) {
    refuse(400, "malformed-request", "the Host header holds no host");
  }
}

void RequestParser::check_framing(const Request& request) {
  const std::size_t lengths = request.count("Content-Length");
  const std::size_t codings = request.count("Transfer-Encoding");
  if (lengths + codings > 1) {
    return refuse(400, "malformed-request", "the length of the body is given more than once");
  }
  if (codings == 1) {
    const std::string_view coding = request.header("Transfer-Encoding");
    if (request.version == 10) {
      return refuse(400, "malformed-request", "HTTP/1.0 has no Transfer-Encoding");
    }
    if (!equal_ignoring_case(coding, "chunked")) {
      return refuse(501, "unknown-transfer-encoding", "only chunked is known as Transfer-Encoding");
    }
    return;
  }
  content_length_ = 0;
  if (lengths == 0) return;
  const std::string_view text = request.header("Content-Length");
  std::uint64_t length = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) {
    return refuse(400, "malformed-request", "Content-Length is not a number");
  }
  content_length_ = length;
}

void RequestParser::read_message(Request& request) {
  error_code ec;
  auto& parser = impl_->parser.emplace(request, limits_.body_bytes);
  const std::size_t used =
      parser.put(boost::asio::const_buffer(request.head.data(), request.head.size()), ec);
  if (ec || !parser.is_header_done() || used != request.head.size()) {
    if (ec == http::error::bad_version && !version_is_known_) {
      refuse(505, "unknown-http-version", "only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    // What is wrong with its framing has a better name.
    check_framing(request);
    if (ec == http::error::body_limit) {
      refuse(413, "body-too-large", "the request body is larger than allowed");
    }
    return refuse(400, "malformed-request", "the request's head is malformed");
  }
  check_framing(request);
  check_host(request);
  if (fault_) return;
  if (const std::string_view fault = read_target(request); !fault.empty()) {
    return refuse(400, "malformed-request", fault);
  }
  if (request.version == 11 && request.has_header("Expect")) {
    if (!equal_ignoring_case(request.header("Expect"), "100-continue")) {
      return refuse(417, "unknown-expectation", "only 100-continue is known as Expect");
    }
    expects_continue_ = true;
  }
  // The parser asks for nothing until the whole body is there only when told so.
  parser.eager(true);
}

std::size_t RequestParser::parse_head(std::string_view input, Request& request) {
  const std::size_t length = find_head_end(input);
  if (length == 0) return 0;
  request.head.assign(input.substr(blank_bytes_, length - blank_bytes_));
  read_message(request);
  return fault_ ? 0 : length;
}

std::size_t RequestParser::parse_body(std::string_view input, Request& request) {
  auto& parser = *impl_->parser;
  if (parser.is_done() || input.size() < (content_length_ ? 1 : kShortestChunks)) return 0;
  if (content_length_ && request.body.empty()) {
    request.body.reserve(static_cast<std::size_t>(*content_length_));
  }
  error_code ec;
  const std::size_t used = parser.put(boost::asio::const_buffer(input.data(), input.size()), ec);
  body_input_bytes_ += used;
  if (ec == http::error::body_limit) {
    refuse(413, "body-too-large", "the request body is larger than allowed");
  } else if (ec && ec != http::error::need_more) {
    refuse(400, "malformed-request", "the request body's chunks are malformed");
  } else if (body_input_bytes_ > kFramingFactor * (limits_.body_bytes + limits_.head_bytes)) {
    refuse(413, "body-too-large", "the request body's chunks are larger than allowed");
  }
  return used;
}

bool RequestParser::done() const { return !fault_ && impl_->parser && impl_->parser->is_done(); }

bool RequestParser::keep_alive() const {
  return impl_->parser && impl_->parser->is_header_done() && impl_->parser->keep_alive();
}

}  // namespace resmgr::api
