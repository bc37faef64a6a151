#include "agent/identity/jws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto.h"
#include "common/error.h"

namespace resmgr::identity {
namespace {

std::string token(std::string_view header, std::string_view payload = "{}",
                  std::string_view signature = "signature") {
  return base64url_encode(header) + "." + base64url_encode(payload) + "." +
         base64url_encode(signature);
}

// The reason for refusing it, or "taken".
std::string verdict(std::string_view text) {
  try {
    parse_jws(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::unauthenticated);
    EXPECT_EQ(e.message().find_first_of("\"\\\r\n"), std::string::npos) << e.message();
    return e.message();
  }
  return "taken";
}

TEST(Jws, IsTakenApart) {
  const std::string text = token(R"({"alg":"HS256","kid":"k1","typ":"JWT"})", "payload", "mac");
  const Jws jws = parse_jws(text);
  EXPECT_EQ(jws.algorithm, Algorithm::hs256);
  EXPECT_EQ(jws.kid, "k1");
  EXPECT_EQ(jws.payload, "payload");
  EXPECT_EQ(jws.signature, "mac");
  EXPECT_EQ(jws.signing_input, text.substr(0, text.rfind('.')));
  EXPECT_EQ(parse_jws(token(R"({"alg":"RS256"})")).kid, std::nullopt);
}

TEST(Jws, HasThreeParts) {
  const std::string good = token(R"({"alg":"HS256"})");
  for (const std::string& text : {std::string(), std::string("."), std::string("a.b"), good + ".",
                                  good + ".e30", good.substr(0, good.rfind('.'))}) {
    EXPECT_EQ(verdict(text), "the token does not consist of three parts") << text;
  }
  EXPECT_NE(verdict(".."), "taken");
  EXPECT_NE(verdict("." + good.substr(good.find('.') + 1)), "taken");
}

TEST(Jws, BeyondEightKibNothingIsParsed) {
  EXPECT_EQ(verdict(std::string(kMaxTokenBytes, 'A')), "the token does not consist of three parts");
  EXPECT_EQ(verdict(std::string(kMaxTokenBytes + 1, '.')), "the token is longer than 8 KiB");
  EXPECT_EQ(verdict(std::string(2 << 20, '[')), "the token is longer than 8 KiB");
}

TEST(Jws, Base64urlIsCanonical) {
  const std::string header = base64url_encode(R"({"alg":"HS256"})");
  const std::string why = "the token is not canonical base64url";
  EXPECT_EQ(verdict(header + ".e30.QQ"), "taken");
  EXPECT_EQ(verdict(header + ".e30.QQ=="), why);  // padded
  EXPECT_EQ(verdict(header + ".e30=.QQ"), why);   // padded
  EXPECT_EQ(verdict(header + ".e30.QR"), why);    // bits that are not used are set
  EXPECT_EQ(verdict(header + ".e30.Q"), why);     // half a byte
  EXPECT_EQ(verdict(header + ".e30.+/8A"), why);  // the other alphabet
  EXPECT_EQ(verdict(header + ".e 30.QQ"), why);   // white space
  EXPECT_EQ(verdict(header + ".e30.QQ\n"), why);
  EXPECT_EQ(verdict(header + "\n.e30.QQ"), why);
}

TEST(Jws, NoneIsNoAlgorithmHoweverItIsSpelt) {
  for (const char* alg : {R"("none")", R"("None")", R"("NONE")", R"("nOnE")", R"("none ")", R"("")",
                          R"("\u006eone")", "null", "0", "true", "[]", R"(["HS256"])",
                          R"({"alg":"HS256"})", R"("HS384")", R"("RS512")", R"("hs256")"}) {
    const std::string header = std::string(R"({"alg":)") + alg + "}";
    EXPECT_EQ(verdict(token(header, "{}", "")), "the token's algorithm is not taken") << alg;
  }
  EXPECT_EQ(verdict(token("{}")), "the token's algorithm is not taken");
}

TEST(Jws, HeadersAreObjectsWithoutDuplicates) {
  const std::string why = "the token header is not valid JSON without duplicate members";
  EXPECT_EQ(verdict(token(R"({"alg":"none","alg":"HS256"})")), why);
  EXPECT_EQ(verdict(token(R"({"alg":"HS256","alg":"HS256"})")), why);
  EXPECT_EQ(verdict(token(R"({"alg":"HS256","x":{"a":1,"a":2}})")), why);
  EXPECT_EQ(verdict(token(R"({"alg":"HS256","\u0061lg":"none"})")), why);
  EXPECT_EQ(verdict(token(R"({"alg":"HS256"} {})")), why);
  EXPECT_EQ(verdict(token("{\"alg\":\"HS256\",\"x\":\"\xff\"}")), why);
  EXPECT_EQ(verdict(token("")), why);
  EXPECT_EQ(verdict(token(std::string(200, '[') + std::string(200, ']'))), why);
  EXPECT_EQ(verdict(token("[]")), "the token header is no JSON object");
  EXPECT_EQ(verdict(token(R"("alg")")), "the token header is no JSON object");
}

TEST(Jws, ExtensionsThatMustBeUnderstoodAreRefused) {
  const std::string why = "the token header demands an extension that is not taken";
  EXPECT_EQ(verdict(token(R"({"alg":"HS256","crit":["exp"],"exp":1})")), why);
  EXPECT_EQ(verdict(token(R"({"alg":"HS256","crit":[]})")), why);
  EXPECT_EQ(verdict(token(R"({"alg":"HS256","crit":null})")), why);
  EXPECT_EQ(verdict(token(R"({"alg":"HS256","b64":false,"crit":["b64"]})")), why);
  EXPECT_EQ(verdict(token(R"({"alg":"HS256","b64":false})")), why);
}

TEST(Jws, TheKeyIdIsAString) {
  for (const char* kid : {"1", "null", "{}", "[\"k\"]", "true"}) {
    EXPECT_EQ(verdict(token(std::string(R"({"alg":"HS256","kid":)") + kid + "}")),
              "the token's key id is no string");
  }
}

}  // namespace
}  // namespace resmgr::identity
