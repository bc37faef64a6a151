#include "agent/api/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace resmgr::api {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr ParserLimits kLimits{16 * 1024, 100, 1024};

struct Parsed {
  Request request;
  RequestParser parser{kLimits};
  std::size_t used = 0;

  // Feeds head and body in pieces of `step` bytes, as a socket might bring them.
  explicit Parsed(std::string_view bytes, std::size_t step = 1'000'000) {
    std::size_t have = std::min(step, bytes.size());
    std::size_t head = 0;
    while ((head = parser.parse_head(bytes.substr(0, have), request)) == 0 && !parser.fault() &&
           have < bytes.size()) {
      have = std::min(have + step, bytes.size());
    }
    used = head;
    if (head == 0) return;
    while (!parser.done() && !parser.fault()) {
      const std::size_t more = parser.parse_body(bytes.substr(used, have - used), request);
      used += more;
      if (more > 0) continue;
      if (have == bytes.size()) break;
      have = std::min(have + step, bytes.size());
    }
  }
  int status() const { return parser.fault() ? parser.fault()->status : 0; }
};

int status_of(std::string_view bytes) {
  const int status = Parsed(bytes).status();
  // However it comes in, it is judged alike.
  EXPECT_EQ(Parsed(bytes, 1).status(), status) << bytes;
  EXPECT_EQ(Parsed(bytes, 7).status(), status) << bytes;
  return status;
}

std::string with_headers(std::string_view headers) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
}

TEST(RequestParser, ReadsARequestHoweverItIsCut) {
  const std::string bytes =
      "POST /api/tasks%20x/%41?from=a%2Bb&x=&y HTTP/1.1\r\nHost: a:1\r\nX-One:  two words \r\n"
      "Content-Length: 5\r\n\r\nhello";
  for (const std::size_t step : {1UL, 2UL, 3UL, 50UL, 1000UL}) {
    Parsed parsed(bytes, step);
    ASSERT_TRUE(parsed.parser.done()) << step;
    EXPECT_EQ(parsed.used, bytes.size());
    EXPECT_EQ(parsed.request.method, Method::post);
    EXPECT_THAT(parsed.request.segments, ElementsAre("api", "tasks x", "A"));
    EXPECT_THAT(parsed.request.query,
                ElementsAre(Pair("from", "a+b"), Pair("x", ""), Pair("y", "")));
    EXPECT_EQ(parsed.request.header("x-ONE"), "two words");
    EXPECT_EQ(parsed.request.body, "hello");
    EXPECT_TRUE(parsed.parser.keep_alive());
  }
}

TEST(RequestParser, LeavesWhatFollowsForTheNextRequest) {
  const std::string first = with_headers("");
  Parsed parsed(first + "GET /next");
  EXPECT_TRUE(parsed.parser.done());
  EXPECT_EQ(parsed.used, first.size());
}

TEST(RequestParser, ReadsChunksAndPassesOverTrailers) {
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nAuthorization: Bearer x\r\n\r\n";
  for (const std::size_t step : {1UL, 4UL, 1000UL}) {
    Parsed parsed(bytes, step);
    ASSERT_TRUE(parsed.parser.done()) << step;
    EXPECT_EQ(parsed.request.body, "hello world");
    EXPECT_FALSE(parsed.request.has_header("Authorization"));
    EXPECT_FALSE(parsed.parser.content_length().has_value());
  }
}

TEST(RequestParser, RefusesTwoWaysToTellALength) {
  const std::string_view both[] = {
      "Content-Length: 5\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nContent-Length: 6\r\n",
      "Content-Length: 5, 5\r\n",
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
  };
  for (const auto headers : both) EXPECT_EQ(status_of(with_headers(headers)), 400) << headers;
}

TEST(RequestParser, RefusesLengthsThatAreNone) {
  for (const std::string_view length : {"-1", "+5", "0x5", "5 5", "five", "", "5;", "1e3"}) {
    EXPECT_EQ(status_of(with_headers("Content-Length: " + std::string(length) + "\r\n")), 400)
        << length;
  }
  EXPECT_EQ(status_of(with_headers("Content-Length: 1025\r\n")), 413);
  EXPECT_EQ(status_of(with_headers("Content-Length: 18446744073709551616\r\n")), 400);
}

TEST(RequestParser, RefusesOtherTransferEncodings) {
  EXPECT_EQ(status_of(with_headers("Transfer-Encoding: gzip, chunked\r\n")), 501);
  EXPECT_EQ(status_of(with_headers("Transfer-Encoding: chunked, identity\r\n")), 501);
  EXPECT_EQ(status_of(with_headers("Transfer-Encoding: xchunked\r\n")), 501);
  EXPECT_EQ(status_of(with_headers("Transfer-Encoding: \"chunked\"\r\n")), 501);
  EXPECT_EQ(status_of(with_headers("Transfer-Encoding:\r\n")), 501);
  EXPECT_EQ(status_of(with_headers("Transfer-Encoding: \x0b"
                                   "chunked\r\n")),
            400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestParser, RefusesHeadersThatOthersMayReadOtherwise) {
  const std::string_view headers[] = {
      "Content-Length : 5\r\n",          // space before the colon
      " Content-Length: 5\r\n",          // folded
      "X: a\r\n Content-Length: 5\r\n",  // folded
      "X: a\r\n\tb\r\n",                 // folded
      "Content-Length\r\n",              // no colon
      ": 5\r\n",                         // no name
      "X Y: 5\r\n",                      // no token
      "X: a\rContent-Length: 5\r\n",     // bare CR
      "X: a\nContent-Length: 5\r\n",     // bare LF
      "X: a\n\nContent-Length: 5\r\n",
      "Host: b\r\n",  // a second one
  };
  for (const auto lines : headers) EXPECT_EQ(status_of(with_headers(lines)), 400) << lines;
  EXPECT_EQ(status_of(with_headers(std::string("X: a\0b\r\n", 8))), 400);
  EXPECT_EQ(status_of(with_headers(std::string("X\0: ab\r\n", 8))), 400);
}

TEST(RequestParser, RefusesWhatIsNoRequest) {
  const std::string_view lines[] = {
      "GET /\r\n",           "GET  / HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n", " GET / HTTP/1.1\r\n",
      "GET\t/ HTTP/1.1\r\n", "GET / http/1.1\r\n",  "GET / HTTP/1.1x\r\n", "GET / HTTP/1\r\n",
      "G{T / HTTP/1.1\r\n",  "/ HTTP/1.1\r\n",      "GET / HTTP/11.1\r\n", "\x16\x03\x01\x02\r\n"};
  for (const auto line : lines) {
    EXPECT_EQ(status_of(std::string(line) + "Host: a\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(status_of("GET / HTTP/1.1\n\n"), 400);
  EXPECT_EQ(status_of("\n"), 400);
  EXPECT_EQ(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/3.0\r\nHost: a\r\n\r\n"), 505);
}

TEST(RequestParser, PassesOverOneEmptyLine) {
  Parsed parsed("\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", 1);
  EXPECT_TRUE(parsed.parser.done());
  EXPECT_EQ(parsed.request.path, "/x");
}

TEST(RequestParser, KnowsTargets) {
  const auto path = [](std::string_view target) -> std::string {
    Parsed parsed("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    return parsed.parser.done() ? std::string(parsed.request.path)
                                : std::to_string(parsed.status());
  };
  EXPECT_EQ(path("/a/b?c=d"), "/a/b");
  EXPECT_EQ(path("http://other/a?b"), "/a");
  EXPECT_EQ(path("HTTPS://other:1/a"), "/a");
  EXPECT_EQ(path("http://other"), "/");
  EXPECT_EQ(path("/../etc"), "/../etc");  // no route has such a segment
  for (const std::string_view wrong :
       {"a", "*", "//", "http:///a", "ftp://a/b", "other:443", "/a#b", "/%", "/%4", "/%4g", "/%00",
        "/%0a", "/%7f", "/a?b=%zz", "http://a?b", "/\x80"}) {
    if (wrong == "//") continue;
    EXPECT_EQ(path(wrong), "400") << wrong;
  }
}

TEST(RequestParser, BoundsHeads) {
  std::string many;
  for (int i = 0; i < 99; ++i) many += "A: b\r\n";
  EXPECT_EQ(status_of(with_headers(many)), 0);
  EXPECT_EQ(status_of(with_headers(many + "A: b\r\n")), 431);
  EXPECT_EQ(status_of("GET /" + std::string(17'000, 'a') + " HTTP/1.1\r\n"), 431);
  EXPECT_EQ(status_of(with_headers("A: " + std::string(17'000, 'a') + "\r\n")), 431);
  EXPECT_EQ(status_of(with_headers("A: " + std::string(16'000, 'a') + "\r\n")), 0);
}

TEST(RequestParser, BoundsBodies) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status_of(head + "401\r\n"), 413);
  EXPECT_EQ(status_of(head + "400\r\n" + std::string(1024, 'x') + "\r\n1\r\ny\r\n"), 413);
  EXPECT_EQ(status_of(head + "400\r\n" + std::string(1024, 'x') + "\r\n0\r\n\r\n"), 0);
  EXPECT_EQ(status_of(head + "ffffffffffffffff\r\n"), 413);
}

TEST(RequestParser, RefusesBadChunks) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view chunk :
       {"-1\r\n", "+1\r\n", "0x1\r\n", "g\r\n", "\r\n\r\n", "1ffffffffffffffff\r\n", "1\nx\r\n",
        "1\r\nxy\r\n", "1\r\nx\n0\r\n\r\n", "1 1\r\nx\r\n", "1;\x01\r\nx\r\n",
        "0\r\nContent-Length: 5\r\n\r\n", "0\r\nbad trailer\r\n\r\n"}) {
    EXPECT_EQ(status_of(head + std::string(chunk) + "0\r\n\r\n"), 400) << chunk;
  }
}

TEST(RequestParser, KnowsWhetherTheConnectionStays) {
  EXPECT_TRUE(Parsed(with_headers("")).parser.keep_alive());
  EXPECT_FALSE(Parsed(with_headers("Connection: close\r\n")).parser.keep_alive());
  EXPECT_FALSE(Parsed(with_headers("Connection: foo, Close\r\n")).parser.keep_alive());
  EXPECT_FALSE(Parsed("GET / HTTP/1.0\r\n\r\n").parser.keep_alive());
  EXPECT_TRUE(Parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").parser.keep_alive());
}

TEST(RequestParser, KnowsExpectations) {
  EXPECT_TRUE(Parsed(with_headers("Expect: 100-Continue\r\n")).parser.expects_continue());
  EXPECT_EQ(status_of(with_headers("Expect: 200-ok\r\n")), 417);
}

TEST(RequestParser, WantsAHost) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 0);
}

TEST(RequestParser, BeginsAnewAfterReset) {
  Request request;
  RequestParser parser(kLimits);
  const std::string bytes = with_headers("A: b\r\n");
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(parser.parse_head(bytes, request), bytes.size());
    EXPECT_EQ(request.headers.size(), 2U);
    parser.reset();
    request.reset();
  }
}

}  // namespace
}  // namespace resmgr::api
