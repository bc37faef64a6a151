#include "common/http_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"
#include "common/http.h"

namespace resmgr {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(HttpUrl, NamesHostPortAndPrefix) {
  const HttpUrl plain = parse_http_url("http://seq.example:5341/ingest/");
  EXPECT_EQ(plain.scheme, HttpUrl::Scheme::http);
  EXPECT_EQ(plain.host, "seq.example");
  EXPECT_EQ(plain.port, 5341);
  EXPECT_EQ(plain.prefix, "/ingest");
  EXPECT_EQ(plain.to_string(), "http://seq.example:5341/ingest");
  EXPECT_EQ(plain.host_header(), "seq.example:5341");
}

TEST(HttpUrl, KnowsTheUsualPorts) {
  EXPECT_EQ(parse_http_url("http://a").port, 80);
  EXPECT_EQ(parse_http_url("http://a:").port, 80);
  EXPECT_EQ(parse_http_url("https://a/").port, 443);
  EXPECT_EQ(parse_http_url("https://a:443").host_header(), "a");
  EXPECT_EQ(parse_http_url("https://a:80").host_header(), "a:80");
  EXPECT_EQ(parse_http_url("https://a/").prefix, "");
}

TEST(HttpUrl, TakesAddressesInBrackets) {
  const HttpUrl url = parse_http_url("http://[::1]:7070/x");
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 7070);
  EXPECT_EQ(url.host_header(), "[::1]:7070");
  EXPECT_EQ(url.to_string(), "http://[::1]:7070/x");
  EXPECT_EQ(parse_http_url("http://[::1]").port, 80);
}

TEST(HttpUrl, NamesASocket) {
  const HttpUrl url = parse_http_url("unix:///run/resmgr/agent.sock");
  EXPECT_EQ(url.scheme, HttpUrl::Scheme::unix_socket);
  EXPECT_EQ(url.host, "/run/resmgr/agent.sock");
  EXPECT_EQ(url.host_header(), "localhost");
  EXPECT_EQ(url.to_string(), "unix:///run/resmgr/agent.sock");
  EXPECT_EQ(parse_http_url("unix:///" + std::string(106, 'x')).host.size(), 107U);
}

// The message of the refusal, or "taken".
std::string url_refusal(const std::string& url) {
  try {
    parse_http_url(url);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::config);
    return e.message();
  }
  return "taken";
}

TEST(HttpUrl, RefusesWhatItCannotUse) {
  for (const std::string& wrong :
       {std::string(), std::string("seq.example"), std::string("ftp://a"), std::string("http://"),
        std::string("http://:80"), std::string("http://a:0"), std::string("http://a:65536"),
        std::string("http://a:8x"), std::string("http://[::1"), std::string("http://[::1]x"),
        std::string("http://a/?q"), std::string("http://a#f"), std::string("http://a/b c"),
        std::string("http://a/\r\n"), std::string("unix://relative"), std::string("unix://"),
        "unix:///" + std::string(107, 'x')}) {
    EXPECT_THAT(url_refusal(wrong), HasSubstr("cannot use URL '" + wrong + "': ")) << wrong;
  }
}

TEST(HttpUrl, RefusesCredentialsWithoutRepeatingThem) {
  for (const char* const url :
       {"http://me:hunter2@a/", "https://hunter2@a", "postgres://me:hunter2@a/b", "me:hunter2@a"}) {
    EXPECT_THAT(url_refusal(url), AllOf(Not("taken"), Not(HasSubstr("hunter2")))) << url;
  }
}

TEST(UrlEncode, KeepsTheUnreservedOnly) {
  EXPECT_EQ(url_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(url_encode("a b/?&=+%é"), "a%20b%2F%3F%26%3D%2B%25%C3%A9");
  EXPECT_EQ(url_encode(std::string_view("\0", 1)), "%00");
}

TEST(UrlDecode, LeavesWhatIsNoEscape) {
  EXPECT_EQ(url_decode("a%20b%2f%C3%A9+"), "a b/é+");
  EXPECT_EQ(url_decode("%"), "%");
  EXPECT_EQ(url_decode("%2"), "%2");
  EXPECT_EQ(url_decode("%zz%4"), "%zz%4");
  EXPECT_EQ(url_decode("%%41"), "%A");
  EXPECT_EQ(url_decode(url_encode("\x01\xff ~\n")), "\x01\xff ~\n");
}

}  // namespace
}  // namespace resmgr
