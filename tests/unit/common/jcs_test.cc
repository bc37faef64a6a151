#include "common/jcs.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "common/crypto.h"
#include "common/error.h"

namespace resmgr {
namespace {

std::string canonical(const char* text) { return canonical_json(nlohmann::json::parse(text)); }

void expect_refused(const nlohmann::json& value) {
  try {
    canonical_json(value);
    ADD_FAILURE() << "taken";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::internal);
  }
}

TEST(CanonicalJson, OfRfc8785LessItsFractions) {
  const std::string text = canonical(R"({
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })");
  // RFC 8785, section 3.2.4.
  EXPECT_EQ(to_hex(text),
            "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c22737472696e67223a"
            "22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d");
}

TEST(CanonicalJson, SortsMembersAtEveryDepth) {
  EXPECT_EQ(canonical(R"({ "b" : {"z":1, "a":2}, "a" : [ ], "B" : { }, "" : 0, "aa": "x" })"),
            R"({"":0,"B":{},"a":[],"aa":"x","b":{"a":2,"z":1}})");
}

TEST(CanonicalJson, EscapesOnlyWhatItMust) {
  EXPECT_EQ(canonical(R"("\b\t\n\f\r\u0000\u001f\u007f\u0080\u2028/<>&\ud83d\ude00")"),
            "\"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\xc2\x80\xe2\x80\xa8/<>&\xf0\x9f\x98\x80\"");
}

TEST(CanonicalJson, WritesIntegersPlainly) {
  EXPECT_EQ(canonical("[0, -0, 1, -1, 9007199254740991, -9007199254740991]"),
            "[0,0,1,-1,9007199254740991,-9007199254740991]");
  EXPECT_EQ(canonical("[1.0, 1e3, -0.0, 9007199254740991.0]"), "[1,1000,0,9007199254740991]");
}

TEST(CanonicalJson, RefusesOtherNumbers) {
  for (const char* const number : {"0.5", "1e-7", "9007199254740992", "-9007199254740992",
                                   "18446744073709551615", "1e300", "9007199254740993.0"}) {
    SCOPED_TRACE(number);
    expect_refused(nlohmann::json::parse(number));
  }
  expect_refused(std::numeric_limits<double>::quiet_NaN());
  expect_refused(std::numeric_limits<double>::infinity());
}

TEST(CanonicalJson, RefusesNamesThatAreNotAscii) {
  expect_refused(nlohmann::json::parse(R"({"a": {"é": 1}})"));
}

TEST(CanonicalJson, RefusesTextThatIsNotUtf8) {
  for (const char* const text :
       {"\x80", "\xc3", "\xc3(", "\xc0\xaf", "\xc1\xbf", "\xe2\x82", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xf0\x9f\x98"}) {
    SCOPED_TRACE(to_hex(text));
    expect_refused(nlohmann::json(text));
  }
}

TEST(CanonicalJson, TakesTheLastOfEachLengthOfUtf8) {
  for (const char* const text :
       {"\x7f", "\xdf\xbf", "\xef\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(canonical_json(nlohmann::json(text)), "\"" + std::string(text) + "\"");
  }
}

TEST(CanonicalJson, RefusesBinary) { expect_refused(nlohmann::json::binary({1, 2})); }

}  // namespace
}  // namespace resmgr
