#include "common/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"

namespace resmgr {
namespace {

using testing::HasSubstr;
using testing::Not;

// The message of the refusal, or "taken".
std::string refusal(std::string_view text, DuplicateKeys duplicates = DuplicateKeys::allow) {
  try {
    parse_json(text, "request body", duplicates);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    return e.message();
  }
  return "taken";
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJson, ReadsEveryKindOfValue) {
  const Json json =
      parse_json(R"( {"a": [1, -2, 2.5, "x", true, null, {}], "b": {"c": []}} )", "answer");
  EXPECT_EQ(json, Json::parse(R"({"a":[1,-2,2.5,"x",true,null,{}],"b":{"c":[]}})"));
  EXPECT_EQ(parse_json("7", "answer"), Json(7));
  EXPECT_EQ(parse_json("\"\\u00e9\"", "answer"), Json("é"));
}

TEST(ParseJson, SaysWhereAndWhy) {
  EXPECT_THAT(refusal(R"({"a": nope})"), HasSubstr("cannot read request body: byte 7: "));
  EXPECT_THAT(refusal("[1,]"), HasSubstr("byte 3: "));
  EXPECT_THAT(refusal(""), HasSubstr("byte 0: "));
  EXPECT_THAT(refusal("{"), HasSubstr("byte 1: "));
}

TEST(ParseJson, NeverRepeatsTheInput) {
  EXPECT_THAT(refusal(R"({"token": "hunter2" "x"})"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(refusal("{\"token\": \"hunter2\n\"}"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(refusal(R"({"token": hunter2})"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(refusal("{\"token\": \"it's; last read: 'hunter2'; expected hunter2"),
              Not(HasSubstr("hunter2")));
}

TEST(ParseJson, RefusesWhatIsNoJsonText) {
  for (const char* const wrong : {"",           " ",
                                  "{}x",        "{} {}",
                                  "[1] 2",      "{'a': 1}",
                                  "{a: 1}",     "[1,]",
                                  "{\"a\":1,}", "// x\n{}",
                                  "/**/{}",     "01",
                                  "+1",         ".5",
                                  "1.",         "NaN",
                                  "Infinity",   "\"\t\"",
                                  "\"\\x\"",    "\"\\ud800\"",
                                  "\"\xff\"",   "\"\xed\xa0\x80\"",
                                  "tru",        "[",
                                  "\"a"}) {
    EXPECT_NE(refusal(wrong), "taken") << wrong;
  }
}

TEST(ParseJson, RefusesNulWhereTheParserWouldStop) {
  EXPECT_THAT(refusal(std::string_view("{}\0{\"a\":1}", 10)), HasSubstr("byte 2: a NUL"));
  EXPECT_THAT(refusal(std::string_view("\"a\0\"", 4)), HasSubstr("byte 2: "));
}

TEST(ParseJson, RefusesNumbersOutOfRange) {
  EXPECT_THAT(refusal("[1e999]"), HasSubstr("a number is out of range"));
}

TEST(ParseJson, TakesTheLastOfDuplicateKeysUnlessTold) {
  constexpr std::string_view kText = R"({"a": 1, "b": {"a": 2}, "a": 3})";
  EXPECT_EQ(parse_json(kText, "answer")["a"], 3);
  EXPECT_THAT(refusal(kText, DuplicateKeys::refuse), HasSubstr("byte 27: a member's name"));
}

TEST(ParseJson, FindsDuplicateKeysAtEveryDepthAndInEveryDisguise) {
  EXPECT_NE(refusal(R"([{"x": {"a": 1, "a": 1}}])", DuplicateKeys::refuse), "taken");
  EXPECT_NE(refusal(R"({"a": 1, "\u0061": 2})", DuplicateKeys::refuse), "taken");
  EXPECT_NE(refusal(R"({"": 1, "": 2})", DuplicateKeys::refuse), "taken");
  EXPECT_EQ(refusal(R"({"a": {"a": 1}, "b": {"a": 1}})", DuplicateKeys::refuse), "taken");
}

TEST(ParseJson, NestsSixtyFourDeepAndNoDeeper) {
  EXPECT_EQ(refusal(nested(64)), "taken");
  EXPECT_THAT(refusal(nested(65)), HasSubstr("byte 65: it is nested more than 64 deep"));
  std::string objects;
  for (int i = 0; i < 65; ++i) objects += "{\"a\":";
  EXPECT_THAT(refusal(objects + "1" + std::string(65, '}')), HasSubstr("64 deep"));
}

TEST(ParseJson, RefusesAMillionBracketsWithoutHarm) {
  EXPECT_THAT(refusal(nested(1'000'000)), HasSubstr("64 deep"));
  EXPECT_THAT(refusal(std::string(1'000'000, '[')), HasSubstr("64 deep"));
}

TEST(CheckedAccess, GivesTheMemberOfThatType) {
  const Json json = Json::parse(
      R"({"s": "x", "i": -5, "u": 5, "big": 18446744073709551615, "d": 1.5, "b": true,
          "o": {"k": 1}, "a": [1], "n": null})");
  EXPECT_EQ(string_or(json, "s"), "x");
  EXPECT_EQ(integer_or(json, "i", 0), -5);
  EXPECT_EQ(integer_or(json, "u", 0), 5);
  EXPECT_TRUE(bool_or(json, "b", false));
  EXPECT_EQ(object_at(json, "o")["k"], 1);
  EXPECT_EQ(array_at(json, "a").size(), 1U);
}

TEST(CheckedAccess, FallsBackForEverythingElse) {
  const Json json =
      Json::parse(R"({"s": "x", "big": 18446744073709551615, "d": 1.5, "o": {}, "n": null})");
  EXPECT_EQ(string_or(json, "d", "no"), "no");
  EXPECT_EQ(string_or(json, "missing", "no"), "no");
  EXPECT_EQ(string_or(json, "n"), "");
  EXPECT_EQ(integer_or(json, "big", 7), 7);
  EXPECT_EQ(integer_or(json, "d", 7), 7);
  EXPECT_EQ(integer_or(json, "s", 7), 7);
  EXPECT_TRUE(bool_or(json, "s", true));
  EXPECT_TRUE(object_at(json, "s").is_null());
  EXPECT_TRUE(array_at(json, "o").is_null());
  for (const Json& other : {Json(), Json(1), Json::array({1}), Json("s")}) {
    EXPECT_EQ(string_or(other, "s", "no"), "no");
    EXPECT_EQ(integer_or(other, "s", 7), 7);
    EXPECT_FALSE(bool_or(other, "s", false));
    EXPECT_TRUE(object_at(other, "s").is_null());
    EXPECT_TRUE(array_at(other, "s").is_null());
  }
}

TEST(DumpJson, IsCompactAndNeverThrows) {
  EXPECT_EQ(dump_json(Json::parse(R"({ "a" : [ 1 , "é" ] })")), R"({"a":[1,"é"]})");
  EXPECT_EQ(dump_json(Json("a\xff")), "\"a\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace resmgr
